import { describe, expect, test } from 'vitest';
import { agentId, frameworkId, offerId } from '@dcos/base';
import { Resources } from '@dcos/resources';
import { DeclineStreaks } from './decline-streaks.ts';
import type { OfferRecord } from './state.ts';
import { resources } from '../testing/world.ts';

const MAX_MS = 60_000;

function offer(
  cpus: number,
  names: { readonly agent?: string; readonly role?: string } = {},
): OfferRecord {
  return {
    id: offerId('o'),
    frameworkId: frameworkId('f'),
    agentId: agentId(names.agent ?? 'a'),
    role: names.role ?? 'dev',
    resources: Resources.fromWire(resources({ cpus, mem: 32 })),
    offer: {
      id: { value: 'o' },
      framework_id: { value: 'f' },
      agent_id: { value: 'a' },
      hostname: 'h',
    },
    offeredMs: 0,
  };
}

/** How long each of so many refusals in a row lasts. */
function refuse(streaks: DeclineStreaks, times: number, record = offer(4), ms = 5_000): number[] {
  return Array.from({ length: times }, () => streaks.refuse(record, ms, MAX_MS));
}

describe('the same refusal again and again', () => {
  test('lasts as long as asked at first, then twice as long each time, up to the bound', () => {
    expect(refuse(new DeclineStreaks(), 8)).toEqual([
      5_000, 5_000, 10_000, 20_000, 40_000, 60_000, 60_000, 60_000,
    ]);
  });

  test('is never shortened, and none of 0 s is lengthened', () => {
    expect(refuse(new DeclineStreaks(), 4, offer(4), 3_600_000)).toEqual(
      Array.from({ length: 4 }, () => 3_600_000),
    );
    expect(refuse(new DeclineStreaks(), 4, offer(4), 0)).toEqual([0, 0, 0, 0]);
  });

  test('can be switched off', () => {
    const streaks = new DeclineStreaks();
    const lasted = Array.from({ length: 5 }, () => streaks.refuse(offer(4), 5_000, 0));
    expect(lasted).toEqual(Array.from({ length: 5 }, () => 5_000));
  });

  test('goes on when less is on offer', () => {
    const streaks = new DeclineStreaks();
    refuse(streaks, 3);
    expect(streaks.refuse(offer(2), 5_000, MAX_MS)).toBe(20_000);
  });
});

describe('a streak ends', () => {
  const ends: readonly {
    readonly what: string;
    readonly end: (streaks: DeclineStreaks) => OfferRecord;
  }[] = [
    { what: 'when more is on offer', end: () => offer(5) },
    {
      what: 'when the framework uses something of the agent',
      end: (streaks) => {
        streaks.end(offer(4));
        return offer(4);
      },
    },
    {
      what: 'when the framework asks anew',
      end: (streaks) => {
        streaks.endAll(frameworkId('f'));
        return offer(4);
      },
    },
    { what: 'at another agent', end: () => offer(4, { agent: 'b' }) },
    { what: 'at another role', end: () => offer(4, { role: 'ops' }) },
  ];
  test.each(ends)('$what', ({ end }) => {
    const streaks = new DeclineStreaks();
    refuse(streaks, 5);
    const next = end(streaks);
    expect(refuse(streaks, 3, next)).toEqual([5_000, 5_000, 10_000]);
  });
});
