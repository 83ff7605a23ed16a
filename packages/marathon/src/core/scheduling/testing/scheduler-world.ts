/**
 * A small world around the scheduling core for its tests: a clock that is moved by hand, a store, a master
 * that offers agents and runs tasks on command. Nothing happens unless the test says so.
 */

import { seededRandom, type Instant, type JsonValue } from '@dcos/base';
import type { Attribute, Offer, Resource, TaskInfo, TaskState, TaskStatus } from '@dcos/wire';
import { stepMarathon, type MarathonEvent } from '../machine.ts';
import { readRecord, type StoredRecord } from '../records.ts';
import { restoreMarathon } from '../restore.ts';
import { DEFAULT_SETTINGS, type SchedulingSettings } from '../settings.ts';
import type { Command } from '../command.ts';
import type { Effect, Probe, Reply } from '../effects.ts';
import type { BusEvent } from '../bus-events.ts';
import type { Instance } from '../instance.ts';
import type { MarathonState } from '../state.ts';

export interface TestAgent {
  readonly id: string;
  readonly hostname: string;
  readonly cpus?: number;
  readonly mem?: number;
  readonly role?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly ports?: readonly [number, number];
}

const ORIGIN = { clientIp: '127.0.0.1', uri: '/test' };

export class SchedulerWorld {
  now: Instant = 1_767_225_600_000;
  state: MarathonState;
  readonly effects: Effect[] = [];
  readonly events: BusEvent[] = [];
  readonly store = new Map<string, JsonValue>();
  /** Tasks that were launched and have not ended, by task id. */
  readonly tasks = new Map<string, TaskInfo>();
  readonly probes: Probe[] = [];
  readonly killed: string[] = [];
  #requests = 0;
  #offers = 0;
  #uuids = 0;
  readonly #settings: SchedulingSettings;
  readonly #seed: number;

  constructor(settings: Partial<SchedulingSettings> = {}, seed = 1) {
    this.#settings = { ...DEFAULT_SETTINGS, settleMs: 0, ...settings };
    this.#seed = seed;
    this.state = this.#restore([]);
  }

  #restore(records: readonly StoredRecord[]): MarathonState {
    return restoreMarathon({
      settings: this.#settings,
      random: seededRandom(this.#seed),
      now: this.now,
      records,
    });
  }

  /** The scheduler dies and another takes its place, with what was stored. */
  restart(): void {
    const records = [...this.store].flatMap(
      ([key, value]) => readRecord(key, structuredClone(value)) ?? [],
    );
    this.state = this.#restore(records);
  }

  send(...events: readonly MarathonEvent[]): readonly Effect[] {
    const effects = stepMarathon(this.state, events, this.now);
    for (const effect of effects) {
      this.effects.push(effect);
      this.#perform(effect);
    }
    return effects;
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case 'persist':
        for (const { key, value } of effect.writes) {
          if (value === undefined) this.store.delete(key);
          else this.store.set(key, structuredClone(value));
        }
        return;
      case 'publish':
        this.events.push(effect.event);
        return;
      case 'accept':
        for (const task of effect.tasks) this.tasks.set(task.task_id.value, task);
        return;
      case 'kill':
        this.killed.push(effect.taskId);
        return;
      case 'probe':
        this.probes.push(effect.probe);
        return;
      default:
    }
  }

  subscribe(): readonly Effect[] {
    const effects = this.send({ kind: 'subscribed', frameworkId: 'F', master: '127.0.0.1:5050' });
    // A master that knows all tasks answers at once.
    this.reconcileAll();
    return effects;
  }

  /** The master confirms every task that it runs. */
  reconcileAll(): void {
    for (const id of Array.from(this.state.reconciliation.pending)) {
      const task = this.state.instances.get(id)?.task;
      if (task === undefined) continue;
      const state = this.tasks.has(task.id) ? (task.state ?? 'TASK_STAGING') : 'TASK_GONE';
      this.status(task.id, state, { reason: 'REASON_RECONCILIATION' }, false);
    }
  }

  command(command: Command): Reply {
    const requestId = ++this.#requests;
    const effects = this.send({ kind: 'command', requestId, command });
    const reply = effects.find(
      (effect) => effect.kind === 'reply' && effect.requestId === requestId,
    );
    if (reply?.kind !== 'reply') throw new Error('no reply');
    return reply.reply;
  }

  create(app: unknown, force = false): Reply {
    return this.command({ kind: 'createApp', body: JSON.stringify(app), force, origin: ORIGIN });
  }

  update(appId: string, app: unknown, force = false): Reply {
    return this.command({
      kind: 'updateApp',
      appId,
      body: JSON.stringify(app),
      force,
      partial: true,
      mayCreate: true,
      origin: ORIGIN,
    });
  }

  remove(appId: string): Reply {
    return this.command({ kind: 'deleteApp', appId, force: true, origin: ORIGIN });
  }

  restartApp(appId: string): Reply {
    return this.command({ kind: 'restartApp', appId, force: false, origin: ORIGIN });
  }

  cancel(deploymentId: string, force = false): Reply {
    return this.command({ kind: 'cancelDeployment', deploymentId, force, origin: ORIGIN });
  }

  /** Offers everything on these agents that the world's tasks do not use. */
  offer(...agents: readonly TestAgent[]): readonly Effect[] {
    return this.send({ kind: 'offers', offers: agents.map((agent) => this.makeOffer(agent)) });
  }

  makeOffer(agent: TestAgent): Offer {
    const used = [...this.tasks.values()].filter(({ agent_id }) => agent_id.value === agent.id);
    const sum = (name: string): number =>
      used
        .flatMap(({ resources }) => resources ?? [])
        .filter((resource) => resource.name === name)
        .reduce((total, resource) => total + (resource.scalar?.value ?? 0), 0);
    const role = agent.role ?? '*';
    const reservations = role === '*' ? {} : { reservations: [{ type: 'STATIC' as const, role }] };
    const allocation = { allocation_info: { role: this.#settings.mesosRole } };
    const scalar = (name: string, value: number): Resource => ({
      name,
      type: 'SCALAR',
      scalar: { value },
      ...allocation,
      ...reservations,
    });
    const [begin, end] = agent.ports ?? [31_000, 31_999];
    return {
      id: { value: `O-${++this.#offers}` },
      framework_id: { value: 'F' },
      agent_id: { value: agent.id },
      hostname: agent.hostname,
      resources: [
        scalar('cpus', (agent.cpus ?? 8) - sum('cpus')),
        scalar('mem', (agent.mem ?? 8192) - sum('mem')),
        scalar('disk', 10_000),
        {
          name: 'ports',
          type: 'RANGES',
          ranges: { range: [{ begin, end }] },
          ...allocation,
          ...reservations,
        },
      ],
      attributes: Object.entries(agent.attributes ?? {}).map(([name, value]): Attribute => ({
        name,
        type: 'TEXT',
        text: { value },
      })),
      ...allocation,
    };
  }

  /** The agent reports a state of a task. */
  status(
    taskId: string,
    state: TaskState,
    fields: Partial<TaskStatus> = {},
    acknowledgeable = true,
  ): readonly Effect[] {
    const agentId = this.tasks.get(taskId)?.agent_id;
    if (/FAILED|KILLED|FINISHED|ERROR|GONE|DROPPED|LOST/.test(state)) this.tasks.delete(taskId);
    const status: TaskStatus = {
      task_id: { value: taskId },
      state,
      ...(agentId === undefined ? {} : { agent_id: agentId }),
      ...(acknowledgeable ? { uuid: new Uint8Array(16).fill(++this.#uuids) } : {}),
      ...fields,
    };
    return this.send({ kind: 'statusUpdate', status });
  }

  /** Every launched task that is not up yet comes up. */
  runAll(): void {
    for (const instance of this.instances()) {
      if (
        instance.task !== undefined &&
        ['Provisioned', 'Staging', 'Starting'].includes(instance.condition)
      ) {
        this.status(instance.task.id, 'TASK_RUNNING');
      }
    }
  }

  /** Every task that was told to end ends. */
  endKilled(): void {
    for (const taskId of this.killed.splice(0))
      if (this.tasks.has(taskId)) this.status(taskId, 'TASK_KILLED');
  }

  /** Time passes; timers fire at their instants. */
  advance(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const next = this.state.timers.next();
      if (next === undefined || next > end) break;
      this.now = Math.max(this.now, next);
      this.send({ kind: 'tick' });
    }
    this.now = end;
  }

  /** Answers all open health probes with the same outcome. */
  answerProbes(answer: (probe: Probe) => boolean = () => true): void {
    for (const probe of this.probes.splice(0)) {
      this.send({
        kind: 'probeAnswered',
        probe,
        answer: answer(probe)
          ? { kind: 'status', status: 200 }
          : { kind: 'failed', cause: 'refused' },
      });
    }
  }

  instances(appId?: string): Instance[] {
    return appId === undefined ? [...this.state.instances.all()] : this.state.instances.of(appId);
  }

  conditions(appId: string): string[] {
    return this.instances(appId)
      .map(({ condition }) => condition)
      .sort();
  }

  eventTypes(): string[] {
    return this.events.map(({ eventType }) => eventType);
  }
}
