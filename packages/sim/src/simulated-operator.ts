/**
 * An operator's client in the world: it subscribes to the masters' events and keeps a copy of the cluster from
 * the snapshot and the events alone. When it has heard everything, the copy must be what the master has: then
 * the events are complete. It loses its stream as everybody does, and begins again with a new snapshot.
 */

import type { masterApi, TaskState } from '@dcos/wire';
import { connect, type Connection, type Side } from './connection.ts';
import { createPartition, type Partition } from './partition.ts';
import type { MasterView } from './simulated-master.ts';
import type { World } from './world.ts';

const RESUBSCRIBE_MIN_MS = 20;
const RESUBSCRIBE_MAX_MS = 2_000;
/** How long it waits for its stream to begin. */
const PATIENCE_MS = 3_000;

export type OperatorLink = Connection<never, masterApi.Event>;

/** What the client knows. */
export interface ClusterCopy {
  /** Over which stream it learned that. */
  readonly link: OperatorLink;
  /** By `framework task`. */
  readonly tasks: ReadonlyMap<string, TaskState>;
  readonly agents: ReadonlySet<string>;
  /** Whether each is active. */
  readonly frameworks: ReadonlyMap<string, boolean>;
}

export interface SimulatedOperator {
  readonly name: string;
  readonly partition: Partition;
  start(): void;
  /** The copy, when nothing is on its way to the client. */
  copy(): ClusterCopy | undefined;
  /** Grows with everything that it hears. */
  readonly changes: number;
  digest(): unknown;
}

export function createSimulatedOperator(
  world: World,
  master: Pick<MasterView, 'operatorSubscribe'>,
  name: string,
): SimulatedOperator {
  const partition = createPartition();
  const tasks = new Map<string, TaskState>();
  const agents = new Set<string>();
  const frameworks = new Map<string, boolean>();
  let link: OperatorLink | undefined;
  let links = 0;
  let isSubscribed = false;
  let changes = 0;

  function subscribe(): void {
    world.after(world.between(RESUBSCRIBE_MIN_MS, RESUBSCRIBE_MAX_MS), `${name}: subscribe`, () => {
      if (link !== undefined) return;
      if (!partition.isCut('left')) master.operatorSubscribe(openStream);
      world.after(PATIENCE_MS, `${name}: patience`, () => {
        if (link === undefined) subscribe();
      });
    });
  }

  function openStream(side: Side<never>): OperatorLink {
    const connection: OperatorLink = connect<never, masterApi.Event>(
      world,
      `${name}#${(links += 1)}`,
      side,
      {
        receive(event) {
          if (link === connection) hear(event);
        },
        closed() {
          if (link !== connection) return;
          link = undefined;
          isSubscribed = false;
          subscribe();
        },
      },
    );
    link?.break();
    link = connection;
    isSubscribed = false;
    partition.adopt(connection);
    return connection;
  }

  function hear(event: masterApi.Event): void {
    changes += 1;
    if (event.subscribed?.get_state !== undefined) begin(event.subscribed.get_state);
    else if (event.task_added !== undefined) {
      const { task } = event.task_added;
      tasks.set(keyOf(task.framework_id.value, task.task_id.value), task.state);
    } else if (event.task_updated !== undefined) {
      const { framework_id: framework, status, state } = event.task_updated;
      tasks.set(keyOf(framework.value, status.task_id.value), state);
    } else if (event.agent_added !== undefined) {
      agents.add(event.agent_added.agent.agent_info.id?.value ?? '');
    } else if (event.agent_removed !== undefined) {
      agents.delete(event.agent_removed.agent_id.value);
    } else hearOfFramework(event);
  }

  function hearOfFramework(event: masterApi.Event): void {
    const framework = (event.framework_added ?? event.framework_updated)?.framework;
    if (framework !== undefined) {
      frameworks.set(framework.framework_info.id?.value ?? '', framework.active);
    } else if (event.framework_removed !== undefined) {
      const id = event.framework_removed.framework_info.id?.value ?? '';
      frameworks.delete(id);
      for (const key of tasks.keys()) if (key.startsWith(`${id} `)) tasks.delete(key);
    }
  }

  function begin({ get_tasks, get_agents, get_frameworks }: masterApi.Response_GetState): void {
    isSubscribed = true;
    tasks.clear();
    agents.clear();
    frameworks.clear();
    for (const task of [...(get_tasks?.tasks ?? []), ...(get_tasks?.unreachable_tasks ?? [])])
      tasks.set(keyOf(task.framework_id.value, task.task_id.value), task.state);
    for (const agent of get_agents?.agents ?? []) agents.add(agent.agent_info.id?.value ?? '');
    for (const framework of get_frameworks?.frameworks ?? [])
      frameworks.set(framework.framework_info.id?.value ?? '', framework.active);
  }

  return {
    name,
    partition,
    start: subscribe,
    copy: () =>
      isSubscribed && link?.open === true && link.backlog('right') === 0
        ? { link, tasks, agents, frameworks }
        : undefined,
    get changes() {
      return changes;
    },
    digest: () => ({
      tasks,
      agents,
      frameworks,
      isSubscribed,
      link: link && [link.name, link.open],
    }),
  };
}

/** How a task is named in a copy. */
export function keyOf(frameworkId: string, taskId: string): string {
  return `${frameworkId} ${taskId}`;
}
