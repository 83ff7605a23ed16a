import { expect, test } from 'vitest';
import type { Effect } from './effects.ts';
import type { MasterOptions } from './options.ts';
import { operatorEventsOf, World, type TestAgent } from '../testing/world.ts';

/** Pings of 15 s, of which the fifth that stays unanswered is one too many. */
const SILENT_MS = 90_000;

const counters = (world: World): Readonly<Record<string, number>> =>
  Object.fromEntries(
    [...world.master.state.counters]
      .filter(([name]) => /slave_(unreachable|removals)/.test(name))
      .map(([name, value]) => [name.replace('master/', ''), value]),
  );

const unreachable = (world: World): number => world.master.state.unreachableAgents.size;

function failureOf(effects: readonly Effect[]): string | undefined {
  return effects.flatMap((effect) => (effect.kind === 'fail' ? [effect.message] : []))[0];
}

/** A world whose agents are registered and their connections broken, so that no ping is answered. */
function silentWorld(agents: number, options: Partial<MasterOptions>) {
  const world = new World(options);
  const registered: TestAgent[] = [];
  for (let index = 0; index < agents; index++) registered.push(world.register());
  return { world, registered };
}

test('without a limit all that are silent are unreachable at once', () => {
  const { world } = silentWorld(3, {});
  const effects = world.advance(SILENT_MS);
  expect(unreachable(world)).toBe(3);
  expect(operatorEventsOf(effects).filter((type) => type === 'AGENT_REMOVED')).toHaveLength(3);
  expect(counters(world)).toEqual({
    slave_unreachable_scheduled: 3,
    slave_unreachable_completed: 3,
    slave_removals: 3,
    'slave_removals/reason_unhealthy': 3,
  });
});

test('a limit spaces them, and one that answers meanwhile stays', () => {
  const { world, registered } = silentWorld(3, {
    agentRemovalRate: { agents: 2, perMs: 60_000 },
  });
  world.advance(SILENT_MS);
  expect(unreachable(world)).toBe(1);
  world.advance(29_999);
  expect(unreachable(world)).toBe(1);
  const [, second, third] = registered;
  if (second === undefined || third === undefined) throw new Error('three agents');
  world.frame(second.connection, { type: 'PONG' });
  world.advance(1);
  expect([...world.master.state.agents.keys()]).toEqual([second.id]);
  expect(counters(world)).toEqual({
    slave_unreachable_scheduled: 3,
    slave_unreachable_completed: 2,
    slave_unreachable_canceled: 1,
    slave_removals: 2,
    'slave_removals/reason_unhealthy': 2,
  });
});

test.each([-3_600_000, 3_600_000])('a wall clock that is set by %i ms moves no turn', (byMs) => {
  const { world } = silentWorld(2, { agentRemovalRate: { agents: 1, perMs: 60_000 } });
  world.advance(SILENT_MS);
  world.wallOffsetMs = byMs;
  world.advance(59_999);
  expect(unreachable(world)).toBe(1);
  world.advance(1);
  expect(unreachable(world)).toBe(2);
});

test('the limit holds for later ones as well, and one that waits is asked again and may come back', () => {
  const { world, registered } = silentWorld(2, {
    agentRemovalRate: { agents: 1, perMs: 3_600_000 },
  });
  world.advance(SILENT_MS);
  expect(unreachable(world)).toBe(1);
  const waiting = registered.find(({ id }) => world.master.state.agents.has(id as never));
  const pings = world
    .advance(SILENT_MS)
    .filter((effect) => effect.kind === 'sendToAgent' && effect.frame.type === 'PING');
  expect(pings.length).toBeGreaterThan(0);
  world.frame(waiting?.connection ?? -1, { type: 'PONG' });
  world.advance(SILENT_MS);
  // Silent once more, it waits for the rest of the hour.
  expect(unreachable(world)).toBe(1);
  world.advance(3_600_000);
  expect(unreachable(world)).toBe(2);
});

test('an agent that operators mark gone does not wait any more', () => {
  const { world, registered } = silentWorld(2, {
    agentRemovalRate: { agents: 1, perMs: 3_600_000 },
  });
  world.advance(SILENT_MS);
  const waiting = registered.find(({ id }) => world.master.state.agents.has(id as never));
  world.operator({
    type: 'MARK_AGENT_GONE',
    mark_agent_gone: { agent_id: { value: waiting?.id ?? '' } },
  });
  expect(world.master.state.removalQueue.size).toBe(0);
  world.advance(7_200_000);
  expect(unreachable(world)).toBe(1);
});

/** A master that takes over a registry with agents, of which none has come back yet. */
function successor(agents: number, options: Partial<MasterOptions>): World {
  const first = new World();
  for (let index = 0; index < agents; index++) first.register();
  // Those that come back are not asked whether they are there, so they stay.
  return new World({ id: 'n', registry: first.registry, pingIntervalMs: 1e9, ...options });
}

const ids = (world: World): readonly string[] => [...world.master.state.recoveredAgents.keys()];

test.each([
  { limit: 1, back: 0, ends: false },
  { limit: 0.5, back: 2, ends: false },
  { limit: 0.5, back: 1, ends: true },
  { limit: 0, back: 3, ends: true },
  { limit: 0, back: 4, ends: false },
])('of 4 agents $back come back, with a limit of $limit: ends $ends', ({ limit, back, ends }) => {
  const world = successor(4, { recoveryAgentRemovalLimit: limit });
  for (const id of ids(world).slice(0, back)) {
    world.register({
      agent_info: { id: { value: id }, hostname: 'host', port: 5051 + Number(id.slice(-1)) },
    });
  }
  const effects = world.advance(600_000);
  expect(failureOf(effects) !== undefined).toBe(ends);
  if (!ends) expect(unreachable(world)).toBe(4 - back);
  else {
    expect(failureOf(effects)).toContain(`${4 - back} of 4 agents`);
    expect(effects.filter((effect) => effect.kind === 'persist')).toEqual([]);
    expect(ids(world)).toHaveLength(4 - back);
  }
});

test('agents that are missing after a failover wait their turn too, and may still come back', () => {
  const world = successor(3, { agentRemovalRate: { agents: 1, perMs: 60_000 } });
  world.advance(600_000);
  expect(unreachable(world)).toBe(1);
  const [next] = ids(world);
  world.register({ agent_info: { id: { value: next ?? '' }, hostname: 'host', port: 5051 } });
  world.advance(60_000);
  expect(unreachable(world)).toBe(2);
  expect(ids(world)).toEqual([]);
  expect(counters(world)).toMatchObject({
    recovery_slave_removals: 2,
    slave_unreachable_scheduled: 3,
    slave_unreachable_canceled: 1,
    slave_removals: 2,
  });
});
