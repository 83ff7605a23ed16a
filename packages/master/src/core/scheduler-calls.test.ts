import { describe, expect, test } from 'vitest';
import type { scheduler } from '@dcos/wire';
import {
  eventsOf,
  framesOf,
  frameworkInfo,
  resources,
  statusesOf,
  uuidOf,
  World,
  type TestFramework,
} from '../testing/world.ts';

function answer(
  world: World,
  call: scheduler.Call,
  options: { readonly streamId?: string; readonly acceptable?: boolean } = {},
): readonly [number, string | undefined] {
  const effects = world.handle({
    kind: 'schedulerCall',
    request: 999,
    call,
    acceptable: true,
    ...options,
  });
  const replies = effects.filter((effect) => effect.kind === 'reply');
  expect(replies).toHaveLength(1);
  const [reply] = replies;
  return [
    reply?.kind === 'reply' ? reply.status : 0,
    reply?.kind === 'reply' ? reply.text : undefined,
  ];
}

describe('checks come in the order of the original', () => {
  const world = new World();
  const framework = world.subscribe();
  const framework_id = { value: framework.id };
  const stream = { streamId: framework.streamId };
  const gone = world.subscribe(frameworkInfo({ name: 'gone' }));
  world.handle({ kind: 'streamClosed', streamId: gone.streamId });

  test.each<{
    readonly what: string;
    readonly call: scheduler.Call;
    readonly options?: { readonly streamId?: string; readonly acceptable?: boolean };
    readonly expected: readonly [number, string];
  }>([
    {
      what: 'no type',
      call: {},
      expected: [400, "Failed to validate scheduler::Call: Expecting 'type' to be present"],
    },
    {
      what: 'no framework id',
      call: { type: 'REVIVE' },
      expected: [400, "Failed to validate scheduler::Call: Expecting 'framework_id' to be present"],
    },
    {
      what: 'a type of the future',
      call: { type: 'UNKNOWN', framework_id },
      options: stream,
      expected: [501, 'Received scheduler::Call of an unknown type'],
    },
    {
      what: 'no stream id',
      call: { type: 'REVIVE', framework_id },
      expected: [400, "All non-subscribe calls should include the 'Mesos-Stream-Id' header"],
    },
    {
      what: 'an unknown framework',
      call: { type: 'REVIVE', framework_id: { value: 'x' } },
      options: { streamId: 'y' },
      expected: [400, 'Framework cannot be found'],
    },
    {
      what: 'a framework without a stream',
      call: { type: 'REVIVE', framework_id: { value: gone.id } },
      options: { streamId: gone.streamId },
      expected: [403, 'Framework is not subscribed'],
    },
    {
      what: 'a stale stream id',
      call: { type: 'REVIVE', framework_id },
      options: { streamId: 'old' },
      expected: [
        400,
        `The stream ID 'old' included in this request didn't match the stream ID currently associated with framework ID ${framework.id}`,
      ],
    },
    {
      what: 'SUBSCRIBE with a stream id',
      call: { type: 'SUBSCRIBE', subscribe: { framework_info: frameworkInfo() } },
      options: stream,
      expected: [400, "Subscribe calls should not include the 'Mesos-Stream-Id' header"],
    },
    {
      what: 'SUBSCRIBE that accepts nothing of ours',
      call: { type: 'SUBSCRIBE', subscribe: { framework_info: frameworkInfo() } },
      options: { acceptable: false },
      expected: [406, "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'"],
    },
    {
      what: 'a short uuid',
      call: {
        type: 'ACKNOWLEDGE',
        framework_id,
        acknowledge: { agent_id: { value: 'a' }, task_id: { value: 't' }, uuid: new Uint8Array(5) },
      },
      options: stream,
      expected: [400, 'Failed to validate scheduler::Call: Not a valid UUID'],
    },
  ])('$what', ({ call, options, expected }) => {
    expect(answer(world, call, options)).toEqual(expected);
  });
});

test('nothing is served before the registry was read', () => {
  const world = new World();
  const fresh = new World();
  void world;
  fresh.master.state.recovered = false;
  expect(
    answer(fresh, { type: 'SUBSCRIBE', subscribe: { framework_info: frameworkInfo() } })[0],
  ).toBe(503);
});

describe('explicit reconciliation', () => {
  function ask(world: World, framework: TestFramework, id: string, agent?: string) {
    const { effects } = world.call(framework, {
      type: 'RECONCILE',
      reconcile: {
        tasks: [
          { task_id: { value: id }, ...(agent !== undefined && { agent_id: { value: agent } }) },
        ],
      },
    });
    return eventsOf(effects, framework.streamId).map(({ update }) => [
      update?.status.state,
      update?.status.message,
    ]);
  }

  test('each kind of ignorance has its own answer', () => {
    const world = new World();
    const { framework, agent } = world.running();
    expect(ask(world, framework, 't', agent.id)).toEqual([
      ['TASK_RUNNING', 'Reconciliation: Latest task state'],
    ]);
    expect(ask(world, framework, 'x')).toEqual([
      ['TASK_UNKNOWN', 'Reconciliation: Task is unknown'],
    ]);
    expect(ask(world, framework, 'x', agent.id)).toEqual([
      ['TASK_GONE', 'Reconciliation: Task is unknown to the agent'],
    ]);
    expect(ask(world, framework, 'x', 'nope')).toEqual([
      ['TASK_UNKNOWN', 'Reconciliation: Task is unknown'],
    ]);
    world.handle({ kind: 'agentClosed', connection: agent.connection });
    world.advance(90_000);
    expect(ask(world, framework, 't')).toEqual([
      ['TASK_UNREACHABLE', 'Reconciliation: Task is unreachable'],
    ]);
    expect(ask(world, framework, 'x', agent.id)).toEqual([
      ['TASK_UNREACHABLE', 'Reconciliation: Task is unreachable'],
    ]);
    world.operator({ type: 'MARK_AGENT_GONE', mark_agent_gone: { agent_id: { value: agent.id } } });
    expect(ask(world, framework, 'x', agent.id)).toEqual([
      ['TASK_GONE_BY_OPERATOR', 'Reconciliation: Task is gone by operator'],
    ]);
  });

  test('no answer while the agent may still come back after a failover', () => {
    const world = new World();
    const agent = world.register();
    const next = new World({ id: 'n', registry: world.registry });
    const framework = next.subscribe();
    expect(ask(next, framework, 'x')).toEqual([]);
    expect(ask(next, framework, 'x', agent.id)).toEqual([]);
    expect(ask(next, framework, 'x', 'other')).toHaveLength(1);
  });

  test('the state told is the last one that was forwarded', () => {
    const world = new World();
    const { framework, agent } = world.running();
    world.update(agent, framework, 't', 'TASK_KILLING', 2, 'TASK_KILLED');
    expect(ask(world, framework, 't')[0]?.[0]).toBe('TASK_KILLING');
  });
});

test('KILL of an unknown task is answered like a reconciliation', () => {
  const world = new World();
  const framework = world.subscribe();
  const { effects } = world.call(framework, {
    type: 'KILL',
    kill: { task_id: { value: 'never' } },
  });
  expect(statusesOf(effects, framework)).toEqual([
    { task: 'never', state: 'TASK_UNKNOWN', reason: 'REASON_RECONCILIATION' },
  ]);
});

test('KILL that names another agent is ignored', () => {
  const world = new World();
  const { framework, agent } = world.running();
  const { status, effects } = world.call(framework, {
    type: 'KILL',
    kill: { task_id: { value: 't' }, agent_id: { value: 'x' } },
  });
  expect(status).toBe(202);
  expect(framesOf(effects, agent.connection)).toEqual([]);
});

test('an acknowledgement for an agent that is away is dropped, the update comes again', () => {
  const world = new World();
  const { framework, agent } = world.running();
  world.update(agent, framework, 't', 'TASK_FINISHED', 2);
  world.handle({ kind: 'agentClosed', connection: agent.connection });
  expect(world.acknowledge(agent, framework, 't', 2).status).toBe(202);
  expect(world.master.snapshot().frameworks[0]?.tasks).toHaveLength(1);
});

test('messages go to executors and back', () => {
  const world = new World();
  const { framework, agent } = world.running();
  const { effects } = world.call(framework, {
    type: 'MESSAGE',
    message: { agent_id: { value: agent.id }, executor_id: { value: 'e' }, data: uuidOf(1) },
  });
  expect(framesOf(effects, agent.connection)).toMatchObject([{ type: 'FRAMEWORK_MESSAGE' }]);
  const back = world.frame(agent.connection, {
    type: 'EXECUTOR_MESSAGE',
    executor_message: {
      framework_id: { value: framework.id },
      executor_id: { value: 'e' },
      data: uuidOf(2),
    },
  });
  expect(eventsOf(back, framework.streamId)).toMatchObject([
    { type: 'MESSAGE', message: { agent_id: { value: agent.id } } },
  ]);
});

test('operations are unknown to a master that has none', () => {
  const world = new World();
  const framework = world.subscribe();
  const { effects } = world.call(framework, {
    type: 'RECONCILE_OPERATIONS',
    reconcile_operations: { operations: [{ operation_id: { value: 'x' } }] },
  });
  expect(eventsOf(effects, framework.streamId)[0]?.update_operation_status?.status).toMatchObject({
    state: 'OPERATION_UNKNOWN',
    message: "Reconciliation: Operation is unknown and no 'agent_id' was provided",
  });
});

test('new weights rescind what was offered by the old ones', () => {
  const world = new World();
  const framework = world.subscribe();
  world.register({ agent_info: { hostname: 'h', resources: resources({ cpus: 1 }) } });
  world.settle();
  const { status, effects } = world.operator({
    type: 'UPDATE_WEIGHTS',
    update_weights: { weight_infos: [{ role: 'dev', weight: 2 }] },
  });
  expect(status).toBe(200);
  expect(eventsOf(effects, framework.streamId).map(({ type }) => type)).toEqual(['RESCIND']);
  const refused = world.operator({
    type: 'UPDATE_WEIGHTS',
    update_weights: {
      weight_infos: [
        { role: 'x', weight: 1 },
        { role: 'dev', weight: -1 },
      ],
    },
  });
  expect([refused.status, refused.text]).toEqual([
    400,
    "Failed to validate update weights request JSON for role 'dev': Invalid weight '-1': Weights must be positive",
  ]);
  expect(world.master.state.weights.has('x')).toBe(false);
});

test('an offer that is left alone is rescinded after the offer time-out', () => {
  const world = new World({ offerTimeoutMs: 2_500 });
  const framework = world.subscribe();
  world.register();
  world.settle();
  const events = eventsOf(world.advance(2_500), framework.streamId).map(({ type }) => type);
  expect(events).toContain('RESCIND');
});
