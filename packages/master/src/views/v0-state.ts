/**
 * `/state` and `/state-summary`.
 */

import type { JsonObject, JsonValue } from '@dcos/base';
import { DomainInfoType, toJson, type DomainInfo } from '@dcos/wire';
import { lookOf } from '../core/agent-look.ts';
import { masterPid } from '../core/names.ts';
import type { MasterState } from '../core/state.ts';
import { Fragment, FragmentList, type Document } from './document.ts';
import { agentText, agentObject, recoveredAgentObject } from './v0-agents.ts';
import {
  completedFrameworkDocument,
  frameworkDocument,
  frameworkSummary,
} from './v0-frameworks.ts';
import { TaskTally } from './v0-tasks.ts';

/** What the documents say about the master itself. */
export interface MasterIdentity {
  readonly id: string;
  readonly ip: string;
  readonly port: number;
  readonly hostname: string;
  readonly cluster: string;
  /** When the process started, and when it was elected; seconds since the epoch. */
  readonly startTime: number;
  readonly electedTime: number;
  readonly build: BuildInfo;
  readonly capabilities: readonly string[];
  readonly flags: Readonly<Record<string, string>>;
  /** Where the master is, if it was told. */
  readonly domain?: DomainInfo;
}

export interface BuildInfo {
  readonly version: string;
  readonly build_date: string;
  readonly build_time: number;
  readonly build_user: string;
  readonly git_sha?: string;
}

/** `/version` */
export function buildObject(build: BuildInfo): { readonly [key: string]: JsonValue } {
  return { ...build };
}

/** `/state` */
export function stateDocument(
  state: MasterState,
  master: MasterIdentity,
  { showsFlags }: { readonly showsFlags: boolean },
): Document {
  const pid = masterPid(master.ip, master.port);
  const domain = master.domain && { domain: toJson(DomainInfoType, master.domain) };
  const agents = [...state.agents.values()];
  const connected = agents.filter(
    ({ connection, policy }) => connection !== undefined && policy === undefined,
  ).length;
  return {
    ...buildObject(master.build),
    start_time: master.startTime,
    elected_time: master.electedTime,
    id: master.id,
    pid,
    hostname: master.hostname,
    capabilities: master.capabilities,
    activated_slaves: connected,
    deactivated_slaves: agents.length - connected,
    unreachable_slaves: state.unreachableAgents.size,
    leader: pid,
    leader_info: {
      id: master.id,
      pid,
      port: master.port,
      hostname: master.hostname,
      ...domain,
    },
    ...domain,
    ...(showsFlags && { cluster: master.cluster, flags: master.flags }),
    slaves: FragmentList.of(agents.map(lookOf), agentText),
    recovered_slaves: Array.from(state.recoveredAgents.values(), recoveredAgentObject),
    frameworks: Array.from(state.frameworks.values(), frameworkDocument),
    completed_frameworks: Array.from(
      state.completedFrameworks.values(),
      completedFrameworkDocument,
    ),
    orphan_tasks: [],
    unregistered_frameworks: [],
  };
}

/** `/state-summary` */
export function summaryDocument(state: MasterState, master: MasterIdentity): Document {
  const byAgent = new Map<string, TaskTally>();
  const byFramework = new Map<string, TaskTally>();
  for (const framework of state.frameworks.values()) {
    const live = [...framework.tasks.values(), ...framework.unreachableTasks.values()];
    for (const task of [
      ...live.map((record) => record.task),
      ...framework.completedTasks.values(),
    ]) {
      tallyOf(byFramework, framework.id).add(task, task.agent_id.value);
      tallyOf(byAgent, task.agent_id.value).add(task, framework.id);
    }
  }
  for (const framework of state.completedFrameworks.values()) {
    for (const task of framework.completedTasks.values()) {
      tallyOf(byAgent, task.agent_id.value).add(task, framework.id);
    }
  }
  return {
    hostname: master.hostname,
    cluster: master.cluster,
    slaves: Array.from(state.agents.values(), (agent) => {
      const look = lookOf(agent);
      const tally = tallyOf(byAgent, agent.id);
      return new Fragment(() =>
        JSON.stringify({ ...agentObject(look), ...tallied(tally, 'framework_ids') }),
      );
    }),
    frameworks: Array.from(state.frameworks.values(), (framework) => ({
      ...frameworkSummary(framework),
      ...tallied(tallyOf(byFramework, framework.id), 'slave_ids'),
    })),
  };
}

function tallyOf(tallies: Map<string, TaskTally>, id: string): TaskTally {
  const known = tallies.get(id);
  if (known !== undefined) return known;
  const tally = new TaskTally();
  tallies.set(id, tally);
  return tally;
}

function tallied(tally: TaskTally, others: string): JsonObject {
  return { ...tally.counts(), [others]: [...tally.others] };
}
