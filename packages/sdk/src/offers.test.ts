import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Resources } from '@dcos/resources';
import type { Offer, Resource } from '@dcos/wire';
import {
  createVolumes,
  launch,
  persistentVolume,
  reserve,
  reservedFor,
  withId,
} from './offer-operations.ts';
import { openOffer, portsOf, type Needs } from './offers.ts';

function offerOf(resources: readonly Resource[]): Offer {
  return {
    id: { value: 'o' },
    framework_id: { value: 'f' },
    agent_id: { value: 'a' },
    hostname: 'h',
    allocation_info: { role: 'web' },
    resources,
  };
}

const scalar = (name: string, value: number, rest: object = {}): Resource => ({
  name,
  type: 'SCALAR',
  scalar: { value },
  ...rest,
});
const ports = (...range: { readonly begin: number; readonly end: number }[]): Resource => ({
  name: 'ports',
  type: 'RANGES',
  ranges: { range },
});
const reservedForWeb = { reservations: [{ type: 'DYNAMIC', role: 'web' }] } as const;

const RESOURCES = [
  scalar('cpus', 1),
  scalar('cpus', 0.3, reservedForWeb),
  scalar('mem', 100),
  scalar('cpus', 8, { revocable: {} }),
  ports({ begin: 31_000, end: 31_001 }, { begin: 31_005, end: 31_005 }),
];

describe('an offer', () => {
  test.each<[Needs, number]>([
    [{}, Number.POSITIVE_INFINITY],
    [{ cpus: 0.1 }, 13],
    [{ cpus: 0.1, memMb: 32 }, 3],
    [{ cpus: 1.3 }, 1],
    [{ cpus: 1.301 }, 0],
    [{ ports: 2 }, 1],
    [{ ports: 4 }, 0],
    [{ gpus: 1 }, 0],
  ])('%j fits %d times', (needs, times) => {
    const offer = openOffer(offerOf(RESOURCES));
    expect(offer.howMany(needs)).toBe(times);
    expect(offer.fits(needs)).toBe(times > 0);
  });

  test('a slice has the reserved part first, and the ports that come first', () => {
    const offer = openOffer(offerOf(RESOURCES));
    const slice = offer.take({ cpus: 0.5, ports: 3 }) ?? [];
    expect(slice.filter(({ name }) => name === 'cpus')).toEqual([
      scalar('cpus', 0.3, reservedForWeb),
      scalar('cpus', 0.2),
    ]);
    expect(portsOf(slice)).toEqual([31_000, 31_001, 31_005]);
    expect(offer.take({ ports: 1 })).toBeUndefined();
    expect(offer.howMany({ cpus: 0.4 })).toBe(2);
  });

  test('slices and what is left are the offer, whatever is taken', () => {
    const needs = fc.record({
      cpus: fc.integer({ min: 0, max: 900 }).map((milli) => milli / 1000),
      memMb: fc.integer({ min: 0, max: 40 }),
      ports: fc.integer({ min: 0, max: 2 }),
    });
    fc.assert(
      fc.property(fc.array(needs, { maxLength: 6 }), (wanted) => {
        const offer = openOffer(offerOf(RESOURCES));
        let sum = Resources.empty;
        for (const each of wanted) {
          const times = offer.howMany(each);
          const slice = offer.take(each);
          expect(slice !== undefined).toBe(times > 0);
          sum = sum.add(Resources.fromWire(slice));
        }
        expect(sum.add(Resources.fromWire(offer.left()))).toEqual(Resources.fromWire(RESOURCES));
      }),
    );
  });
});

describe('operations', () => {
  test('reserve, create and launch on a slice', () => {
    const disk = openOffer(offerOf([scalar('disk', 64)])).take({ diskMb: 32 }) ?? [];
    const reserved = reservedFor(disk, { role: 'web', principal: 'p' });
    const [piece] = reserved;
    if (piece === undefined) throw new Error('no disk');
    expect(reserve(reserved).reserve?.resources).toMatchObject([
      { scalar: { value: 32 }, reservations: [{ type: 'DYNAMIC', role: 'web', principal: 'p' }] },
    ]);
    const volume = persistentVolume(piece, { id: 'v1', containerPath: 'data' });
    expect(Resources.fromWire([volume]).isEmpty()).toBe(false);
    expect(withId('op-1', createVolumes(volume))).toMatchObject({
      id: { value: 'op-1' },
      type: 'CREATE',
      create: { volumes: [{ disk: { persistence: { id: 'v1' } } }] },
    });
    const task = { name: 'n', task_id: { value: 't' }, agent_id: { value: 'a' } };
    expect(launch(task)).toEqual({ type: 'LAUNCH', launch: { task_infos: [task] } });
  });

  test('a further reservation keeps those below it', () => {
    const [refined] = reservedFor([scalar('cpus', 1, reservedForWeb)], { role: 'web/a' });
    expect(refined?.reservations?.map(({ role }) => role)).toEqual(['web', 'web/a']);
  });
});
