import { expect, test } from 'vitest';
import { compareText } from '@dcos/base';
import { World } from '../testing/world.ts';

const DAY_MS = 24 * 3_600_000;

/** A world in which one agent was unreachable and one gone at the start, another of each a day later. */
function worldWithHistory(options: ConstructorParameters<typeof World>[0] = {}): World {
  const world = new World(options);
  const lose = (): void => {
    const [silent, gone] = [world.register(), world.register()];
    world.operator({
      type: 'MARK_AGENT_GONE',
      mark_agent_gone: { agent_id: { value: gone.id } },
    });
    world.handle({ kind: 'agentClosed', connection: silent.connection });
    world.advance(100_000);
  };
  lose();
  world.advance(DAY_MS);
  lose();
  return world;
}

const kept = (world: World): readonly string[] =>
  [...world.registry.keys()].filter((key) => /unreachable|gone/.test(key)).sort();

test('what is too old is deleted from the registry at the next look, the rest stays', () => {
  const world = worldWithHistory({ removedAgentAgeMaxMs: 2 * DAY_MS });
  const all = kept(world);
  expect(all).toHaveLength(4);
  world.advance(DAY_MS - 1_000_000);
  expect(kept(world)).toEqual(all);
  world.advance(2_000_000);
  expect(kept(world)).toEqual(['master/gone/m-S3', 'master/unreachable/m-S2']);
  expect([...world.master.state.goneAgents.keys()]).toEqual(['m-S3']);
  world.advance(2 * DAY_MS);
  expect(kept(world)).toEqual([]);
});

test('a successor goes by age, not by the order in which the registry lists them', () => {
  const before = worldWithHistory();
  // The names sort the other way round.
  const registry = new Map(
    [...before.registry].map(([key, value]) => [
      key.replace('m-S0', 'm-S9').replace('m-S1', 'm-S8'),
      value,
    ]),
  );
  const world = new World({
    id: 'n',
    registry: new Map([...registry].sort(([left], [right]) => compareText(left, right))),
    removedAgentsMax: 2,
  });
  world.now = before.now;
  const agent = world.register();
  world.operator({ type: 'MARK_AGENT_GONE', mark_agent_gone: { agent_id: { value: agent.id } } });
  expect([...world.master.state.goneAgents.keys()]).toEqual(['m-S3', agent.id]);
});

test('what operators decided about an agent is forgotten with it', () => {
  const world = new World({ removedAgentAgeMaxMs: DAY_MS });
  const agent = world.register();
  world.operator({
    type: 'DEACTIVATE_AGENT',
    deactivate_agent: { agent_id: { value: agent.id } },
  });
  world.handle({ kind: 'agentClosed', connection: agent.connection });
  world.advance(100_000);
  expect(world.registry.has(`master/policies/${agent.id}`)).toBe(true);
  world.advance(DAY_MS + 900_000);
  expect([...world.registry.keys()].filter((key) => !key.includes('incidents'))).toEqual([]);
  expect(world.master.state.policies.size).toBe(0);
});

test('very many are deleted in several writes', () => {
  const registry = new Map(
    Array.from({ length: 2_500 }, (_, index) => [`master/gone/a${index}`, { since: index }]),
  );
  const world = new World({ registry, removedAgentAgeMaxMs: 1 });
  const writes = world
    .advance(900_000)
    .flatMap((effect) => (effect.kind === 'persist' ? [effect.writes.length] : []));
  expect(writes).toEqual([1_000, 1_000, 500]);
  expect([...world.registry.keys()]).toEqual(['master/incidents/000000000001']);
});
