/**
 * A master in memory behind the SDK's connection: it offers agents, runs what is launched at once, ends what
 * is killed, and keeps its tasks when the scheduler goes away and comes back.
 */

import { frameworkId, type FrameworkId } from '@dcos/base';
import type { SchedulerConnection, SchedulerEvent, SchedulerOptions } from '@dcos/sdk';
import type {
  Filters,
  Offer,
  Offer_Operation,
  Resource,
  TaskInfo,
  TaskState,
  TaskStatus,
} from '@dcos/wire';

export interface FakeAgent {
  readonly id: string;
  readonly hostname: string;
  readonly cpus: number;
  readonly mem: number;
  readonly ports: readonly [number, number];
}

interface FakeTask {
  readonly info: TaskInfo;
  state: TaskState;
}

export class FakeMaster {
  readonly agents: readonly FakeAgent[];
  readonly tasks = new Map<string, FakeTask>();
  /** Call types in the order in which they came. */
  readonly calls: string[] = [];
  /** Launched tasks come up by themselves; else the test says when. */
  runsTasks = true;
  readonly frameworks: string[] = [];
  #listener: ((event: SchedulerEvent) => void) | undefined;
  #framework = 'framework-1';
  #role = '*';
  #suppressed = false;
  #offers = 0;
  #uuids = 0;

  constructor(agents: readonly FakeAgent[]) {
    this.agents = agents;
  }

  readonly connect = (options: SchedulerOptions): SchedulerConnection => {
    const { listener } = options;
    this.#listener = (event) => void listener?.(event);
    this.#framework = options.framework.id?.value ?? `framework-${this.frameworks.length + 1}`;
    this.#role = options.framework.roles?.[0] ?? '*';
    this.#suppressed = false;
    this.frameworks.push(this.#framework);
    queueMicrotask(() => {
      this.#emit({
        kind: 'subscribed',
        frameworkId: frameworkId(this.#framework),
        master: undefined,
        masterUrl: 'http://127.0.0.1:5050',
        heartbeatIntervalMs: 15_000,
      });
      this.#offer();
    });
    return this.#connection();
  };

  /** The agent reports a state of a task. */
  report(taskId: string, state: TaskState, fields: Partial<TaskStatus> = {}): void {
    const task = this.tasks.get(taskId);
    if (task === undefined) return;
    task.state = state;
    if (['TASK_FAILED', 'TASK_KILLED', 'TASK_FINISHED', 'TASK_GONE'].includes(state))
      this.tasks.delete(taskId);
    const uuid = new Uint8Array(16);
    new DataView(uuid.buffer).setUint32(0, ++this.#uuids);
    const status: TaskStatus = {
      task_id: task.info.task_id,
      state,
      agent_id: task.info.agent_id,
      uuid,
      ...fields,
    };
    this.#emit({ kind: 'update', status });
  }

  removeFramework(): void {
    this.tasks.clear();
    this.#emit({ kind: 'stopped', reason: 'removed', problem: 'Framework has been removed' });
  }

  #emit(event: SchedulerEvent): void {
    this.#listener?.(event);
  }

  #connection(): SchedulerConnection {
    const id = this.#framework as FrameworkId;
    const note = (call: string): void => void this.calls.push(call);
    return {
      frameworkId: id,
      phase: 'open',
      done: new Promise(() => undefined),
      call: async () => undefined,
      accept: async (_offers, operations: readonly Offer_Operation[], _filters?: Filters) => {
        note('ACCEPT');
        for (const task of operations.flatMap(({ launch }) => launch?.task_infos ?? [])) {
          this.tasks.set(task.task_id.value, { info: task, state: 'TASK_STAGING' });
          if (this.runsTasks) queueMicrotask(() => this.report(task.task_id.value, 'TASK_RUNNING'));
        }
      },
      decline: async () => note('DECLINE'),
      acknowledge: async () => note('ACKNOWLEDGE'),
      acknowledgeOperation: async () => note('ACKNOWLEDGE_OPERATION_STATUS'),
      kill: async (task) => {
        note('KILL');
        queueMicrotask(() => this.report(task.value, 'TASK_KILLED'));
      },
      reconcile: async (tasks) => {
        note('RECONCILE');
        for (const { task_id, agent_id } of tasks) {
          const state = this.tasks.get(task_id.value)?.state ?? 'TASK_GONE';
          const status = { task_id, state, reason: 'REASON_RECONCILIATION' as const };
          this.#emit({
            kind: 'update',
            status: agent_id === undefined ? status : { ...status, agent_id },
          });
        }
      },
      revive: async () => {
        note('REVIVE');
        this.#suppressed = false;
        queueMicrotask(() => this.#offer());
      },
      suppress: async () => {
        note('SUPPRESS');
        this.#suppressed = true;
      },
      updateFramework: async () => note('UPDATE_FRAMEWORK'),
      teardown: async () => note('TEARDOWN'),
      close: async () => void (this.#listener = undefined),
      async *[Symbol.asyncIterator]() {
        yield* [];
      },
    };
  }

  #offer(): void {
    if (this.#suppressed) return;
    this.#emit({ kind: 'offers', offers: this.agents.map((agent) => this.#makeOffer(agent)) });
  }

  #makeOffer(agent: FakeAgent): Offer {
    const used = [...this.tasks.values()].filter(({ info }) => info.agent_id.value === agent.id);
    const sum = (name: string): number =>
      used
        .flatMap(({ info }) => info.resources ?? [])
        .filter((resource) => resource.name === name)
        .reduce((total, resource) => total + (resource.scalar?.value ?? 0), 0);
    const scalar = (name: string, value: number): Resource => ({
      name,
      type: 'SCALAR',
      scalar: { value },
    });
    return {
      id: { value: `offer-${++this.#offers}` },
      framework_id: { value: this.#framework },
      agent_id: { value: agent.id },
      hostname: agent.hostname,
      resources: [
        scalar('cpus', agent.cpus - sum('cpus')),
        scalar('mem', agent.mem - sum('mem')),
        {
          name: 'ports',
          type: 'RANGES',
          ranges: { range: [{ begin: agent.ports[0], end: agent.ports[1] }] },
        },
      ],
      allocation_info: { role: this.#role },
    };
  }
}
