/**
 * Offer operations and operators' operations: what is applied at once, what the agent is told, what
 * frameworks hear, and what is refused with which text.
 */

import { describe, expect, test } from 'vitest';
import { toBase64 } from '@dcos/base';
import type { agentProtocol, Offer_Operation, OperationStatus, Resource } from '@dcos/wire';
import type { Effect } from '../core/index.ts';
import {
  eventsOf,
  framesOf,
  frameworkInfo,
  resources,
  task,
  uuidOf,
  World,
  type TestAgent,
  type TestFramework,
} from '../testing/world.ts';

const AGENT = resources({ cpus: 4, mem: 4096, disk: 1000 });
const DYNAMIC = [{ type: 'DYNAMIC', role: 'dev', principal: 'ops' }] as const;

function reserved(amounts: Parameters<typeof resources>[0]): readonly Resource[] {
  return resources(amounts).map((resource) => ({ ...resource, reservations: DYNAMIC }));
}

function volume(id: string, disk: number, more: Partial<Resource> = {}): Resource {
  return {
    name: 'disk',
    type: 'SCALAR',
    scalar: { value: disk },
    reservations: DYNAMIC,
    disk: {
      persistence: { id, principal: 'ops' },
      volume: { mode: 'RW', container_path: 'data' },
    },
    ...more,
  };
}

interface Scene {
  readonly world: World;
  readonly framework: TestFramework;
  readonly agent: TestAgent;
}

function scene(options: ConstructorParameters<typeof World>[0] = {}): Scene {
  const world = new World(options);
  const framework = world.subscribe(frameworkInfo({ roles: ['dev'], principal: 'ops' }));
  const agent = world.register({
    agent_info: { hostname: 'host', port: 5051, resources: AGENT },
  });
  world.settle();
  return { world, framework, agent };
}

function operate(
  { world, framework }: Scene,
  operations: readonly Offer_Operation[],
): readonly Effect[] {
  const result = world.call(framework, {
    type: 'ACCEPT',
    accept: {
      offer_ids: world.offersOf(framework).map((value) => ({ value })),
      operations,
      filters: { refuse_seconds: 0 },
    },
  });
  expect(result.status).toBe(202);
  return result.effects;
}

/** Name, amount and what marks it, of everything that the agent has. */
function totalOf({ world }: Scene): readonly string[] {
  const total = world.master.snapshot().agents[0]?.total ?? [];
  return total
    .map(({ name, scalar, reservations, disk }) => {
      const marks = [
        ...(reservations ?? []).map(({ role }) => `(${role ?? ''})`),
        ...(disk?.persistence === undefined ? [] : [`[${disk.persistence.id}]`]),
      ];
      return `${name}${marks.join('')}:${scalar?.value ?? 0}`;
    })
    .sort();
}

function applied(
  effects: readonly Effect[],
  agent: TestAgent,
): readonly agentProtocol.ApplyOperation[] {
  return framesOf(effects, agent.connection)
    .map(({ apply_operation }) => apply_operation)
    .filter((frame) => frame !== undefined);
}

function feedback(
  effects: readonly Effect[],
  framework: TestFramework,
): readonly OperationStatus[] {
  return eventsOf(effects, framework.streamId)
    .map(({ update_operation_status: update }) => update?.status)
    .filter((status) => status !== undefined);
}

const RESERVE: Offer_Operation = {
  type: 'RESERVE',
  reserve: { resources: reserved({ cpus: 1, disk: 100 }) },
};
const CREATE: Offer_Operation = { type: 'CREATE', create: { volumes: [volume('v', 60)] } };

describe('operations are applied at once, and later ones use their results', () => {
  const cases: readonly {
    readonly what: string;
    readonly operations: readonly Offer_Operation[];
    readonly total: readonly string[];
  }[] = [
    {
      what: 'RESERVE',
      operations: [RESERVE],
      total: ['cpus(dev):1', 'cpus:3', 'disk(dev):100', 'disk:900', 'mem:4096'],
    },
    {
      what: 'RESERVE and UNRESERVE',
      operations: [RESERVE, { type: 'UNRESERVE', unreserve: { resources: reserved({ cpus: 1 }) } }],
      total: ['cpus:4', 'disk(dev):100', 'disk:900', 'mem:4096'],
    },
    {
      what: 'RESERVE and CREATE',
      operations: [RESERVE, CREATE],
      total: ['cpus(dev):1', 'cpus:3', 'disk(dev):40', 'disk(dev)[v]:60', 'disk:900', 'mem:4096'],
    },
    {
      what: 'RESERVE, CREATE and DESTROY',
      operations: [RESERVE, CREATE, { type: 'DESTROY', destroy: { volumes: [volume('v', 60)] } }],
      total: ['cpus(dev):1', 'cpus:3', 'disk(dev):100', 'disk:900', 'mem:4096'],
    },
    {
      what: 'RESERVE, CREATE and GROW_VOLUME',
      operations: [
        RESERVE,
        CREATE,
        {
          type: 'GROW_VOLUME',
          grow_volume: { volume: volume('v', 60), addition: reserved({ disk: 15 })[0] as Resource },
        },
      ],
      total: ['cpus(dev):1', 'cpus:3', 'disk(dev):25', 'disk(dev)[v]:75', 'disk:900', 'mem:4096'],
    },
    {
      what: 'RESERVE, CREATE and SHRINK_VOLUME',
      operations: [
        RESERVE,
        CREATE,
        {
          type: 'SHRINK_VOLUME',
          shrink_volume: { volume: volume('v', 60), subtract: { value: 20 } },
        },
      ],
      total: ['cpus(dev):1', 'cpus:3', 'disk(dev):60', 'disk(dev)[v]:40', 'disk:900', 'mem:4096'],
    },
  ];
  test.each(cases)('$what', ({ operations, total }) => {
    const set = scene();
    const effects = operate(set, operations);
    expect(totalOf(set)).toEqual([...total].sort());
    const frames = applied(effects, set.agent);
    expect(frames.map(({ operation }) => operation.type)).toEqual(
      operations.map(({ type }) => type),
    );
    // What agents hear carries no allocation.
    expect(JSON.stringify(frames)).not.toContain('allocation_info');
    set.world.settle();
    const [offer] = set.world.master.snapshot().offers;
    expect(offer?.resources.map(({ allocation_info }) => allocation_info?.role)).toEqual(
      offer?.resources.map(() => 'dev'),
    );
  });

  test('a task may use what the same call reserved and created', () => {
    const set = scene();
    const launched = task('t', set.agent, {
      resources: [...reserved({ cpus: 1 }), ...resources({ mem: 32 }), volume('v', 60)],
    });
    const effects = operate(set, [
      RESERVE,
      CREATE,
      { type: 'LAUNCH', launch: { task_infos: [launched] } },
    ]);
    const frames = framesOf(effects, set.agent.connection).map(({ type }) => type);
    expect(frames).toEqual(['APPLY_OPERATION', 'APPLY_OPERATION', 'RUN_TASK']);
  });

  test('a volume that grew may not be used in the same call', () => {
    const set = scene();
    const effects = operate(set, [
      RESERVE,
      CREATE,
      {
        type: 'GROW_VOLUME',
        grow_volume: { volume: volume('v', 60), addition: reserved({ disk: 40 })[0] as Resource },
      },
      { type: 'DESTROY', id: { value: 'late' }, destroy: { volumes: [volume('v', 100)] } },
    ]);
    expect(feedback(effects, set.framework)).toMatchObject([
      { operation_id: { value: 'late' }, state: 'OPERATION_ERROR' },
    ]);
  });
});

describe('what is wrong is refused, and the rest of the call goes on', () => {
  const cases: readonly {
    readonly what: string;
    readonly operation: Offer_Operation;
    readonly message: RegExp;
  }[] = [
    {
      what: 'a reservation for another role',
      operation: {
        type: 'RESERVE',
        reserve: {
          resources: resources({ cpus: 1 }).map((resource) => ({
            ...resource,
            reservations: [{ type: 'DYNAMIC', role: 'other', principal: 'ops' }],
          })),
        },
      },
      message: /allocated to role 'dev' with a reservation to role 'other'/,
    },
    {
      what: 'a reservation in the name of somebody else',
      operation: {
        type: 'RESERVE',
        reserve: {
          resources: resources({ cpus: 1 }).map((resource) => ({
            ...resource,
            reservations: [{ type: 'DYNAMIC', role: 'dev', principal: 'eve' }],
          })),
        },
      },
      message: /by principal 'ops', but .* principal 'eve' set/,
    },
    {
      what: 'a reservation of nothing',
      operation: { type: 'RESERVE', reserve: { resources: resources({ cpus: 1 }) } },
      message: /cpus.*:1 is not dynamically reserved/,
    },
    {
      what: 'more than was offered',
      operation: { type: 'RESERVE', reserve: { resources: reserved({ cpus: 40 }) } },
      message: /do not contain/,
    },
    {
      what: 'a volume that is not there',
      operation: { type: 'DESTROY', destroy: { volumes: [volume('nope', 10)] } },
      message: /do not contain/,
    },
    {
      what: 'a volume without id',
      operation: { type: 'CREATE', create: { volumes: reserved({ disk: 10 }) } },
      message: /'persistence' is not set/,
    },
    {
      what: 'a source, which is for operators',
      operation: {
        type: 'RESERVE',
        reserve: { source: reserved({ cpus: 1 }), resources: reserved({ cpus: 1 }) },
      },
      message: /'source' may not be set by frameworks/,
    },
    {
      what: 'a disk of a provider',
      operation: {
        type: 'CREATE_DISK',
        create_disk: { source: volume('x', 1), target_type: 'MOUNT' },
      },
      message: /resource provider/,
    },
  ];
  test.each(cases)('$what', ({ operation, message }) => {
    const set = scene();
    const before = totalOf(set);
    const effects = operate(set, [
      { ...operation, id: { value: 'op' } },
      operation,
      { type: 'LAUNCH', launch: { task_infos: [task('t', set.agent)] } },
    ]);
    const [status, ...more] = feedback(effects, set.framework);
    expect(more).toEqual([]);
    expect(status).toMatchObject({ operation_id: { value: 'op' }, state: 'OPERATION_ERROR' });
    expect(status?.message).toMatch(message);
    expect(totalOf(set)).toEqual(before);
    expect(framesOf(effects, set.agent.connection).map(({ type }) => type)).toEqual(['RUN_TASK']);
  });

  test('an id of a volume that exists', () => {
    const set = scene();
    operate(set, [RESERVE, CREATE]);
    set.world.settle();
    const again = { ...CREATE, id: { value: 'op' }, create: { volumes: [volume('v', 10)] } };
    const [status] = feedback(operate(set, [again]), set.framework);
    expect(status?.message).toMatch(/Persistence ID 'v' already exists/);
  });

  test('a volume that a task uses', () => {
    const set = scene();
    const launched = task('t', set.agent, {
      resources: [...reserved({ cpus: 1 }), ...resources({ mem: 32 }), volume('v', 60)],
    });
    operate(set, [RESERVE, CREATE, { type: 'LAUNCH', launch: { task_infos: [launched] } }]);
    set.world.settle();
    const gone = {
      type: 'DESTROY',
      id: { value: 'op' },
      destroy: { volumes: [volume('v', 60)] },
    } as const;
    const [status] = feedback(operate(set, [gone]), set.framework);
    expect(status?.message).toMatch(/'v' in use/);
  });
});

describe('feedback', () => {
  /** A reservation with an id, as the agent has received it. */
  function pending(): Scene & { readonly uuid: Uint8Array } {
    const set = scene();
    const [frame] = applied(operate(set, [{ ...RESERVE, id: { value: 'op' } }]), set.agent);
    return { ...set, uuid: frame?.operation_uuid ?? new Uint8Array() };
  }

  function finish(set: Scene & { readonly uuid: Uint8Array }): readonly Effect[] {
    return set.world.frame(set.agent.connection, {
      type: 'OPERATION_UPDATE',
      operation_update: {
        framework_id: { value: set.framework.id },
        operation_uuid: set.uuid,
        status: {
          operation_id: { value: 'op' },
          state: 'OPERATION_FINISHED',
          uuid: { value: uuidOf(1) },
        },
      },
    });
  }

  test('goes to the framework, and its acknowledgement to the agent, which ends the operation', () => {
    const set = pending();
    const [status] = feedback(finish(set), set.framework);
    expect(status).toEqual({
      operation_id: { value: 'op' },
      state: 'OPERATION_FINISHED',
      uuid: { value: uuidOf(1) },
      agent_id: { value: set.agent.id },
    });
    const acknowledged = set.world.call(set.framework, {
      type: 'ACKNOWLEDGE_OPERATION_STATUS',
      acknowledge_operation_status: {
        agent_id: { value: set.agent.id },
        uuid: uuidOf(1),
        operation_id: { value: 'op' },
      },
    });
    const frames = framesOf(acknowledged.effects, set.agent.connection);
    expect(frames).toEqual([
      {
        type: 'ACKNOWLEDGE_OPERATION',
        acknowledge_operation: { operation_uuid: set.uuid, status_uuid: uuidOf(1) },
      },
    ]);
    expect(set.world.master.state.frameworks.get(set.framework.id as never)?.operations.size).toBe(
      0,
    );
  });

  test('of an operation without id is acknowledged by the master', () => {
    const set = scene();
    const [frame] = applied(operate(set, [RESERVE]), set.agent);
    const uuid = frame?.operation_uuid ?? new Uint8Array();
    const effects = finish({ ...set, uuid });
    expect(feedback(effects, set.framework)).toEqual([]);
    expect(framesOf(effects, set.agent.connection).map(({ type }) => type)).toEqual([
      'ACKNOWLEDGE_OPERATION',
    ]);
  });

  test('a repeated one reaches the framework again until it is acknowledged', () => {
    const set = pending();
    finish(set);
    expect(feedback(finish(set), set.framework)).toHaveLength(1);
  });

  test('an operation that the agent does not know when it is back was dropped', () => {
    const set = pending();
    set.world.handle({ kind: 'agentClosed', connection: set.agent.connection });
    const from = set.world.effects.length;
    set.world.register({
      id: set.agent.id,
      agent_info: {
        hostname: 'host',
        port: 5051,
        id: { value: set.agent.id },
        resources: AGENT,
      },
      total_resources: AGENT,
    });
    expect(feedback(set.world.effects.slice(from), set.framework)).toMatchObject([
      { operation_id: { value: 'op' }, state: 'OPERATION_DROPPED' },
    ]);
    expect(totalOf(set)).toEqual(['cpus:4', 'disk:1000', 'mem:4096']);
  });

  test('what the agent has when it registers wins, reservations included', () => {
    const set = scene();
    operate(set, [RESERVE]);
    const other = new World();
    other.register({
      agent_info: { hostname: 'host', port: 5051, resources: AGENT },
      total_resources: set.world.master.snapshot().agents[0]?.total ?? [],
    });
    expect(totalOf({ ...set, world: other })).toEqual(totalOf(set));
  });

  test('the agent becomes unreachable', () => {
    const set = pending();
    const from = set.world.effects.length;
    set.world.handle({ kind: 'agentClosed', connection: set.agent.connection });
    set.world.advance(90_000);
    expect(feedback(set.world.effects.slice(from), set.framework)).toMatchObject([
      { operation_id: { value: 'op' }, state: 'OPERATION_UNREACHABLE' },
    ]);
    expect(reconciled(set.world, set.framework, 'x', set.agent.id)).toMatchObject({
      state: 'OPERATION_UNREACHABLE',
      message: 'Reconciliation: Agent is unreachable',
    });
  });

  test('the agent has not come back to a new master yet', () => {
    const set = pending();
    const world = new World({ registry: set.world.registry });
    const framework = world.subscribe(
      frameworkInfo({ id: { value: set.framework.id }, roles: ['dev'], principal: 'ops' }),
    );
    expect(reconciled(world, framework, 'op', set.agent.id)).toMatchObject({
      state: 'OPERATION_RECOVERING',
    });
  });

  test('the agent is gone', () => {
    const set = pending();
    const { effects } = set.world.operator({
      type: 'MARK_AGENT_GONE',
      mark_agent_gone: { agent_id: { value: set.agent.id } },
    });
    expect(feedback(effects, set.framework)).toMatchObject([
      { operation_id: { value: 'op' }, state: 'OPERATION_GONE_BY_OPERATOR' },
    ]);
  });
});

/** What a framework hears that asks for one operation. */
function reconciled(
  world: World,
  framework: TestFramework,
  id: string,
  agent?: string,
): OperationStatus | undefined {
  const { effects } = world.call(framework, {
    type: 'RECONCILE_OPERATIONS',
    reconcile_operations: {
      operations: [
        { operation_id: { value: id }, ...(agent !== undefined && { agent_id: { value: agent } }) },
      ],
    },
  });
  const [status, ...more] = feedback(effects, framework);
  expect(more).toEqual([]);
  return status;
}

describe('reconciliation', () => {
  const cases: readonly {
    readonly what: string;
    readonly question: (set: Scene) => { id: string; agent?: string };
    readonly answer: Partial<OperationStatus>;
  }[] = [
    {
      what: 'a known operation',
      question: ({ agent }) => ({ id: 'op', agent: agent.id }),
      answer: { state: 'OPERATION_PENDING', message: 'Reconciliation: Latest operation status' },
    },
    {
      what: 'an unknown operation of a registered agent',
      question: ({ agent }) => ({ id: 'x', agent: agent.id }),
      answer: { state: 'OPERATION_UNKNOWN', message: 'Reconciliation: Operation is unknown' },
    },
    {
      what: 'an unknown operation without agent',
      question: () => ({ id: 'x' }),
      answer: {
        state: 'OPERATION_UNKNOWN',
        message: "Reconciliation: Operation is unknown and no 'agent_id' was provided",
      },
    },
    {
      what: 'an operation on an agent that nobody knows',
      question: () => ({ id: 'x', agent: 'nope' }),
      answer: { state: 'OPERATION_UNKNOWN' },
    },
  ];
  test.each(cases)('$what', ({ question, answer }) => {
    const set = scene();
    operate(set, [{ ...RESERVE, id: { value: 'op' } }]);
    const { id, agent } = question(set);
    const status = reconciled(set.world, set.framework, id, agent);
    expect(status).toMatchObject({ operation_id: { value: id }, ...answer });
    expect(status?.uuid).toBeUndefined();
  });
});

describe('operators', () => {
  test('reserve what is merely offered: the offer is taken back', () => {
    const set = scene();
    expect(set.world.offersOf(set.framework)).toHaveLength(1);
    const { status, effects } = set.world.operator({
      type: 'RESERVE_RESOURCES',
      reserve_resources: { agent_id: { value: set.agent.id }, resources: reserved({ cpus: 1 }) },
    });
    expect(status).toBe(202);
    expect(eventsOf(effects, set.framework.streamId).map(({ type }) => type)).toEqual(['RESCIND']);
    expect(totalOf(set)).toEqual(['cpus(dev):1', 'cpus:3', 'disk:1000', 'mem:4096']);
    expect(applied(effects, set.agent)).toHaveLength(1);
  });

  test('may not reserve what a task uses', () => {
    const set = scene();
    operate(set, [
      {
        type: 'LAUNCH',
        launch: {
          task_infos: [task('t', set.agent, { resources: resources({ cpus: 4, mem: 32 }) })],
        },
      },
    ]);
    const { status } = set.world.operator({
      type: 'RESERVE_RESOURCES',
      reserve_resources: { agent_id: { value: set.agent.id }, resources: reserved({ cpus: 1 }) },
    });
    expect(status).toBe(409);
    expect(totalOf(set)).toEqual(['cpus:4', 'disk:1000', 'mem:4096']);
  });

  test('move a reservation in one step', () => {
    const set = scene();
    const call = {
      type: 'RESERVE_RESOURCES',
      reserve_resources: { agent_id: { value: set.agent.id }, resources: reserved({ cpus: 1 }) },
    } as const;
    expect(set.world.operator(call).status).toBe(202);
    const target = resources({ cpus: 1 }).map((resource): Resource => ({
      ...resource,
      reservations: [{ type: 'DYNAMIC', role: 'ops' }],
    }));
    const moved = { ...call.reserve_resources, source: reserved({ cpus: 1 }), resources: target };
    expect(set.world.operator({ ...call, reserve_resources: moved }).status).toBe(202);
    expect(totalOf(set)).toEqual(['cpus(ops):1', 'cpus:3', 'disk:1000', 'mem:4096']);
    const more = { ...moved, source: target, resources: reserved({ cpus: 2 }) };
    const refused = set.world.operator({ ...call, reserve_resources: more });
    expect([refused.status, refused.text]).toEqual([
      400,
      expect.stringContaining('must be the same quantities'),
    ]);
  });

  test('name an agent that is not there', () => {
    const { world } = scene();
    const { status, text } = world.operator({
      type: 'UNRESERVE_RESOURCES',
      unreserve_resources: { agent_id: { value: 'nope' }, resources: reserved({ cpus: 1 }) },
    });
    expect([status, text]).toEqual([400, 'No agent found with specified ID']);
  });
});

test('operations of a framework that is gone are acknowledged by the master', () => {
  const set = scene();
  const [frame] = applied(operate(set, [{ ...RESERVE, id: { value: 'op' } }]), set.agent);
  set.world.call(set.framework, { type: 'TEARDOWN' });
  const effects = set.world.frame(set.agent.connection, {
    type: 'OPERATION_UPDATE',
    operation_update: {
      operation_uuid: frame?.operation_uuid ?? new Uint8Array(),
      status: { state: 'OPERATION_FINISHED', uuid: { value: uuidOf(1) } },
    },
  });
  expect(framesOf(effects, set.agent.connection)).toHaveLength(1);
  // Reservations outlive frameworks.
  expect(totalOf(set)).toContain('cpus(dev):1');
  expect([
    ...(set.world.master.state.agents.values().next().value?.operations.keys() ?? []),
  ]).toEqual([]);
  expect(toBase64(frame?.operation_uuid ?? new Uint8Array())).not.toBe('');
});

test('an agent that has less than its tasks use is not believed', () => {
  const world = new World();
  const { agent } = world.running();
  const before = world.master.snapshot().agents;
  world.frame(agent.connection, {
    type: 'RESOURCES_CHANGED',
    resources_changed: { total_resources: resources({ mem: 1 }) },
  });
  expect(world.master.snapshot().agents).toEqual(before);
});

test('a framework that does not acknowledge its operations gets no more of them', () => {
  const set = scene({ operationsPerFrameworkMax: 1 });
  const named = (id: string): Offer_Operation => ({
    type: 'RESERVE',
    id: { value: id },
    reserve: { resources: reserved({ cpus: 1 }) },
  });
  const effects = operate(set, [named('first'), named('second'), RESERVE]);
  expect(feedback(effects, set.framework)).toMatchObject([
    { operation_id: { value: 'second' }, state: 'OPERATION_ERROR' },
  ]);
  expect(applied(effects, set.agent).map(({ operation }) => operation.id?.value)).toEqual([
    'first',
    undefined,
  ]);
});
