import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRandom } from '@dcos/base';
import { choosePorts, type PortRequest } from './port-matching.ts';

const request: fc.Arbitrary<PortRequest> = fc.oneof(
  fc.constant({ kind: 'none' as const }),
  fc.constant({ kind: 'random' as const }),
  fc.record({ kind: fc.constant('fixed' as const), port: fc.integer({ min: 1, max: 60 }) }),
);

/** Ranges that do not overlap, in any order, over a few resources. */
const offered = fc
  .uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 12 })
  .map((ports) => ports.map((port) => ({ begin: port, end: port })));

test('chosen ports were offered, are chosen once, and are refused only when there are too few', () => {
  fc.assert(
    fc.property(
      fc.array(request, { maxLength: 6 }),
      offered,
      offered,
      fc.integer(),
      (requests, first, second, seed) => {
        const taken = new Set(first.map(({ begin }) => begin));
        const others = second.filter(({ begin }) => !taken.has(begin));
        const resources = [first, others].map((range) => ({
          name: 'ports',
          type: 'RANGES' as const,
          ranges: { range },
        }));
        const all = new Set([...first, ...others].map(({ begin }) => begin));
        const choice = choosePorts(requests, resources, seededRandom(seed));
        const fixed = requests.flatMap((one) => (one.kind === 'fixed' ? [one.port] : []));
        const wanted = requests.filter(({ kind }) => kind !== 'none').length;
        const isPossible =
          new Set(fixed).size === fixed.length &&
          fixed.every((port) => all.has(port)) &&
          wanted <= all.size;
        if ('missing' in choice) {
          expect(isPossible).toBe(false);
          return;
        }
        expect(isPossible).toBe(true);
        const chosen = choice.hostPorts.filter((port) => port !== null);
        expect(new Set(chosen).size).toBe(wanted);
        expect(chosen.every((port) => all.has(port))).toBe(true);
        for (const [index, one] of requests.entries()) {
          if (one.kind === 'fixed') expect(choice.hostPorts[index]).toBe(one.port);
          if (one.kind === 'none') expect(choice.hostPorts[index]).toBeNull();
        }
        const fromResources = [...choice.taken].flatMap(([index, ports]) =>
          ports.map((port) => ({ index, port })),
        );
        expect(new Set(fromResources.map(({ port }) => port))).toEqual(new Set(chosen));
        expect(fromResources).toHaveLength(chosen.length);
        for (const { index, port } of fromResources) {
          expect(resources[index]?.ranges.range.some(({ begin }) => begin === port)).toBe(true);
        }
      },
    ),
  );
});
