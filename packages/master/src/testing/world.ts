/**
 * A master's core with hands on its events: time moves by hand, effects are collected, agents and
 * frameworks are played by short calls. For tests of the core.
 */

import { createAllocator, type Allocator } from '@dcos/allocator';
import { assert, masterId, present, seededRandom, type JsonValue } from '@dcos/base';
import type {
  agentProtocol,
  FrameworkInfo,
  masterApi,
  Resource,
  scheduler,
  Task,
  TaskInfo,
  TaskState,
} from '@dcos/wire';
import {
  createMaster,
  defaultMasterOptions,
  type Effect,
  type Master,
  type MasterEvent,
  type MasterOptions,
} from '../core/index.ts';

const MASTER_ID = 'm';

/** Plain resources of an agent or a task. */
export function resources(amounts: {
  readonly cpus?: number;
  readonly mem?: number;
  readonly disk?: number;
  readonly ports?: readonly [number, number];
}): readonly Resource[] {
  const { cpus, mem, disk, ports } = amounts;
  return [
    ...(cpus === undefined
      ? []
      : [{ name: 'cpus', type: 'SCALAR', scalar: { value: cpus } } as const]),
    ...(mem === undefined
      ? []
      : [{ name: 'mem', type: 'SCALAR', scalar: { value: mem } } as const]),
    ...(disk === undefined
      ? []
      : [{ name: 'disk', type: 'SCALAR', scalar: { value: disk } } as const]),
    ...(ports === undefined
      ? []
      : [
          {
            name: 'ports',
            type: 'RANGES',
            ranges: { range: [{ begin: ports[0], end: ports[1] }] },
          } as const,
        ]),
  ];
}

const CAPABILITIES = [
  { type: 'MULTI_ROLE' },
  { type: 'PARTITION_AWARE' },
  { type: 'RESERVATION_REFINEMENT' },
  { type: 'TASK_KILLING_STATE' },
] as const;

/** Agents without these get no offers to frameworks with MULTI_ROLE. */
export const AGENT_CAPABILITIES = [
  { type: 'MULTI_ROLE' },
  { type: 'HIERARCHICAL_ROLE' },
  { type: 'RESERVATION_REFINEMENT' },
  { type: 'RESIZE_VOLUME' },
  { type: 'AGENT_OPERATION_FEEDBACK' },
] as const;

export function frameworkInfo(overrides: Partial<FrameworkInfo> = {}): FrameworkInfo {
  return {
    user: 'root',
    name: 'test',
    roles: ['*'],
    checkpoint: true,
    failover_timeout: 3600,
    capabilities: CAPABILITIES,
    ...overrides,
  };
}

export interface TestFramework {
  readonly id: string;
  readonly streamId: string;
}

export interface TestAgent {
  readonly id: string;
  readonly connection: number;
}

export class World {
  readonly master: Master;
  now = 1_000_000;
  /** By how much the wall clock differs from `now`. */
  wallOffsetMs = 0;
  /** All effects so far, oldest first. */
  readonly effects: Effect[] = [];
  /** What the registry would hold. */
  readonly registry = new Map<string, JsonValue>();
  readonly timers = new Map<string, number>();
  #request = 0;
  #connection = 0;

  constructor(
    options: Partial<MasterOptions> & {
      readonly allocator?: Allocator;
      readonly id?: string;
      readonly registry?: ReadonlyMap<string, JsonValue>;
    } = {},
  ) {
    const { allocator, id = MASTER_ID, registry, ...overrides } = options;
    this.master = createMaster({
      masterId: masterId(id),
      random: seededRandom(7),
      allocator:
        allocator ??
        createAllocator({
          random: seededRandom(7),
          allocationIntervalMs: defaultMasterOptions.allocationIntervalMs,
        }),
      options: {
        ...defaultMasterOptions,
        version: '1.12.0',
        masterInfo: { id, ip: 16_777_343, port: 5050, hostname: 'localhost' },
        ...overrides,
      },
    });
    for (const [key, value] of registry ?? []) this.registry.set(key, value);
    this.handle({
      kind: 'recovered',
      entries: Array.from(this.registry, ([key, value]) => ({ key, value })),
    });
  }

  /** Feeds one event and returns its effects. */
  handle(event: MasterEvent): readonly Effect[] {
    const effects = this.master.handle(event, this.now + this.wallOffsetMs, this.now);
    this.effects.push(...effects);
    for (const effect of effects) {
      if (effect.kind === 'setTimer') this.timers.set(effect.timer, this.now + effect.afterMs);
      if (effect.kind === 'cancelTimer') this.timers.delete(effect.timer);
      if (effect.kind !== 'persist') continue;
      for (const write of effect.writes) {
        if (write.kind === 'put') this.registry.set(write.key, write.value);
        else this.registry.delete(write.key);
      }
    }
    return effects;
  }

  /** Lets time pass, timers firing in order. */
  advance(milliseconds: number): readonly Effect[] {
    const end = this.now + milliseconds;
    const from = this.effects.length;
    for (;;) {
      const due = [...this.timers]
        .filter(([, at]) => at <= end)
        .sort(([, left], [, right]) => left - right)[0];
      if (due === undefined) break;
      const [timer, at] = due;
      this.timers.delete(timer);
      this.now = Math.max(this.now, at);
      this.handle({ kind: 'timer', timer });
    }
    this.now = end;
    return this.effects.slice(from);
  }

  /** Runs what is due now, such as a requested allocation. */
  settle(): readonly Effect[] {
    return this.advance(0);
  }

  subscribe(info: FrameworkInfo = frameworkInfo()): TestFramework {
    const call: scheduler.Call = {
      type: 'SUBSCRIBE',
      subscribe: { framework_info: info },
      ...(info.id !== undefined && { framework_id: info.id }),
    };
    const effects = this.handle({
      kind: 'schedulerCall',
      request: this.#request++,
      call,
      acceptable: true,
    });
    const opened = effects.find((effect) => effect.kind === 'openStream');
    assert(opened?.kind === 'openStream', 'the subscription opens a stream');
    const subscribed = eventsOf(effects, opened.streamId).find(({ type }) => type === 'SUBSCRIBED');
    return { id: subscribed?.subscribed?.framework_id.value ?? '', streamId: opened.streamId };
  }

  /** A call of a framework; returns the status and all effects. */
  call(framework: TestFramework, call: Omit<scheduler.Call, 'framework_id'>): CallResult {
    const effects = this.handle({
      kind: 'schedulerCall',
      request: this.#request++,
      call: { ...call, framework_id: { value: framework.id } },
      streamId: framework.streamId,
      acceptable: true,
    });
    const reply = effects.find((effect) => effect.kind === 'reply');
    assert(reply?.kind === 'reply', 'every call is answered');
    return { status: reply.status, text: reply.text, effects };
  }

  operator(call: masterApi.Call): CallResult {
    const effects = this.handle({ kind: 'operatorCall', request: this.#request++, call });
    const reply = effects.find((effect) => effect.kind === 'reply');
    return {
      status: reply?.kind === 'reply' ? reply.status : 200,
      text: reply?.kind === 'reply' ? reply.text : undefined,
      effects,
    };
  }

  register(register: Partial<agentProtocol.Register> & { readonly id?: string } = {}): TestAgent {
    const { id, ...overrides } = register;
    const connection = this.#connection++;
    const effects = this.frame(connection, {
      type: 'REGISTER',
      register: {
        protocol: 1,
        version: '1',
        ip: '127.0.0.1',
        capabilities: AGENT_CAPABILITIES,
        agent_info: {
          hostname: 'host',
          port: 5051 + connection,
          resources: resources({ cpus: 4, mem: 4096, ports: [31_000, 31_100] }),
          ...(id !== undefined && { id: { value: id } }),
        },
        ...overrides,
      },
    });
    const registered = framesOf(effects, connection).find(({ type }) => type === 'REGISTERED');
    return { id: registered?.registered?.agent_id.value ?? '', connection };
  }

  frame(connection: number, frame: agentProtocol.ToMaster): readonly Effect[] {
    return this.handle({ kind: 'agentFrame', connection, frame });
  }

  /** The agent reports a state of a task; the uuid is made of the given byte. */
  update(
    agent: TestAgent,
    framework: TestFramework,
    task: string,
    state: TaskState,
    uuid: number,
    latest: TaskState = state,
  ): readonly Effect[] {
    return this.frame(agent.connection, {
      type: 'STATUS_UPDATE',
      status_update: {
        framework_id: { value: framework.id },
        latest_state: latest,
        status: {
          task_id: { value: task },
          state,
          source: 'SOURCE_EXECUTOR',
          timestamp: 1,
          uuid: uuidOf(uuid),
        },
      },
    });
  }

  acknowledge(agent: TestAgent, framework: TestFramework, task: string, uuid: number): CallResult {
    return this.call(framework, {
      type: 'ACKNOWLEDGE',
      acknowledge: { agent_id: { value: agent.id }, task_id: { value: task }, uuid: uuidOf(uuid) },
    });
  }

  /** Launches tasks on the outstanding offers of a framework. */
  launch(
    framework: TestFramework,
    tasks: readonly TaskInfo[],
    offers = this.offersOf(framework),
  ): CallResult {
    return this.call(framework, {
      type: 'ACCEPT',
      accept: {
        offer_ids: offers.map((value) => ({ value })),
        operations: [{ type: 'LAUNCH', launch: { task_infos: tasks } }],
        filters: { refuse_seconds: 0 },
      },
    });
  }

  offersOf(framework: TestFramework): readonly string[] {
    return this.master
      .snapshot()
      .offers.filter(({ frameworkId }) => frameworkId === framework.id)
      .map(({ id }) => id);
  }

  /** A framework and an agent with one running task. */
  running(info: FrameworkInfo = frameworkInfo()): {
    readonly framework: TestFramework;
    readonly agent: TestAgent;
  } {
    const framework = this.subscribe(info);
    const agent = this.register();
    this.settle();
    this.launch(framework, [task('t', agent)]);
    this.update(agent, framework, 't', 'TASK_RUNNING', 1);
    this.acknowledge(agent, framework, 't', 1);
    return { framework, agent };
  }
}

export interface CallResult {
  readonly status: number;
  readonly text: string | undefined;
  readonly effects: readonly Effect[];
}

/** A command task of 1 cpu and 128 MB. */
export function task(id: string, agent: TestAgent, overrides: Partial<TaskInfo> = {}): TaskInfo {
  return {
    name: id,
    task_id: { value: id },
    agent_id: { value: agent.id },
    resources: resources({ cpus: 1, mem: 128 }),
    command: { value: 'sleep 1' },
    ...overrides,
  };
}

/** A task as an agent reports it when it registers. */
export function reportedTask(
  id: string,
  framework: TestFramework,
  agent: TestAgent,
  overrides: Partial<Task> = {},
): Task {
  return {
    name: id,
    task_id: { value: id },
    framework_id: { value: framework.id },
    agent_id: { value: agent.id },
    state: 'TASK_RUNNING',
    resources: resources({ cpus: 1, mem: 128 }).map((resource) => ({
      ...resource,
      allocation_info: { role: '*' },
    })),
    ...overrides,
  };
}

export function uuidOf(byte: number): Uint8Array {
  return new Uint8Array(16).fill(byte);
}

/** Events that went to a stream. */
export function eventsOf(effects: readonly Effect[], streamId: string): readonly scheduler.Event[] {
  return effects.flatMap((effect) =>
    effect.kind === 'sendToFramework' && effect.streamId === streamId ? [effect.event] : [],
  );
}

/** Task statuses that went to a framework. */
export function statusesOf(
  effects: readonly Effect[],
  framework: TestFramework,
): readonly StatusSummary[] {
  return eventsOf(effects, framework.streamId).flatMap(({ update }) =>
    update === undefined
      ? []
      : [
          {
            task: update.status.task_id.value,
            state: update.status.state,
            reason: update.status.reason,
          },
        ],
  );
}

export interface StatusSummary {
  readonly task: string;
  readonly state: TaskState;
  readonly reason: string | undefined;
}

/** Frames that went to a connection. */
export function framesOf(
  effects: readonly Effect[],
  connection: number,
): readonly agentProtocol.ToAgent[] {
  return effects.flatMap((effect) =>
    effect.kind === 'sendToAgent' && effect.connection === connection ? [effect.frame] : [],
  );
}

/** Types of the operator events. */
export function operatorEventsOf(effects: readonly Effect[]): readonly (string | undefined)[] {
  return effects.flatMap((effect) => (effect.kind === 'operatorEvent' ? [effect.event.type] : []));
}

/** The only framework's task of that id. */
export function taskState(world: World, id: string): TaskState | undefined {
  const frameworks = world.master.snapshot().frameworks;
  return present(frameworks[0], 'a framework').tasks.find(({ taskId }) => taskId === id)?.state;
}
