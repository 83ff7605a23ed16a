import { describe, expect, test } from 'vitest';
import { explore, type Scenario } from './explore.ts';
import { SCENARIOS } from './scenarios.ts';
import { ATOMICITY_MUTATION, MUTATIONS } from './testing/mutations.ts';

const STATES_MAX = 50_000;
const REST_EVERY = 10;
/** A test takes seconds; machines that do other things beside may need minutes. */
const PATIENCE_MS = 300_000;
/** What fits into half a minute, and how many states that is at the least: a world that stands still has few. */
const DEPTHS: Readonly<Record<string, { readonly depth: number; readonly states: number }>> = {
  registration: { depth: 12, states: 600 },
  launch: { depth: 8, states: 1_000 },
  'end of a task': { depth: 6, states: 800 },
  'two masters fail': { depth: 7, states: 500 },
  operations: { depth: 5, states: 300 },
  'gone among faults': { depth: 5, states: 300 },
  'a kill among faults': { depth: 6, states: 1_000 },
};

describe('no order of events violates an invariant:', () => {
  test.each(SCENARIOS)('$name', { timeout: PATIENCE_MS }, (scenario) => {
    const { depth = 0, states = 0 } = DEPTHS[scenario.name] ?? {};
    const result = explore({ scenario, depth, statesMax: STATES_MAX, restEvery: REST_EVERY });
    expect(result.violation).toBeUndefined();
    expect(result.isComplete).toBe(true);
    expect(result.states).toBeGreaterThan(states);
    expect(result.schedules).toBeGreaterThan(result.states);
  });
});

test('the same exploration has the same result', () => {
  const [scenario] = SCENARIOS as readonly [Scenario];
  const options = { scenario, depth: 6, statesMax: STATES_MAX, restEvery: REST_EVERY };
  expect(explore(options)).toEqual(explore(options));
});

test('an exploration that is cut off says so', () => {
  const [scenario] = SCENARIOS as readonly [Scenario];
  const result = explore({ scenario, depth: 12, statesMax: 20, restEvery: REST_EVERY });
  expect(result.isComplete).toBe(false);
});

describe('the shortest schedule to a defect is found:', () => {
  // What an agent forgets is a stray container only after a while, and here no time passes before it ends.
  // There are no operators and no reservations.
  const found = MUTATIONS.filter(
    ({ name }) =>
      name !== 'an agent that forgets its tasks at a restart' &&
      !/operators|gone|drained|operations|reservations|machines|quota|decided|deactivated/.test(
        name,
      ),
  );
  test.each(found)('$name', { timeout: PATIENCE_MS }, ({ parts, objection }) => {
    const texts: string[] = [];
    for (const scenario of SCENARIOS.slice(0, 2)) {
      const options = { scenario, depth: 7, statesMax: STATES_MAX, restEvery: REST_EVERY };
      const { violation } = explore({ ...options, ...parts });
      if (violation !== undefined) texts.push(violation.text);
    }
    expect(texts[0]).toMatch(objection);
  });
});

test('a crash between two writes that belong together is found', { timeout: PATIENCE_MS }, () => {
  const scenario = SCENARIOS.find(({ name }) => name === 'operations') as Scenario;
  const { parts, objection } = ATOMICITY_MUTATION;
  const options = { scenario, depth: 6, statesMax: STATES_MAX, restEvery: REST_EVERY };
  expect(explore({ ...options, ...parts }).violation?.text).toMatch(objection);
});
