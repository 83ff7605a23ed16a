import { describe, expect, test } from 'vitest';
import { frameworkInfo, reportedTask, World, type TestAgent } from '../testing/world.ts';
import { summaryOf } from '../views/incidents.ts';
import type { Incident } from './incidents.ts';
import { readRecord } from './registry.ts';

const incidents = (world: World): readonly Incident[] => [
  ...world.master.state.incidents.all.values(),
];
const told = (world: World): readonly string[] => incidents(world).map(summaryOf);

const close = (world: World, agent: TestAgent): void =>
  void world.handle({ kind: 'agentClosed', connection: agent.connection });

/** The agent registers with the id that it has. */
function comeBack(world: World, id: string, port = 5051): void {
  world.register({ agent_info: { id: { value: id }, hostname: 'host', port } });
}

/** What happens in a cluster whose framework has one task, and what is told of it. */
const scenes: readonly (readonly [string, (world: World) => void, readonly string[]])[] = [
  [
    'an agent that is back soon is no incident',
    (world) => {
      const { agent } = world.running();
      close(world, agent);
      world.advance(9_000);
      comeBack(world, agent.id);
    },
    [],
  ],
  [
    'an agent whose connection was broken for longer',
    (world) => {
      const { agent } = world.running();
      close(world, agent);
      world.advance(42_000);
      comeBack(world, agent.id);
    },
    ['Agent host was away for 42 s: its connection broke. It came back. No task was affected.'],
  ],
  [
    'tasks that are lost with the connection at once',
    (world) => {
      const { agent } = world.running(frameworkInfo({ checkpoint: false }));
      close(world, agent);
    },
    ['Agent host is away: its connection broke. 1 task was affected: 1 TASK_LOST.'],
  ],
  [
    'an agent whose host burnt down',
    (world) => {
      const { agent } = world.running();
      close(world, agent);
      world.advance(3_600_000);
    },
    ['Agent host is away: its connection broke. 1 task was affected: 1 TASK_UNREACHABLE.'],
  ],
  [
    'an agent that does not answer, and wakes up',
    (world) => {
      const { agent } = world.running();
      world.advance(100_000);
      comeBack(world, agent.id);
    },
    [
      'Agent host was away for 1 min 25 s: it did not answer 5 pings. It came back. 1 task was affected: 1 TASK_UNREACHABLE.',
    ],
  ],
  [
    'an unreachable agent that an operator gives up',
    (world) => {
      const { agent } = world.running();
      close(world, agent);
      world.advance(100_000);
      const gone = { agent_id: { value: agent.id } };
      world.operator({ type: 'MARK_AGENT_GONE', mark_agent_gone: gone });
    },
    [
      'Agent host was away for 1 min 40 s: its connection broke. It was removed. 1 task was affected: 1 TASK_UNREACHABLE.',
    ],
  ],
  [
    'an agent that is removed with its tasks',
    (world) => {
      const { agent } = world.running();
      world.frame(agent.connection, { type: 'UNREGISTER', unregister: {} });
    },
    ['Agent host was removed: Agent unregistered. 1 task was affected: 1 TASK_GONE.'],
  ],
  [
    'an agent that is removed without any is no incident',
    (world) => {
      const agent = world.register();
      world.frame(agent.connection, { type: 'UNREGISTER', unregister: {} });
    },
    [],
  ],
  [
    'a scheduler that comes back',
    (world) => {
      const { framework } = world.running();
      world.handle({ kind: 'streamClosed', streamId: framework.streamId });
      world.advance(2_000);
      world.subscribe(frameworkInfo({ id: { value: framework.id } }));
    },
    ['Framework test was away for 2 s: its connection broke. It came back. No task was affected.'],
  ],
  [
    'a scheduler without tasks that is back soon is no incident',
    (world) => {
      const framework = world.subscribe();
      world.handle({ kind: 'streamClosed', streamId: framework.streamId });
      world.advance(2_000);
      world.subscribe(frameworkInfo({ id: { value: framework.id } }));
    },
    [],
  ],
  [
    'a scheduler whose second instance takes over',
    (world) => {
      const { framework } = world.running();
      world.subscribe(frameworkInfo({ id: { value: framework.id } }));
    },
    [
      'Framework test was taken over by another instance: it subscribed anew while an older connection was open.',
    ],
  ],
  [
    'a scheduler that does not return',
    (world) => {
      const { framework } = world.running(frameworkInfo({ failover_timeout: 40 }));
      world.handle({ kind: 'streamClosed', streamId: framework.streamId });
      world.advance(40_000);
    },
    [
      'Framework test was away for 40 s: its connection broke. It was removed. 1 task was affected: 1 TASK_KILLED.',
    ],
  ],
  [
    'a framework that tears itself down is no incident',
    (world) => {
      const { framework } = world.running();
      world.operator({ type: 'TEARDOWN', teardown: { framework_id: { value: framework.id } } });
    },
    [],
  ],
];

describe('one master', () => {
  test.each(scenes)('%s', (_name, happen, expected) => {
    const world = new World();
    happen(world);
    expect(told(world)).toEqual(expected);
    // What is told is durable, and a successor tells the same.
    const kept = [...world.registry].flatMap(([key, value]) => readRecord({ key, value }) ?? []);
    expect(kept.flatMap((record) => (record.kind === 'incident' ? [record.incident] : []))).toEqual(
      incidents(world),
    );
  });
});

test('an incident is durable before it is told, and every change is told', () => {
  const world = new World();
  const { agent } = world.running();
  close(world, agent);
  world.advance(100_000);
  comeBack(world, agent.id);
  const seen = world.effects.flatMap((effect, index) => {
    if (effect.kind !== 'incident') return [];
    expect(world.effects[index - 1]?.kind).toBe('persist');
    return [{ number: effect.incident.number, outcome: effect.incident.outcome }];
  });
  expect(seen).toEqual([
    { number: 1, outcome: undefined },
    { number: 1, outcome: 'RETURNED' },
  ]);
});

describe('several masters', () => {
  /** A master that follows one with two agents. */
  function successor(info = frameworkInfo()): World {
    const first = new World();
    first.running(info);
    first.register();
    return new World({ id: 'n', registry: first.registry, pingIntervalMs: 1e9 });
  }

  test('a failover is over when the last agent is back or given up', () => {
    const world = successor();
    expect(told(world)).toEqual([
      'The master on localhost took over: another master led before. It waits for 2 agents.',
    ]);
    world.advance(3_000);
    comeBack(world, 'm-S0');
    world.advance(1_000);
    expect(told(world)[0]).toContain('It waits for 2 agents.');
    world.advance(596_000);
    expect(told(world)).toEqual([
      'The master on localhost took over: another master led before. 1 of 2 agents came back within 10 min.',
      'Agent host is away: it did not come back to a new master.',
      'Framework test is away: it did not come back to a new master.',
    ]);
  });

  test('a framework that is not back with the agents is missing, and may return', () => {
    const world = successor(frameworkInfo({ failover_timeout: 1e6 }));
    comeBack(world, 'm-S0');
    comeBack(world, 'm-S1', 5052);
    expect(told(world)).toHaveLength(1);
    world.advance(600_000);
    expect(told(world).at(-1)).toBe(
      'Framework test is away: it did not come back to a new master.',
    );
    world.subscribe(frameworkInfo({ id: { value: 'm-0000' } }));
    expect(told(world).at(-1)).toBe(
      'Framework test was away for 10 min: it did not come back to a new master. It came back. No task was affected.',
    );
  });

  test('the first master of a cluster is no incident, and numbers go on', () => {
    expect(told(new World())).toEqual([]);
    const world = successor();
    const third = new World({ id: 'o', registry: world.registry });
    // One after the other within a minute are one.
    expect(incidents(third)).toMatchObject([
      { number: 1, repeats: 1, subject: { id: 'o' }, leader: 'n' },
    ]);
    third.advance(120_000);
    const fourth = new World({ id: 'p', registry: third.registry });
    fourth.now = third.now;
    comeBack(fourth, 'm-S0');
    comeBack(fourth, 'm-S1', 5052);
    expect(incidents(fourth).at(-1)).toMatchObject({
      outcome: 'DONE',
      agents: { expected: 2, returned: 2 },
    });
  });

  test('an agent that was away when the master died ends its incident at the next', () => {
    const first = new World();
    const { framework, agent } = first.running();
    close(first, agent);
    first.advance(100_000);
    const world = new World({ id: 'n', registry: first.registry });
    world.now = first.now + 20_000;
    world.register({
      agent_info: { id: { value: agent.id }, hostname: 'host', port: 5051 },
      frameworks: [frameworkInfo({ id: { value: framework.id } })],
      tasks: [reportedTask('t', framework, agent)],
    });
    expect(incidents(world)[0]).toMatchObject({
      kind: 'AGENT_LOST',
      outcome: 'RETURNED',
      leader: 'm',
      tasksAffected: 1,
    });
  });
});

test('what happens again within a minute is one incident with a count', () => {
  const world = new World({ pingIntervalMs: 1e9 });
  const { framework } = world.running();
  let { streamId } = framework;
  for (let time = 0; time < 5; time++) {
    world.advance(59_999);
    world.handle({ kind: 'streamClosed', streamId });
    world.advance(1_000);
    ({ streamId } = world.subscribe(frameworkInfo({ id: { value: framework.id } })));
  }
  expect(incidents(world)).toMatchObject([{ repeats: 4, outcome: 'RETURNED' }]);
  world.advance(60_000);
  world.handle({ kind: 'streamClosed', streamId });
  expect(incidents(world)).toHaveLength(2);
});

test('the oldest are dropped, in the registry too', () => {
  const world = new World({ incidentsMax: 3 });
  const agents = Array.from({ length: 5 }, () => world.register());
  for (const agent of agents) close(world, agent);
  world.advance(100_000);
  expect(incidents(world).map(({ number }) => number)).toEqual([3, 4, 5]);
  const keys = [...world.registry.keys()].filter((key) => key.includes('incidents'));
  expect(keys).toEqual([3, 4, 5].map((number) => `master/incidents/00000000000${number}`));
  // Nothing of one that was dropped is gone on with.
  comeBack(world, agents[0]?.id ?? '');
  expect(incidents(world).map(({ number }) => number)).toEqual([3, 4, 5]);
});

test('an incident lists some of its tasks and counts all', () => {
  const world = new World();
  const framework = world.subscribe(frameworkInfo());
  const agent = world.register({
    tasks: [],
    agent_info: { hostname: 'h'.repeat(300), port: 5051 },
  });
  const tasks = Array.from({ length: 60 }, (_, index) =>
    reportedTask(`t${index}`, framework, agent),
  );
  world.register({
    agent_info: { id: { value: agent.id }, hostname: 'h'.repeat(300), port: 5051 },
    frameworks: [frameworkInfo({ id: { value: framework.id } })],
    tasks,
  });
  world.advance(200_000);
  const [incident] = incidents(world);
  expect(incident).toMatchObject({ tasksAffected: 60, subject: { name: 'h'.repeat(256) } });
  expect(incident?.tasks).toHaveLength(50);
  expect(incident && summaryOf(incident)).toMatch(/ 60 tasks were affected\.$/);
});

test.each([
  { kind: 'EARTHQUAKE' },
  { kind: 'AGENT_LOST', subject: {} },
  { kind: 'AGENT_LOST', subject: { id: 'a', name: 'h' }, started_at: 'yesterday' },
])('a record that cannot be read, %j, does not keep a master from starting', (value) => {
  const registry = new Map([['master/incidents/000000000007', value]]);
  const world = new World({ registry });
  expect(world.master.state.recovered).toBe(true);
  expect(incidents(world).map(({ kind }) => kind)).toEqual(['MASTER_ELECTED']);
});
