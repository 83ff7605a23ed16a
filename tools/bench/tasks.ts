/**
 * Command tasks through a real master and a real agent in this process, over loopback: how many a second
 * with fifty at a time, and how long one takes from ACCEPT until its framework hears of TASK_RUNNING.
 */

import { userInfo } from 'node:os';
import { silentLogger } from '@dcos/base';
import { startAgent } from '@dcos/agent';
import { startMaster } from '@dcos/master';
import { connectScheduler, type SchedulerConnection } from '@dcos/sdk';
import { openMemoryStore } from '@dcos/store';
import { temporaryDirectory } from '@dcos/testkit';
import type { Offer, TaskInfo, TaskStatus } from '@dcos/wire';
import { row, type Row } from './row.ts';

/** Tasks that are under way at once, and tasks of one sample. */
const AT_A_TIME = 50;
const TASKS_PER_SAMPLE = 500;
const SAMPLES = 5;
const SINGLE_TASKS = 50;
const TASK_CPUS = 0.1;
const TASK_MEMORY = 32;
/** Offers are to come back at once. */
const NO_FILTER = { refuse_seconds: 0 };

export async function benchmarkTasks(): Promise<readonly Row[]> {
  const scratch = temporaryDirectory('bench-tasks');
  const master = await startMaster({ port: 0 }, { logger: silentLogger, store: openMemoryStore() });
  const agent = await startAgent(
    {
      masters: [master.url],
      port: 0,
      workDir: scratch.path,
      resources: 'cpus:64;mem:65536;disk:65536;ports:[31000-31999]',
    },
    { logger: silentLogger },
  );
  await agent.registered;
  const framework = new Framework(master.url);
  try {
    await framework.run(AT_A_TIME, AT_A_TIME);
    const perSecond: number[] = [];
    for (let sample = 0; sample < SAMPLES; sample++) {
      const startedMs = performance.now();
      await framework.run(TASKS_PER_SAMPLE, AT_A_TIME);
      perSecond.push(TASKS_PER_SAMPLE / ((performance.now() - startedMs) / 1000));
    }
    framework.latenciesMs.length = 0;
    await framework.run(SINGLE_TASKS, 1);
    return [
      row('command tasks (`true`) through one agent, 50 at a time', '/s', perSecond, '200 /s'),
      row('ACCEPT to TASK_RUNNING', 'ms', framework.latenciesMs, '30 ms'),
    ];
  } finally {
    await framework.close();
    await agent.shutdown({ killTasks: true });
    await master.close();
    scratch.remove();
  }
}

/** Launches tasks out of whatever is offered, never more than asked for at once. */
class Framework {
  /** From ACCEPT to TASK_RUNNING of each task. */
  readonly latenciesMs: number[] = [];
  readonly #connection: SchedulerConnection;
  readonly #acceptedMs = new Map<string, number>();
  #launched = 0;
  #toLaunch = 0;
  #atATime = 0;
  #finished = Promise.withResolvers<void>();
  #idleOffers: Offer[] = [];

  constructor(master: string) {
    this.#connection = connectScheduler({
      masters: [master],
      framework: {
        user: userInfo().username,
        name: 'bench',
        roles: ['*'],
        capabilities: [{ type: 'MULTI_ROLE' }, { type: 'PARTITION_AWARE' }],
      },
      logger: silentLogger,
      listener: (event) => {
        if (event.kind === 'offers') {
          this.#idleOffers.push(...event.offers);
          this.#launch();
        } else if (event.kind === 'rescind') {
          this.#idleOffers = this.#idleOffers.filter(({ id }) => id.value !== event.offerId.value);
        } else if (event.kind === 'update') this.#updated(event.status);
      },
    });
    // A failure of the connection ends whatever waits for tasks.
    this.#connection.done.catch((error: unknown) => this.#finished.reject(error));
  }

  /** Runs tasks to their end. */
  async run(tasks: number, atATime: number): Promise<void> {
    this.#finished = Promise.withResolvers();
    this.#toLaunch = tasks;
    this.#atATime = atATime;
    this.#launch();
    await this.#finished.promise;
  }

  async close(): Promise<void> {
    await this.#connection.close();
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
      .catch((error: unknown) => this.#finished.reject(error));
  }

  #task(offer: Offer): TaskInfo {
    const scalar = (name: string, value: number) =>
      ({ name, type: 'SCALAR', scalar: { value }, allocation_info: { role: '*' } }) as const;
    return {
      name: 'true',
      task_id: { value: `bench-${this.#launched++}` },
      agent_id: offer.agent_id,
      command: { value: 'true' },
      resources: [scalar('cpus', TASK_CPUS), scalar('mem', TASK_MEMORY)],
    };
  }

  #updated(status: TaskStatus): void {
    const id = status.task_id.value;
    const acceptedMs = this.#acceptedMs.get(id);
    if (acceptedMs === undefined) return;
    if (status.state === 'TASK_RUNNING') {
      this.latenciesMs.push(performance.now() - acceptedMs);
    } else if (status.state === 'TASK_FINISHED') {
      this.#acceptedMs.delete(id);
      if (this.#toLaunch === 0 && this.#acceptedMs.size === 0) this.#finished.resolve();
      else this.#launch();
    } else if (status.state !== 'TASK_STARTING') {
      this.#finished.reject(new Error(`${id}: ${status.state}: ${status.message}`));
    }
  }
}

/** Tasks that fit into offers. */
function capacity(offers: readonly Offer[]): number {
  const sum = (name: string): number =>
    offers
      .flatMap(({ resources }) => resources ?? [])
      .filter((resource) => resource.name === name)
      .reduce((total, { scalar }) => total + Math.round((scalar?.value ?? 0) * 1000), 0);
  return Math.floor(Math.min(sum('cpus') / (TASK_CPUS * 1000), sum('mem') / (TASK_MEMORY * 1000)));
}
