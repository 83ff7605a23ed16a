import { describe, expect, test } from 'vitest';
import {
  eventsOf,
  framesOf,
  frameworkInfo,
  operatorEventsOf,
  reportedTask,
  resources,
  statusesOf,
  task,
  World,
  type TestAgent,
} from '../testing/world.ts';

const UNREACHABLE_MS = 90_000;

function away(world: World, agent: TestAgent): void {
  world.handle({ kind: 'agentClosed', connection: agent.connection });
}

function again(
  world: World,
  agent: TestAgent,
  tasks: Parameters<World['register']>[0] = {},
): TestAgent {
  return world.register({
    agent_info: {
      hostname: 'host',
      port: 5051 + agent.connection,
      id: { value: agent.id },
      resources: resources({ cpus: 4, mem: 4096, ports: [31_000, 31_100] }),
    },
    ...tasks,
  });
}

test('a lost connection withdraws the offers at once, the tasks stay', () => {
  const world = new World();
  const { framework, agent } = world.running();
  world.settle();
  const before = world.effects.length;
  away(world, agent);
  const effects = world.effects.slice(before);
  expect(eventsOf(effects, framework.streamId).map(({ type }) => type)).toEqual(['RESCIND']);
  expect(world.master.snapshot()).toMatchObject({
    offers: [],
    frameworks: [{ tasks: [{ taskId: 't' }] }],
  });
  world.advance(10_000);
  expect(world.offersOf(framework)).toEqual([]);
});

test('tasks of a framework that does not checkpoint are lost with the connection', () => {
  const world = new World();
  const { framework, agent } = world.running(frameworkInfo({ checkpoint: false }));
  const before = world.effects.length;
  away(world, agent);
  expect(statusesOf(world.effects.slice(before), framework)).toEqual([
    { task: 't', state: 'TASK_LOST', reason: 'REASON_AGENT_DISCONNECTED' },
  ]);
  // It still runs there: the agent is told to end what its framework has given up.
  const from = world.effects.length;
  const back = again(world, agent, { tasks: [reportedTask('t', framework, agent)] });
  expect(framesOf(world.effects.slice(from), back.connection).map(({ type }) => type)).toEqual([
    'REGISTERED',
    'KILL_TASK',
  ]);
});

test('an agent that stays away becomes unreachable, in the registry first', () => {
  const world = new World();
  const { framework, agent } = world.running();
  away(world, agent);
  expect(statusesOf(world.advance(60_000), framework)).toEqual([]);
  const effects = world.advance(UNREACHABLE_MS - 60_000);
  expect(statusesOf(effects, framework)).toEqual([
    { task: 't', state: 'TASK_UNREACHABLE', reason: 'REASON_AGENT_REMOVED' },
  ]);
  const kinds = effects.map((effect) =>
    effect.kind === 'sendToFramework' ? effect.event.type : effect.kind,
  );
  expect(kinds.filter((kind) => ['persist', 'UPDATE', 'FAILURE'].includes(kind ?? ''))).toEqual([
    'persist',
    // The incident.
    'persist',
    'UPDATE',
    'FAILURE',
  ]);
  expect([...world.registry.keys()].filter((key) => key.includes(agent.id))).toEqual([
    `master/unreachable/${agent.id}`,
  ]);
  expect(world.master.snapshot()).toMatchObject({ agents: [], unreachableAgents: [agent.id] });
});

test('a silent agent is unreachable too, one that answers is not', () => {
  const world = new World();
  const quiet = world.register();
  const lively = world.register();
  for (let at = 0; at < 200_000; at += 15_000) {
    world.advance(15_000);
    world.frame(lively.connection, { type: 'PONG' });
  }
  expect(world.master.snapshot()).toMatchObject({
    agents: [{ id: lively.id }],
    unreachableAgents: [quiet.id],
  });
  expect(
    framesOf(world.effects, quiet.connection).filter(({ type }) => type === 'PING'),
  ).toHaveLength(5);
});

test('an unreachable agent that is back brings its task back', () => {
  const world = new World();
  const { framework, agent } = world.running();
  away(world, agent);
  world.advance(UNREACHABLE_MS);
  const before = world.effects.length;
  again(world, agent, {
    frameworks: [frameworkInfo({ id: { value: framework.id } })],
    tasks: [reportedTask('t', framework, agent)],
  });
  expect(statusesOf(world.effects.slice(before), framework)).toEqual([
    { task: 't', state: 'TASK_RUNNING', reason: 'REASON_AGENT_REREGISTERED' },
  ]);
  expect(world.master.snapshot()).toMatchObject({
    unreachableAgents: [],
    frameworks: [
      {
        tasks: [{ taskId: 't', state: 'TASK_RUNNING', holdsResources: true }],
        unreachableTasks: [],
      },
    ],
  });
  expect([...world.registry.keys()].filter((key) => key.includes(agent.id))).toEqual([
    `master/agents/${agent.id}`,
  ]);
});

test('an unreachable agent that is back without the task: gone', () => {
  const world = new World();
  const { framework, agent } = world.running();
  away(world, agent);
  world.advance(UNREACHABLE_MS);
  const before = world.effects.length;
  again(world, agent);
  expect(statusesOf(world.effects.slice(before), framework)).toEqual([
    { task: 't', state: 'TASK_GONE', reason: 'REASON_AGENT_REREGISTERED' },
  ]);
  // Operators have heard TASK_UNREACHABLE; without this they would believe it for ever.
  expect(operatorEventsOf(world.effects.slice(before))).toContain('TASK_UPDATED');
});

test('a task that the agent does not know is asked for', () => {
  const world = new World();
  const { framework, agent } = world.running();
  away(world, agent);
  const before = world.effects.length;
  const back = again(world, agent);
  expect(framesOf(world.effects.slice(before), back.connection)).toMatchObject([
    { type: 'REGISTERED' },
    {
      type: 'RECONCILE',
      reconcile: { framework_id: { value: framework.id }, task_ids: [{ value: 't' }] },
    },
  ]);
});

test('a kill is sent again to an agent that was away', () => {
  const world = new World();
  const { framework, agent } = world.running();
  away(world, agent);
  expect(world.call(framework, { type: 'KILL', kill: { task_id: { value: 't' } } }).status).toBe(
    202,
  );
  const before = world.effects.length;
  const back = again(world, agent, { tasks: [reportedTask('t', framework, agent)] });
  expect(framesOf(world.effects.slice(before), back.connection).map(({ type }) => type)).toEqual([
    'REGISTERED',
    'KILL_TASK',
  ]);
});

test('a new connection of the same agent replaces the old one, whose end then means nothing', () => {
  const world = new World();
  const { framework, agent } = world.running();
  const back = again(world, agent, { tasks: [reportedTask('t', framework, agent)] });
  expect(world.effects).toContainEqual({ kind: 'closeAgent', connection: agent.connection });
  away(world, agent);
  expect(world.master.snapshot().agents).toMatchObject([{ id: agent.id, connected: true }]);
  expect(
    framesOf(
      world.call(framework, { type: 'KILL', kill: { task_id: { value: 't' } } }).effects,
      back.connection,
    ),
  ).toHaveLength(1);
});

test('UNREGISTER ends the tasks and forgets the agent', () => {
  const world = new World();
  const { framework, agent } = world.running();
  const effects = world.frame(agent.connection, { type: 'UNREGISTER', unregister: {} });
  expect(statusesOf(effects, framework)).toEqual([
    { task: 't', state: 'TASK_GONE', reason: 'REASON_AGENT_REMOVED' },
  ]);
  expect(operatorEventsOf(effects)).toEqual(['TASK_UPDATED', 'AGENT_REMOVED']);
  expect([...world.registry.keys()]).toEqual([
    `master/frameworks/${framework.id}`,
    'master/incidents/000000000001',
  ]);
});

test('an agent that is marked gone is told to end and may never return', () => {
  const world = new World();
  const { framework, agent } = world.running();
  const { status, effects } = world.operator({
    type: 'MARK_AGENT_GONE',
    mark_agent_gone: { agent_id: { value: agent.id } },
  });
  expect(status).toBe(200);
  expect(framesOf(effects, agent.connection).map(({ type }) => type)).toEqual(['SHUTDOWN']);
  expect(statusesOf(effects, framework)).toEqual([
    { task: 't', state: 'TASK_GONE_BY_OPERATOR', reason: 'REASON_AGENT_REMOVED_BY_OPERATOR' },
  ]);
  const next = new World({ id: 'n', registry: world.registry });
  const back = again(next, agent);
  expect(framesOf(next.effects, back.connection)).toMatchObject([
    { type: 'REJECTED', rejected: { shutdown: true } },
  ]);
  expect(
    world.operator({ type: 'MARK_AGENT_GONE', mark_agent_gone: { agent_id: { value: 'nope' } } })
      .status,
  ).toBe(404);
});

test('agents of the registry that do not come back are unreachable after the time-out', () => {
  const world = new World();
  const agent = world.register();
  const next = new World({ id: 'n', registry: world.registry });
  const framework = next.subscribe();
  expect(next.master.snapshot().recoveredAgents).toEqual([agent.id]);
  const effects = next.advance(600_000);
  expect(eventsOf(effects, framework.streamId).filter(({ type }) => type === 'FAILURE')).toEqual([
    { type: 'FAILURE', failure: { agent_id: { value: agent.id } } },
  ]);
  expect(next.master.snapshot().unreachableAgents).toEqual([agent.id]);
});

describe('peers that misbehave', () => {
  test('another protocol is rejected', () => {
    const world = new World();
    const agent = world.register({ protocol: 2 });
    expect(framesOf(world.effects, agent.connection)).toMatchObject([
      { type: 'REJECTED', rejected: { shutdown: false } },
    ]);
    expect(world.master.snapshot().agents).toEqual([]);
  });

  test('resources that are none are rejected', () => {
    const world = new World();
    world.register({ agent_info: { hostname: 'h', resources: resources({ cpus: -1 }) } });
    expect(
      world.effects.map((effect) => (effect.kind === 'sendToAgent' ? effect.frame.type : '')),
    ).toContain('REJECTED');
  });

  test('an id of another host is rejected', () => {
    const world = new World();
    const agent = world.register();
    world.register({ agent_info: { hostname: 'elsewhere', id: { value: agent.id } } });
    expect(world.master.snapshot().agents).toMatchObject([{ id: agent.id, connected: true }]);
  });

  test('a connection cannot speak for a second agent', () => {
    const world = new World();
    const agent = world.register();
    const effects = world.frame(agent.connection, {
      type: 'REGISTER',
      register: {
        protocol: 1,
        version: '1',
        ip: '127.0.0.1',
        agent_info: { hostname: 'host', id: { value: 'other' } },
      },
    });
    expect(framesOf(effects, agent.connection)).toMatchObject([{ type: 'REJECTED' }]);
  });

  test('frames before REGISTER end the connection', () => {
    const world = new World();
    expect(world.frame(77, { type: 'PONG' })).toContainEqual({
      kind: 'closeAgent',
      connection: 77,
    });
  });

  test('a repeated final update does not bring a task back', () => {
    const world = new World();
    const { framework, agent } = world.running();
    world.update(agent, framework, 't', 'TASK_FINISHED', 2);
    world.acknowledge(agent, framework, 't', 2);
    const effects = world.update(agent, framework, 't', 'TASK_FINISHED', 2);
    expect(eventsOf(effects, framework.streamId)).toEqual([]);
    expect(framesOf(effects, agent.connection).map(({ type }) => type)).toEqual(['ACKNOWLEDGE']);
  });

  test('a state after the final one is ignored', () => {
    const world = new World();
    const { framework, agent } = world.running();
    world.update(agent, framework, 't', 'TASK_FAILED', 2);
    world.update(agent, framework, 't', 'TASK_RUNNING', 3);
    expect(world.master.snapshot().frameworks[0]?.tasks).toMatchObject([
      { state: 'TASK_FAILED', holdsResources: false },
    ]);
  });
});

test('resources come back with the latest state, the record stays until the last update is acknowledged', () => {
  const world = new World();
  const framework = world.subscribe();
  const agent = world.register();
  world.settle();
  world.launch(framework, [task('t', agent)]);
  world.update(agent, framework, 't', 'TASK_RUNNING', 1, 'TASK_FINISHED');
  expect(world.master.snapshot().frameworks[0]?.tasks).toMatchObject([
    { state: 'TASK_FINISHED', holdsResources: false },
  ]);
  world.acknowledge(agent, framework, 't', 1);
  expect(world.master.snapshot().frameworks[0]?.tasks).toHaveLength(1);
  world.update(agent, framework, 't', 'TASK_FINISHED', 2);
  world.acknowledge(agent, framework, 't', 2);
  expect(world.master.snapshot().frameworks[0]?.tasks).toHaveLength(0);
});

test('a first registration over an older connection is a dead predecessor speaking late', () => {
  const world = new World();
  const register = {
    type: 'REGISTER',
    register: {
      protocol: 1,
      version: '1',
      ip: '127.0.0.1',
      agent_info: { hostname: 'host', port: 5051, resources: resources({ cpus: 4 }) },
    },
  } as const;
  world.frame(20, register);
  const [agent] = world.master.snapshot().agents;
  const effects = world.frame(10, register);
  expect(world.master.snapshot().agents).toEqual([agent]);
  expect(effects.filter(({ kind }) => kind !== 'log')).toEqual([
    { kind: 'closeAgent', connection: 10 },
  ]);
});
