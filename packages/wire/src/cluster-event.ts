/**
 * What changes in a cluster, as an observer of the master's event stream sees it: the typed form of the wire
 * events that whoever follows the master works from. What comes before them (a snapshot) and what else an
 * observer hears is its own.
 */

import type {
  Response_GetAgents_Agent,
  Response_GetFrameworks_Framework,
} from './generated/master.ts';
import type {
  AgentID,
  FrameworkID,
  FrameworkInfo,
  Task,
  TaskState,
  TaskStatus,
} from './generated/mesos.ts';

export type ClusterEvent =
  | { readonly kind: 'taskAdded'; readonly task: Task }
  | {
      readonly kind: 'taskUpdated';
      readonly frameworkId: FrameworkID;
      readonly status: TaskStatus;
      /** The latest state that the master knows; `status` may be an older update on its way. */
      readonly state: TaskState;
    }
  | { readonly kind: 'agentAdded'; readonly agent: Response_GetAgents_Agent }
  | { readonly kind: 'agentRemoved'; readonly agentId: AgentID }
  | { readonly kind: 'frameworkAdded'; readonly framework: Response_GetFrameworks_Framework }
  | { readonly kind: 'frameworkUpdated'; readonly framework: Response_GetFrameworks_Framework }
  | { readonly kind: 'frameworkRemoved'; readonly framework: FrameworkInfo };
