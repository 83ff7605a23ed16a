/**
 * A scheduler that dies between any two of its effects, beside a master and a store that do not.
 *
 * The master runs what it is told to, keeps a status until it is acknowledged, and answers reconciliations.
 * Every effect is checked when it arrives: the methods throw when something that was promised does not hold.
 */

import { assert, seededRandom, type Instant, type JsonValue } from '@dcos/base';
import type { Offer, TaskInfo, TaskState } from '@dcos/wire';
import type { Effect } from '../effects.ts';
import { isTerminal, type Instance } from '../instance.ts';
import { stepMarathon, type MarathonEvent } from '../machine.ts';
import { readRecord } from '../records.ts';
import { restoreMarathon } from '../restore.ts';
import { DEFAULT_SETTINGS } from '../settings.ts';
import type { MarathonState } from '../state.ts';
import { parseTaskId } from '../task-id.ts';

export const APP_ID = '/web';
const ORIGIN = { clientIp: '127.0.0.1', uri: '/test' };
const CPUS = 64;

interface FakeTask {
  readonly info: TaskInfo;
  readonly instanceId: string;
  state: TaskState;
  /** Statuses that the scheduler has not acknowledged, oldest first; the task is forgotten after the last. */
  readonly unacknowledged: { readonly state: TaskState; readonly uuid: Uint8Array }[];
  /** The scheduler was told that it runs. */
  isSeenRunning: boolean;
  isKilled: boolean;
  isDoomed: boolean;
}

const ENDED: ReadonlySet<TaskState> = new Set(['TASK_FAILED', 'TASK_KILLED']);

export class CrashWorld {
  now: Instant = 1_767_225_600_000;
  readonly tasks = new Map<string, FakeTask>();
  readonly store = new Map<string, JsonValue>();
  state: MarathonState;
  /** Effects that are still performed before the scheduler dies; undefined while it is well. */
  effectsLeft: number | undefined;
  crashes = 0;
  /** The least that the clients were promised: the version of the app in the last answer. */
  promisedVersion = '';
  #generation = 0;
  #requests = 0;
  #offers = 0;
  #uuids = 0;

  constructor() {
    this.state = this.#restored();
    this.send({ kind: 'subscribed', frameworkId: 'F', master: 'm' });
  }

  #restored(): MarathonState {
    this.#generation += 1;
    return restoreMarathon({
      settings: { ...DEFAULT_SETTINGS, drainMs: 100 },
      random: seededRandom(this.#generation),
      now: this.now,
      records: [...this.store].flatMap(
        ([key, value]) => readRecord(key, structuredClone(value)) ?? [],
      ),
    });
  }

  /** Hands events in; when the scheduler dies meanwhile another one takes over at once. */
  send(...events: readonly MarathonEvent[]): void {
    for (const effect of stepMarathon(this.state, events, this.now)) {
      if (this.effectsLeft === 0) {
        this.#restart();
        return;
      }
      if (this.effectsLeft !== undefined) this.effectsLeft -= 1;
      this.#perform(effect);
    }
  }

  #restart(): void {
    this.effectsLeft = undefined;
    this.crashes += 1;
    this.now += 1;
    this.state = this.#restored();
    for (const task of this.tasks.values()) task.isSeenRunning = false;
    this.send({ kind: 'subscribed', frameworkId: 'F', master: 'm' });
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case 'persist':
        for (const { key, value } of effect.writes) {
          if (value === undefined) this.store.delete(key);
          else this.store.set(key, structuredClone(value));
          const record = value === undefined ? undefined : readRecord(key, value);
          if (record?.kind === 'instance') this.#doom(record.instance);
        }
        return;
      case 'accept':
        for (const task of effect.tasks) this.#launch(task);
        return;
      case 'kill':
        this.#kill(effect.taskId);
        return;
      case 'acknowledge':
        this.#acknowledge(effect.status.task_id.value, effect.status.uuid ?? new Uint8Array());
        return;
      case 'reply':
        this.#replied(effect.reply.statusCode);
        return;
      default:
    }
  }

  #storedInstance(id: string): Instance | undefined {
    for (const [key, value] of this.store) {
      const record = readRecord(key, value);
      if (record?.kind === 'instance' && record.instance.id === id) return record.instance;
    }
    return undefined;
  }

  #launch(info: TaskInfo): void {
    const taskId = info.task_id.value;
    const instanceId = parseTaskId(taskId)?.instanceId ?? '';
    assert(this.#storedInstance(instanceId)?.task?.id === taskId, 'a launch is stored before');
    for (const task of this.tasks.values()) {
      const isLive = task.instanceId === instanceId && !ENDED.has(task.state);
      assert(!isLive, `${instanceId} is not started beside its former task`);
    }
    this.tasks.set(taskId, {
      info,
      instanceId,
      state: 'TASK_STAGING',
      unacknowledged: [],
      isSeenRunning: false,
      isKilled: false,
      isDoomed: false,
    });
  }

  /** What counts is the decision, which is stored; the kill follows later, maybe by another scheduler. */
  #doom(instance: Instance): void {
    const task = this.tasks.get(instance.task?.id ?? '');
    if (task === undefined || task.isDoomed || instance.goal !== 'Decommissioned') return;
    task.isDoomed = true;
    const { upgradeStrategy, instances } = this.wanted();
    const healthyMin = Math.ceil(instances * upgradeStrategy.minimumHealthCapacity);
    const left = [...this.tasks.values()].filter((one) => one.isSeenRunning && !one.isDoomed);
    assert(
      !task.isSeenRunning || left.length >= healthyMin,
      `${left.length} healthy tasks of at least ${healthyMin} are left`,
    );
  }

  #kill(taskId: string): void {
    const task = this.tasks.get(taskId);
    if (task === undefined) return;
    const isStored = this.#storedInstance(task.instanceId)?.goal !== 'Running';
    assert(isStored || ENDED.has(task.state), 'the end of an instance is stored before its kill');
    task.isKilled = true;
  }

  #acknowledge(taskId: string, uuid: Uint8Array): void {
    const task = this.tasks.get(taskId);
    const head = task?.unacknowledged[0];
    if (task === undefined || head === undefined) return;
    if (!head.uuid.every((byte, index) => byte === uuid[index])) return;
    const stored = this.#storedInstance(task.instanceId);
    // The end of a task may have been learned by reconciliation, before that it ran.
    const isStored =
      stored?.task?.id !== taskId ||
      isTerminal(stored.condition) ||
      (!ENDED.has(head.state) && stored.task.startedAt !== undefined);
    assert(isStored, `${head.state} is acknowledged after its consequence is stored`);
    task.unacknowledged.shift();
    if (ENDED.has(task.state) && task.unacknowledged.length === 0) this.tasks.delete(taskId);
  }

  #replied(statusCode: number): void {
    if (statusCode >= 300) return;
    this.promisedVersion = this.wanted().version;
    const key = [...this.store.keys()].find(
      (candidate) => candidate.includes('/app/') && candidate.endsWith(this.promisedVersion),
    );
    assert(key !== undefined, 'a change is stored before its answer');
  }

  wanted(): NonNullable<ReturnType<MarathonState['history']['app']>> {
    const app = this.state.history.app(APP_ID);
    assert(app !== undefined, 'the app is there');
    return app;
  }

  create(app: object): void {
    const body = JSON.stringify({ id: APP_ID, ...app });
    const command = { kind: 'createApp', body, force: false, origin: ORIGIN } as const;
    this.send({ kind: 'command', requestId: ++this.#requests, command });
  }

  update(fields: object): void {
    const command = {
      kind: 'updateApp',
      appId: APP_ID,
      body: JSON.stringify(fields),
      force: true,
      partial: true,
      mayCreate: false,
      origin: ORIGIN,
    } as const;
    this.send({ kind: 'command', requestId: ++this.#requests, command });
  }

  /** Offers everything that is free. */
  offer(): void {
    const used = [...this.tasks.values()].filter(({ state }) => !ENDED.has(state)).length;
    const scalar = (name: string, value: number) =>
      ({ name, type: 'SCALAR', scalar: { value } }) as const;
    const offer: Offer = {
      id: { value: `O-${++this.#offers}` },
      framework_id: { value: 'F' },
      agent_id: { value: 'S0' },
      hostname: 'a',
      resources: [scalar('cpus', CPUS - used), scalar('mem', 65_536)],
      allocation_info: { role: '*' },
    };
    this.send({ kind: 'offers', offers: [offer] });
  }

  /** A task changes its state at its agent; the scheduler hears of it later. */
  move(choice: number, from: TaskState, to: TaskState): void {
    const candidates = [...this.tasks.values()].filter((task) => task.state === from);
    const task = candidates[choice % Math.max(1, candidates.length)];
    if (task !== undefined) this.#report(task, to);
  }

  /** Tasks that were told to end do. */
  endKilled(): void {
    for (const task of this.tasks.values()) {
      if (task.isKilled && !ENDED.has(task.state)) this.#report(task, 'TASK_KILLED');
    }
  }

  #report(task: FakeTask, state: TaskState): void {
    task.state = state;
    task.unacknowledged.push({ state, uuid: new Uint8Array(16).fill(++this.#uuids % 251) });
  }

  /** Sends the oldest unacknowledged status of one task, maybe not for the first time. */
  deliver(choice: number): void {
    const candidates = [...this.tasks.values()].filter((task) => task.unacknowledged.length > 0);
    const task = candidates[choice % Math.max(1, candidates.length)];
    const head = task?.unacknowledged[0];
    if (task === undefined || head === undefined) return;
    this.#told(task, head.state);
    const { task_id, agent_id } = task.info;
    const status = { task_id, agent_id, state: head.state, uuid: head.uuid };
    this.send({ kind: 'statusUpdate', status });
  }

  #told(task: FakeTask, state: TaskState): void {
    task.isSeenRunning = state === 'TASK_RUNNING';
  }

  /** The master answers what the scheduler asked: of tasks that it does not have it says that they are gone. */
  reconcile(): void {
    for (const id of Array.from(this.state.reconciliation.pending)) {
      const known = this.state.instances.get(id)?.task;
      if (known === undefined) continue;
      const task = this.tasks.get(known.id);
      // As a master does: the latest state, whatever was acknowledged of it.
      const state = task?.state ?? 'TASK_GONE';
      if (task !== undefined) this.#told(task, state);
      const status = { task_id: { value: known.id }, state, agent_id: { value: 'S0' } };
      this.send({
        kind: 'statusUpdate',
        status: { ...status, reason: 'REASON_RECONCILIATION' },
      });
    }
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
    this.now = Math.max(this.now, end);
  }

  /** Nothing fails any more: everything that is under way comes to its end. */
  settle(): void {
    this.effectsLeft = undefined;
    for (let round = 0; round < 60; round++) {
      this.reconcile();
      this.offer();
      this.move(0, 'TASK_STAGING', 'TASK_RUNNING');
      while ([...this.tasks.values()].some(({ state }) => state === 'TASK_STAGING'))
        this.move(0, 'TASK_STAGING', 'TASK_RUNNING');
      this.endKilled();
      while ([...this.tasks.values()].some(({ unacknowledged }) => unacknowledged.length > 0))
        this.deliver(0);
      this.advance(2000);
    }
  }
}
