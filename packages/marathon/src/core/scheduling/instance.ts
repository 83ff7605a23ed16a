/**
 * An instance: one unit of scheduling of a service, with at most one task at a time. It keeps its id over
 * relaunches; each relaunch is a new attempt with a new task id.
 *
 * Invariants: the goal (what is wanted) and the condition (what was observed) are separate fields; a
 * condition is only ever changed by an observation, a launch, or the passing of a named time-out.
 */

import type { Instant } from '@dcos/base';
import type { Attribute, TaskState } from '@dcos/wire';

/** What the scheduler wants of an instance. */
export type Goal = 'Running' | 'Stopped' | 'Decommissioned';

/** What is known about an instance. */
export type Condition =
  | 'Scheduled'
  | 'Provisioned'
  | 'Staging'
  | 'Starting'
  | 'Running'
  | 'Killing'
  | 'Killed'
  | 'Finished'
  | 'Failed'
  | 'Error'
  | 'Gone'
  | 'Dropped'
  | 'Unknown'
  | 'Unreachable'
  | 'UnreachableInactive';

/** Where an instance was placed. */
export interface Placement {
  readonly agentId: string;
  readonly hostname: string;
  readonly region?: string;
  readonly zone?: string;
  readonly attributes: readonly Attribute[];
}

/** The network address of a task as its agent reports it. */
export interface TaskAddress {
  readonly ipAddress: string;
  readonly protocol: 'IPv4' | 'IPv6';
}

/** The task of the latest attempt. */
export interface InstanceTask {
  readonly id: string;
  /** Counts launches of this instance, from 1. */
  readonly attempt: number;
  /** The host port of each port index; null where no host port is used. */
  readonly hostPorts: readonly (number | null)[];
  readonly stagedAt: Instant;
  /** When TASK_RUNNING was first seen. */
  readonly startedAt?: Instant;
  /** The latest state that Mesos reported; absent before the first report. */
  readonly state?: TaskState;
  /** Text of the latest report, cut to a bound. */
  readonly message?: string;
  /** Health that an executor reported, for checks that Mesos executes. */
  readonly healthy?: boolean;
  readonly addresses: readonly TaskAddress[];
  /** Result of the app's `check`, as it is shown. */
  readonly checkResult?: CheckResult;
}

/** Result of a generic check; informational. */
export interface CheckResult {
  readonly http?: { readonly statusCode: number };
  readonly tcp?: { readonly succeeded: boolean };
  readonly command?: { readonly exitCode: number };
}

export interface Instance {
  readonly id: string;
  readonly appId: string;
  /** The app version that the latest launch used, or that the next one will use. */
  readonly version: string;
  /** `lastConfigChangeAt` of that version: instances with the same one run the same configuration. */
  readonly configVersion: string;
  readonly role: string;
  readonly goal: Goal;
  readonly condition: Condition;
  /** When the condition began. */
  readonly since: Instant;
  readonly createdAt: Instant;
  readonly placement?: Placement;
  readonly task?: InstanceTask;
}

const TERMINAL: ReadonlySet<Condition> = new Set([
  'Killed',
  'Finished',
  'Failed',
  'Error',
  'Gone',
  'Dropped',
  'Unknown',
]);

/** True when the task of the latest attempt has ended for good. */
export function isTerminal(condition: Condition): boolean {
  return TERMINAL.has(condition);
}

/** True while a task may exist in the cluster: launched, and not known to have ended. */
export function isActive(instance: Instance): boolean {
  return instance.condition !== 'Scheduled' && !isTerminal(instance.condition);
}

/** True when the instance waits for an offer, or will once its delay has passed. */
export function isToBeLaunched(instance: Instance): boolean {
  return instance.goal === 'Running' && !isActive(instance);
}

/** True when the instance counts towards the number of instances that its app asks for. */
export function isCounted(instance: Instance): boolean {
  return instance.goal === 'Running' && instance.condition !== 'UnreachableInactive';
}

/** The task state that clients see: before Mesos said anything the task counts as staging. */
export function shownTaskState(instance: Instance): TaskState {
  const state = instance.task?.state;
  if (state === undefined) return 'TASK_STAGING';
  // An instance that is about to be stopped is shown as such from the decision on, so that balancers
  // stop sending requests before the process gets its signal.
  if (state === 'TASK_RUNNING' && instance.goal === 'Decommissioned') return 'TASK_KILLING';
  return state;
}
