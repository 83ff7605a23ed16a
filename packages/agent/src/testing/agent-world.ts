/**
 * A world for property tests of the agent's core: containers, a disk that may be cut off at any effect, a master that
 * acknowledges when a step says so. It checks with every effect that updates arrive in order, one in flight per task,
 * again and again until acknowledged and never after; that states only move forward; that nothing leaves that is not
 * durable.
 */

import { expect } from 'vitest';
import { seededRandom, type ContainerId, type JsonObject } from '@dcos/base';
import type { FrameworkInfo, TaskStatus } from '@dcos/wire';
import { createAgent, type Agent } from '../core/agent.ts';
import type { AgentEffect, AgentEvent, FoundContainer } from '../core/events.ts';
import { mayFollow, type ExitStatus } from '../core/model.ts';
import { DEFAULT_TIMES } from '../core/options.ts';

/** Something that happens. */
export type Step =
  | { readonly kind: 'run' | 'crash' | 'cut' | 'open' | 'register' }
  | {
      readonly kind:
        | 'kill'
        | 'prepare'
        | 'start'
        | 'exit'
        | 'acknowledge'
        | 'fire'
        | 'check'
        | 'limit';
      readonly pick: number;
    }
  | { readonly kind: 'crashDuring'; readonly after: number };

export const FRAMEWORK: FrameworkInfo = {
  user: '',
  name: 'f',
  id: { value: 'f' },
  capabilities: [{ type: 'TASK_KILLING_STATE' }, { type: 'PARTITION_AWARE' }],
};

export type Run = { phase: 'launching' | 'prepared' | 'running' | 'ended'; status?: ExitStatus };

export class World {
  readonly durable = new Map<string, JsonObject>();
  readonly containers = new Map<ContainerId, Run>();
  readonly sent = new Map<string, TaskStatus[]>();
  readonly acknowledged = new Set<string>();
  readonly waiting: TaskStatus[] = [];
  readonly timers = new Set<string>();
  connected = false;
  registered = false;
  tasks = 0;
  now = 1_000;
  dieAfter: number | undefined;
  /** The update whose acknowledgement is on its way. */
  acknowledging: string | undefined;
  agent: Agent = this.#fresh(1);

  #fresh(seed: number): Agent {
    return createAgent({
      random: seededRandom(seed),
      options: {
        info: {
          hostname: 'h',
          resources: [{ name: 'cpus', type: 'SCALAR', scalar: { value: 1000 } }],
        },
        ip: '127.0.0.1',
        version: '1',
        runtimes: new Set(['process']),
        times: DEFAULT_TIMES,
        completedTasksMax: 3,
        tasksMax: 100,
      },
    });
  }

  boot(): void {
    this.timers.clear();
    this.connected = false;
    this.registered = false;
    // A launch dies with the agent; a container that was started does not.
    for (const [id, run] of this.containers) {
      if (run.phase === 'launching' || run.phase === 'prepared') this.containers.delete(id);
    }
    this.agent = this.#fresh(this.now);
    this.handle({ kind: 'start', records: new Map(this.durable) });
  }

  handle(event: AgentEvent): void {
    this.now += 1;
    const effects = this.agent.handle(event, this.now);
    for (const [index, effect] of effects.entries()) {
      if (this.dieAfter !== undefined && index >= this.dieAfter) {
        this.dieAfter = undefined;
        this.boot();
        return;
      }
      this.perform(effect);
    }
  }

  protected perform(effect: AgentEffect): void {
    switch (effect.kind) {
      case 'persist':
        if (effect.value === undefined) this.durable.delete(effect.key);
        // Through text, as a file would have it.
        else this.#keep(effect.key, JSON.parse(JSON.stringify(effect.value)) as JsonObject);
        return;
      case 'findContainers': {
        const containers = [...effect.tasks, ...effect.executors].map((task): FoundContainer => {
          const run = this.containers.get(task.containerId);
          const id = task.containerId;
          if (run?.phase === 'running') return { kind: 'running', id, pid: 7, ipAddresses: [] };
          if (run?.status !== undefined) return { kind: 'exited', id, status: run.status };
          return { kind: 'absent', id };
        });
        return this.handle({ kind: 'containersFound', containers });
      }
      case 'launch':
        this.containers.set(effect.task.containerId, { phase: 'launching' });
        return;
      case 'abortLaunch':
        this.containers.delete(effect.id);
        return;
      case 'signal': {
        const run = this.containers.get(effect.id);
        if (run?.phase !== 'running') return;
        this.containers.set(effect.id, {
          phase: 'ended',
          status: { kind: 'signaled', signal: 15 },
        });
        return;
      }
      case 'timer':
        this.timers.add(effect.id);
        return;
      case 'cancelTimer':
        this.timers.delete(effect.id);
        return;
      case 'disconnect':
        if (this.connected) this.cut();
        return;
      case 'send':
        if (effect.message.status_update !== undefined)
          this.#onUpdate(effect.message.status_update.status);
        return;
      default:
        return;
    }
  }

  #keep(key: string, record: JsonObject): void {
    const updates = (record['updates'] ?? []) as { readonly uuid: string }[];
    const uuids = updates.map(({ uuid }) => uuid);
    expect(new Set(uuids).size, 'an update is kept once').toBe(uuids.length);
    this.durable.set(key, record);
  }

  cut(): void {
    this.connected = false;
    this.registered = false;
    this.handle({ kind: 'disconnected', reason: 'cut' });
  }

  #onUpdate(status: TaskStatus): void {
    expect(this.registered, 'updates go to a master that registered us').toBe(true);
    const id = status.task_id.value;
    const key = uuidKey(status);
    expect(this.acknowledged.has(key), 'an acknowledged update is not sent again').toBe(false);
    expect(this.isDurable(key), 'what is sent is durable').toBe(true);
    const before = this.sent.get(id) ?? [];
    const last = before.at(-1);
    if (last === undefined || uuidKey(last) !== key) {
      expect(
        before.some((each) => uuidKey(each) === key),
        'no way back to an older update',
      ).toBe(false);
      if (last !== undefined) {
        expect(this.#isTaken(uuidKey(last)), 'one update in flight').toBe(true);
        expect(mayFollow(last.state, status.state), `${last.state} then ${status.state}`).toBe(
          true,
        );
      }
      this.sent.set(id, [...before, status]);
    }
    this.waiting.push(status);
  }

  /** Some record holds the update. */
  protected isDurable(key: string): boolean {
    return [...this.durable.values()].some((record) =>
      JSON.stringify(record['updates'] ?? '').includes(key),
    );
  }

  /** Acknowledged by the master, and durably forgotten by the agent. */
  #isTaken(key: string): boolean {
    return this.acknowledged.has(key) || (this.acknowledging === key && !this.isDurable(key));
  }

  acknowledge(status: TaskStatus): void {
    this.acknowledging = uuidKey(status);
    this.handle({
      kind: 'received',
      message: {
        type: 'ACKNOWLEDGE',
        acknowledge: {
          framework_id: { value: 'f' },
          task_id: status.task_id,
          uuid: status.uuid ?? new Uint8Array(16),
        },
      },
    });
    // Taken for good only when the agent forgot it durably; a crash may have come first.
    if (!this.isDurable(uuidKey(status))) this.acknowledged.add(uuidKey(status));
  }
}

export const uuidKey = (status: TaskStatus): string =>
  Buffer.from(status.uuid ?? []).toString('base64');

export function pickFrom<T>(items: readonly T[], pick: number): T | undefined {
  return items.length === 0 ? undefined : items[pick % items.length];
}

/** Lets it happen; a step that makes no sense now does nothing. */
export function apply(world: World, step: Step): void {
  const inPhase = (...phases: readonly Run['phase'][]): readonly ContainerId[] =>
    [...world.containers].filter(([, run]) => phases.includes(run.phase)).map(([id]) => id);
  switch (step.kind) {
    case 'run': {
      if (!world.registered) return;
      world.tasks += 1;
      const value = `t${world.tasks}`;
      return world.handle({
        kind: 'received',
        message: {
          type: 'RUN_TASK',
          run_task: {
            framework_info: FRAMEWORK,
            task: {
              name: value,
              task_id: { value },
              agent_id: { value: 'S0' },
              command: { value: 'true' },
              resources: [{ name: 'cpus', type: 'SCALAR', scalar: { value: 1 } }],
              health_check: { delay_seconds: 0, grace_period_seconds: 0, consecutive_failures: 2 },
            },
          },
        },
      });
    }
    case 'kill': {
      if (!world.registered) return;
      const message = {
        type: 'KILL_TASK',
        kill_task: {
          framework_id: { value: 'f' },
          task_id: { value: `t${(step.pick % Math.max(1, world.tasks)) + 1}` },
        },
      } as const;
      return world.handle({ kind: 'received', message });
    }
    case 'prepare': {
      const id = pickFrom(inPhase('launching'), step.pick);
      if (id === undefined) return;
      world.containers.set(id, { phase: 'prepared' });
      return world.handle({ kind: 'prepared', id });
    }
    case 'start': {
      const id = pickFrom(inPhase('prepared'), step.pick);
      if (id === undefined) return;
      world.containers.set(id, { phase: 'running' });
      return world.handle({ kind: 'started', id, pid: 7, ipAddresses: [] });
    }
    case 'exit': {
      const id = pickFrom(inPhase('running', 'ended'), step.pick);
      if (id === undefined) return;
      const status = world.containers.get(id)?.status ?? { kind: 'exited', code: step.pick % 2 };
      world.containers.set(id, { phase: 'ended', status });
      return world.handle({ kind: 'exited', id, status });
    }
    case 'check': {
      const id = pickFrom(inPhase('running'), step.pick);
      if (id === undefined) return;
      return world.handle({ kind: 'checked', id, healthy: step.pick % 3 === 0, message: 'm' });
    }
    case 'limit': {
      const id = pickFrom(inPhase('launching', 'prepared', 'running'), step.pick);
      if (id === undefined) return;
      const reason =
        step.pick % 2 === 0 ? 'REASON_CONTAINER_LIMITATION_DISK' : 'REASON_CONTAINER_PREEMPTED';
      return world.handle({ kind: 'limited', id, reason, message: 'm' });
    }
    case 'acknowledge': {
      const status = pickFrom(world.waiting, step.pick);
      if (status === undefined || !world.registered) return;
      world.waiting.splice(world.waiting.indexOf(status), 1);
      return world.acknowledge(status);
    }
    case 'fire': {
      const id = pickFrom([...world.timers], step.pick);
      if (id === undefined) return;
      world.timers.delete(id);
      return world.handle({ kind: 'timer', id });
    }
    case 'open':
      if (world.connected || world.agent.snapshot().phase === 'recovering') return;
      world.connected = true;
      return world.handle({ kind: 'connected' });
    case 'register': {
      if (!world.connected || world.registered) return;
      world.registered = true;
      const registered = {
        agent_id: { value: 'S0' },
        master_id: 'm',
        ping_interval_ms: 1,
        ping_timeout_ms: 1_000,
      };
      return world.handle({ kind: 'received', message: { type: 'REGISTERED', registered } });
    }
    case 'cut':
      return world.connected ? world.cut() : undefined;
    case 'crash':
      return world.boot();
    case 'crashDuring':
      world.dieAfter = step.after;
      return;
    default:
      return step satisfies never;
  }
}

/** No more faults: everything that was begun comes to its end. */
export function settle(world: World, also: (round: number) => void = () => undefined): void {
  world.dieAfter = undefined;
  for (let round = 0; round < 400; round++) {
    apply(world, { kind: 'open' });
    apply(world, { kind: 'register' });
    for (const kind of ['prepare', 'start'] as const) apply(world, { kind, pick: round });
    also(round);
    for (const kind of ['exit', 'acknowledge'] as const) apply(world, { kind, pick: round });
    if (world.agent.snapshot().live.length === 0) return;
    if (round % 20 === 19) world.cut();
  }
}
