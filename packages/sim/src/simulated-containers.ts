/**
 * The container runtime of a host in the world: containers take their time to start, end by themselves, fail, or
 * refuse SIGTERM, and go on when their agent dies. How one ended is kept for the agent that comes next.
 */

import type { ContainerId } from '@dcos/base';
import type { AgentEvent, ExitStatus, FoundContainer, TaskRecord } from '@dcos/agent/core';
import type { World } from './world.ts';

const FIND_MAX_MS = 50;
const LAUNCH_MAX_MS = 60;
const NOTICE_MAX_MS = 30;
/** A task that is not killed ends by itself after at most this long. */
const TASK_LIFE_MIN_MS = 10;
const TASK_LIFE_MAX_MS = 60_000;
/** How long a task takes to obey SIGTERM; some do not. */
const OBEY_MAX_MS = 500;
const STUBBORN_PROBABILITY = 0.2;
const FAIL_PROBABILITY = 0.3;
const LAUNCH_FAILURE_PROBABILITY = 0.03;

type Container =
  | { readonly kind: 'running'; readonly pid: number; readonly taskId: string }
  | { readonly kind: 'exited'; readonly status: ExitStatus };

export interface Containers {
  launch(task: TaskRecord): void;
  /** Ends a launch that has not led to a container yet. */
  abort(id: ContainerId): void;
  signal(id: ContainerId, kind: 'SIGTERM' | 'SIGKILL'): void;
  /** Looks for the containers of tasks that a predecessor launched. */
  find(tasks: readonly TaskRecord[]): void;
  /** Forgets one that has ended. */
  release(id: ContainerId): void;
  /** Launches under way are lost with the agent. */
  agentDied(): void;
  /** The host was restarted: nothing runs, nothing is known of what ran. */
  clear(): void;
  runningTaskIds(): readonly string[];
  runningIds(): readonly ContainerId[];
  digest(): unknown;
}

/** What the runtime needs of its host. */
export interface ContainerHost {
  /** Tells the agent that lives at that time. */
  readonly tell: (event: AgentEvent) => void;
  /** Like the world's `after`, but only while the present agent lives. */
  readonly afterAlive: (what: string, delayMs: number, action: () => void) => () => void;
  /** Something happened that a checker could see. */
  readonly touched: () => void;
}

export function createContainers(
  world: World,
  name: string,
  { tell, afterAlive, touched }: ContainerHost,
): Containers {
  const containers = new Map<ContainerId, Container>();
  const launching = new Map<ContainerId, () => void>();
  let nextPid = 100;

  function begin(id: ContainerId, task: TaskRecord): void {
    touched();
    const pid = nextPid++;
    containers.set(id, { kind: 'running', pid, taskId: task.taskId });
    world.trace(`${name} runs ${task.taskId}`);
    const arrival = { channel: `end of ${id}`, says: () => '' };
    world.arrive(world.between(TASK_LIFE_MIN_MS, TASK_LIFE_MAX_MS), arrival, () => {
      exit(id, { kind: 'exited', code: world.chance(FAIL_PROBABILITY) ? 1 : 0 });
    });
    afterAlive(`begun ${id}`, world.between(0, 5), () =>
      tell({ kind: 'started', id, pid, ipAddresses: [] }),
    );
  }

  function exit(id: ContainerId, status: ExitStatus): void {
    const container = containers.get(id);
    if (container?.kind !== 'running') return;
    touched();
    world.trace(`${name} sees the end of ${container.taskId}`);
    containers.set(id, { kind: 'exited', status });
    // A shim recorded it: an agent that lives is told, one that does not finds it later.
    afterAlive(`exit ${id}`, world.between(0, NOTICE_MAX_MS), () =>
      tell({ kind: 'exited', id, status }),
    );
  }

  return {
    launch(task) {
      const id = task.containerId;
      const cancelPrepared = afterAlive(`prepared ${id}`, world.between(0, LAUNCH_MAX_MS), () => {
        if (world.chance(LAUNCH_FAILURE_PROBABILITY)) {
          launching.delete(id);
          tell({ kind: 'launchFailed', id, message: 'sim' });
          return;
        }
        tell({ kind: 'prepared', id });
        const cancelStarted = afterAlive(`started ${id}`, world.between(0, LAUNCH_MAX_MS), () => {
          launching.delete(id);
          begin(id, task);
        });
        launching.set(id, cancelStarted);
      });
      launching.set(id, cancelPrepared);
    },
    abort(id) {
      launching.get(id)?.();
      launching.delete(id);
    },
    signal(id, kind) {
      if (kind === 'SIGTERM' && world.chance(STUBBORN_PROBABILITY)) return;
      const number = kind === 'SIGTERM' ? 15 : 9;
      world.after(world.between(0, OBEY_MAX_MS), `${name}: ${kind} ${id}`, () =>
        exit(id, { kind: 'signaled', signal: number }),
      );
    },
    find(tasks) {
      const found = tasks.map((task): FoundContainer => {
        const id = task.containerId;
        const container = containers.get(id);
        if (container === undefined) return { kind: 'absent', id };
        return container.kind === 'running'
          ? { kind: 'running', id, pid: container.pid, ipAddresses: [] }
          : { kind: 'exited', id, status: container.status };
      });
      afterAlive('found', world.between(0, FIND_MAX_MS), () =>
        tell({ kind: 'containersFound', containers: found }),
      );
    },
    release: (id) => void containers.delete(id),
    agentDied() {
      for (const cancel of launching.values()) cancel();
      launching.clear();
    },
    clear: () => containers.clear(),
    runningTaskIds: () =>
      [...containers.values()].flatMap((container) =>
        container.kind === 'running' ? [container.taskId] : [],
      ),
    runningIds: () =>
      [...containers].flatMap(([id, container]) => (container.kind === 'running' ? [id] : [])),
    digest: () => containers,
  };
}
