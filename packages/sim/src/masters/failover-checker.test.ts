import { expect, test } from 'vitest';
import { connect } from '../connection.ts';
import type { AgentLink } from '../simulated-master.ts';
import { createWorld } from '../world.ts';
import { createFailoverChecker } from './failover-checker.ts';

const SILENT = { receive: () => undefined, closed: () => undefined };

/** What an agent is in turn: registered at a connection of that epoch, and what runs there. */
interface Moment {
  readonly epoch?: number;
  readonly phase?: string;
  readonly running?: readonly string[];
}

/** What the checker says to each of these. */
function verdicts(moments: readonly Moment[]): readonly (string | undefined)[] {
  let changes = 0;
  let now: Moment = {};
  const link = connect(createWorld(1), 'link', SILENT, SILENT) satisfies AgentLink;
  const agent = {
    name: 'agent',
    get changes() {
      return changes;
    },
    core: () => ({ snapshot: () => ({ phase: now.phase ?? 'registered' }) }),
    link: () => (now.epoch === undefined ? undefined : link),
    runningTaskIds: () => now.running ?? [],
  };
  const check = createFailoverChecker([agent], () => now.epoch ?? 0);
  return moments.map((moment) => {
    now = moment;
    changes += 1;
    return check();
  });
}

test.each([
  ['a later leader', [{ epoch: 1 }, { epoch: 2 }], undefined],
  ['the same one, anew', [{ epoch: 2 }, {}, { epoch: 2 }], undefined],
  [
    'an earlier leader',
    [{ epoch: 2 }, { epoch: 1 }],
    'agent obeys the leader of epoch 1 after that of 2',
  ],
  [
    'an earlier one that it only asks',
    [{ epoch: 2 }, { epoch: 1, phase: 'registering' }],
    undefined,
  ],
  ['a task that goes on', [{ running: ['a'] }, { running: ['a', 'b'] }], undefined],
  [
    'a task that comes back',
    [{ running: ['a'] }, {}, { running: ['a'] }],
    'agent runs a a second time',
  ],
])('%s', (_what, moments: readonly Moment[], verdict) => {
  expect(verdicts(moments).at(-1)).toBe(verdict);
});
