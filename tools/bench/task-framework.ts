/**
 * A framework that launches tasks of one kind out of whatever it is offered, never more than asked for at once,
 * and notes how long each took from ACCEPT until it was told TASK_RUNNING.
 */

import { userInfo } from 'node:os';
import { silentLogger } from '@dcos/base';
import { connectScheduler, type SchedulerConnection, type SchedulerEvent } from '@dcos/sdk';
import type { ContainerInfo, Offer, TaskInfo, TaskState, TaskStatus } from '@dcos/wire';

/** What every task holds. */
export const TASK_CPUS = 0.1;
export const TASK_MEMORY_MEGABYTES = 32;
/** Offers are to come back at once. */
const NO_FILTER = { refuse_seconds: 0 };

export interface TaskKind {
  readonly command: string;
  readonly container?: ContainerInfo;
  /** What a task has reached when the next one may follow; one that reaches `TASK_RUNNING` goes on. */
  readonly goal: 'TASK_RUNNING' | 'TASK_FINISHED';
}

export class TaskFramework {
  /** From ACCEPT to TASK_RUNNING of each task. */
  readonly latenciesMs: number[] = [];
  readonly #connection: SchedulerConnection;
  readonly #kind: TaskKind;
  /** When those that have not reached their goal were accepted. */
  readonly #acceptedMs = new Map<string, number>();
  /** Those that reached it and go on. */
  readonly #running = new Set<string>();
  #launched = 0;
  #toLaunch = 0;
  #atATime = 0;
  #reached = waiting();
  #ended = waiting();
  #isEnding = false;
  #idleOffers: Offer[] = [];

  constructor(master: string, kind: TaskKind) {
    this.#kind = kind;
    this.#connection = connectScheduler({
      masters: [master],
      framework: {
        user: userInfo().username,
        name: 'bench',
        roles: ['*'],
        // Without it a master gives the tasks of an agent that is gone for a moment up for lost.
        checkpoint: true,
        capabilities: [{ type: 'MULTI_ROLE' }, { type: 'PARTITION_AWARE' }],
      },
      logger: silentLogger,
      listener: (event) => this.#heard(event),
    });
    // A failure of the connection ends whatever waits for tasks.
    this.#connection.done.catch((error: unknown) => this.#fail(error));
  }

  /** Tasks that reached TASK_RUNNING and have not ended. */
  get running(): number {
    return this.#running.size;
  }

  /** Launches tasks; resolves when all have reached their goal. */
  async run(tasks: number, atATime: number): Promise<void> {
    this.#reached = waiting();
    this.#toLaunch = tasks;
    this.#atATime = atATime;
    this.#launch();
    await this.#reached.promise;
  }

  /** Kills all that run; resolves when each was told to have ended. */
  async endAll(): Promise<void> {
    if (this.#running.size === 0) return;
    this.#ended = waiting();
    this.#isEnding = true;
    const policy = { grace_period: { nanoseconds: 0 } };
    const kills = [...this.#running].map(
      async (value) => await this.#connection.kill({ value }, { policy }),
    );
    await Promise.all(kills);
    await this.#ended.promise;
    this.#isEnding = false;
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  #fail(error: unknown): void {
    this.#reached.reject(error);
    this.#ended.reject(error);
  }

  #heard(event: SchedulerEvent): void {
    if (event.kind === 'offers') {
      this.#idleOffers.push(...event.offers);
      this.#launch();
    } else if (event.kind === 'rescind') {
      this.#idleOffers = this.#idleOffers.filter(({ id }) => id.value !== event.offerId.value);
    } else if (event.kind === 'update') this.#updated(event.status);
  }

  #launch(): void {
    const count = Math.min(
      this.#toLaunch,
      this.#atATime - this.#acceptedMs.size,
      capacity(this.#idleOffers),
    );
    const [first] = this.#idleOffers;
    if (count <= 0 || first === undefined) return;
    const offers = this.#idleOffers.map(({ id }) => id);
    this.#idleOffers = [];
    this.#toLaunch -= count;
    const tasks = Array.from({ length: count }, () => this.#task(first));
    const nowMs = performance.now();
    for (const { task_id } of tasks) this.#acceptedMs.set(task_id.value, nowMs);
    this.#connection
      .accept(offers, [{ type: 'LAUNCH', launch: { task_infos: tasks } }], NO_FILTER)
      .catch((error: unknown) => this.#fail(error));
  }

  #task(offer: Offer): TaskInfo {
    const scalar = (name: string, value: number) =>
      ({ name, type: 'SCALAR', scalar: { value }, allocation_info: { role: '*' } }) as const;
    const { command, container } = this.#kind;
    return {
      name: 'bench',
      task_id: { value: `bench-${this.#launched++}` },
      agent_id: offer.agent_id,
      command: { value: command },
      ...(container !== undefined && { container }),
      resources: [scalar('cpus', TASK_CPUS), scalar('mem', TASK_MEMORY_MEGABYTES)],
    };
  }

  #updated(status: TaskStatus): void {
    const id = status.task_id.value;
    const { state } = status;
    const acceptedMs = this.#acceptedMs.get(id);
    if (acceptedMs === undefined) this.#updatedLater(id, status);
    else if (state === 'TASK_RUNNING') {
      this.latenciesMs.push(performance.now() - acceptedMs);
      if (this.#kind.goal === 'TASK_RUNNING') {
        this.#running.add(id);
        this.#atGoal(id);
      }
    } else if (state === 'TASK_FINISHED' && this.#kind.goal === state) this.#atGoal(id);
    else if (state !== 'TASK_STARTING') this.#fail(new Error(told(id, status)));
  }

  /** Of a task that has reached its goal. */
  #updatedLater(id: string, status: TaskStatus): void {
    if (!this.#running.has(id) || !isTerminal(status.state)) return;
    this.#running.delete(id);
    if (!this.#isEnding) this.#fail(new Error(told(id, status)));
    else if (this.#running.size === 0) this.#ended.resolve();
  }

  #atGoal(id: string): void {
    this.#acceptedMs.delete(id);
    if (this.#toLaunch === 0 && this.#acceptedMs.size === 0) this.#reached.resolve();
    else this.#launch();
  }
}

/** Something that may fail while nobody waits for it. */
function waiting(): PromiseWithResolvers<void> {
  const resolvers = Promise.withResolvers<void>();
  resolvers.promise.catch(() => undefined);
  return resolvers;
}

function told(id: string, { state, message }: TaskStatus): string {
  return `${id}: ${state}: ${message}`;
}

function isTerminal(state: TaskState): boolean {
  return !['TASK_STAGING', 'TASK_STARTING', 'TASK_RUNNING', 'TASK_KILLING'].includes(state);
}

/** Tasks that fit into offers. */
function capacity(offers: readonly Offer[]): number {
  const sum = (name: string): number =>
    offers
      .flatMap(({ resources }) => resources ?? [])
      .filter((resource) => resource.name === name)
      .reduce((total, { scalar }) => total + Math.round((scalar?.value ?? 0) * 1000), 0);
  return Math.floor(
    Math.min(sum('cpus') / (TASK_CPUS * 1000), sum('mem') / (TASK_MEMORY_MEGABYTES * 1000)),
  );
}
