import fc from 'fast-check';
import { expect, test } from 'vitest';
import { World, type TestAgent } from '../testing/world.ts';

const PING_MS = 1_000;
const PINGS_MISSED_MAX = 2;
/** One that answers at least this often is not silent. */
const PATIENCE_MS = PING_MS * PINGS_MISSED_MAX;

test('whoever answers when: marks keep their distance, and only the silent are marked', () => {
  const step = fc.record({
    waitMs: fc.integer({ min: 0, max: 5_000 }),
    answers: fc.nat({ max: 9 }),
  });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 40 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 60_000 }),
      (steps, agents, perMs) => {
        const world = new World({
          pingIntervalMs: PING_MS,
          pingsMissedMax: PINGS_MISSED_MAX,
          agentRemovalRate: { agents, perMs },
        });
        const registered: TestAgent[] = [];
        for (let index = 0; index < 10; index++) registered.push(world.register());
        const heardAt = new Map(registered.map(({ id }) => [id, world.now]));
        for (const { waitMs, answers } of steps) {
          world.advance(waitMs);
          const agent = registered[answers];
          if (agent === undefined || !world.master.state.agents.has(agent.id as never)) continue;
          world.frame(agent.connection, { type: 'PONG' });
          heardAt.set(agent.id, world.now);
        }
        const marks = [...world.master.state.unreachableAgents];
        for (const [index, [id, at]] of marks.entries()) {
          expect(at - (heardAt.get(id) ?? at)).toBeGreaterThanOrEqual(PATIENCE_MS);
          const before = marks[index - 1]?.[1];
          if (before !== undefined) expect(at - before).toBeGreaterThanOrEqual(perMs / agents);
        }
        const { agents: left, removalQueue } = world.master.state;
        expect(left.size + marks.length).toBe(registered.length);
        for (const id of removalQueue) expect(left.has(id)).toBe(true);
      },
    ),
    { numRuns: 100 },
  );
});
