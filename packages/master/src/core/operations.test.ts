/** Operations on their way: what frameworks and agents hear, and what becomes of them when one of both is away. */

import { describe, expect, test } from 'vitest';
import { toBase64 } from '@dcos/base';
import type { Offer_Operation } from '@dcos/wire';
import type { Effect } from '../core/index.ts';
import {
  AGENT,
  applied,
  feedback,
  operate,
  reconciled,
  RESERVE,
  reserved,
  scene,
  totalOf,
  type Scene,
} from '../testing/operations-scene.ts';
import { framesOf, frameworkInfo, resources, uuidOf, World } from '../testing/world.ts';

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

test('an agent that has less than its tasks use is believed, and offers nothing until they ended', () => {
  const world = new World();
  const { agent, framework } = world.running();
  world.frame(agent.connection, {
    type: 'RESOURCES_CHANGED',
    resources_changed: { total_resources: resources({ mem: 1 }) },
  });
  expect(world.master.snapshot().agents[0]?.total).toEqual(resources({ mem: 1 }));
  world.settle();
  expect(world.offersOf(framework)).toEqual([]);
});

describe('operations that the agent did not carry out', () => {
  const more: Offer_Operation = { type: 'RESERVE', reserve: { resources: reserved({ cpus: 2 }) } };

  test('are taken back, and those that it has not answered are not', () => {
    const set = scene();
    const before = totalOf(set);
    const [frame] = applied(operate(set, [RESERVE, more]), set.agent);
    set.world.frame(set.agent.connection, {
      type: 'OPERATION_UPDATE',
      operation_update: {
        operation_uuid: frame?.operation_uuid ?? new Uint8Array(),
        status: { state: 'OPERATION_DROPPED', uuid: { value: uuidOf(1) } },
      },
    });
    set.world.frame(set.agent.connection, {
      type: 'RESOURCES_CHANGED',
      resources_changed: { total_resources: AGENT },
    });
    expect(before).toEqual(['cpus:4', 'disk:1000', 'mem:4096']);
    expect(totalOf(set)).toEqual(['cpus(dev):2', 'cpus:2', 'disk:1000', 'mem:4096']);
  });
});

test('an operation id that is in use is refused, and the operation that has it goes on', () => {
  const set = scene();
  const named: Offer_Operation = {
    type: 'RESERVE',
    id: { value: 'op' },
    reserve: { resources: reserved({ cpus: 1 }) },
  };
  const effects = operate(set, [named, named]);
  expect(applied(effects, set.agent)).toHaveLength(1);
  expect(feedback(effects, set.framework)).toMatchObject([
    {
      operation_id: { value: 'op' },
      state: 'OPERATION_ERROR',
      message: expect.stringContaining("'op' is in use"),
    },
  ]);
  expect(reconciled(set.world, set.framework, 'op', set.agent.id)?.state).toBe('OPERATION_PENDING');
});

test('operations of one id that two agents bring along are acknowledged each on its own', () => {
  const set = scene();
  const [frame] = applied(operate(set, [{ ...RESERVE, id: { value: 'op' } }]), set.agent);
  const other = set.world.register({
    agent_info: { hostname: 'other', port: 5051, resources: AGENT, id: { value: 'm-S9' } },
    ip: '10.0.0.9',
    operations: [
      {
        framework_id: { value: set.framework.id },
        agent_id: { value: 'm-S9' },
        info: { ...RESERVE, id: { value: 'op' } },
        latest_status: { operation_id: { value: 'op' }, state: 'OPERATION_FINISHED' },
        uuid: { value: uuidOf(9) },
      },
    ],
  });
  const acknowledge = (agent: string, uuid: Uint8Array): readonly Effect[] =>
    set.world.call(set.framework, {
      type: 'ACKNOWLEDGE_OPERATION_STATUS',
      acknowledge_operation_status: {
        agent_id: { value: agent },
        operation_id: { value: 'op' },
        uuid,
      },
    }).effects;
  const [first] = framesOf(acknowledge(set.agent.id, uuidOf(1)), set.agent.connection);
  const [second] = framesOf(acknowledge(other.id, uuidOf(2)), other.connection);
  expect(first?.acknowledge_operation?.operation_uuid).toEqual(frame?.operation_uuid);
  expect(second?.acknowledge_operation?.operation_uuid).toEqual(uuidOf(9));
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
