import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Resource } from '@dcos/wire';
import {
  addRanges,
  containsRanges,
  countOfRanges,
  normaliseRanges,
  subtractRanges,
  type Range,
} from './ranges.ts';
import { Resources } from './resources.ts';

const ranges = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 8 })), {
    maxLength: 6,
  })
  .map((pairs) => pairs.map(([begin, length]) => ({ begin, end: begin + length })));
const role = fc.constantFrom('*', 'web', 'web/front', 'batch');

const resource: fc.Arbitrary<Resource> = fc
  .tuple(
    fc.oneof(
      fc
        .tuple(fc.constantFrom('cpus', 'mem', 'disk'), fc.integer({ min: 0, max: 100_000 }))
        .map(([name, milli]): Resource => ({
          name,
          type: 'SCALAR',
          scalar: { value: milli / 1000 },
        })),
      ranges.map((range): Resource => ({ name: 'ports', type: 'RANGES', ranges: { range } })),
      fc
        .uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'))
        .map((item): Resource => ({ name: 'zones', type: 'SET', set: { item } })),
    ),
    role,
    fc.boolean(),
  )
  .map(([plain, reservedFor, revocable]) => ({
    ...plain,
    ...(reservedFor === '*'
      ? {}
      : { reservations: [{ type: 'STATIC' as const, role: reservedFor }] }),
    ...(revocable ? { revocable: {} } : {}),
  }));

const resourceList = fc.array(resource, { maxLength: 8 });
const any = resourceList.map((list) => Resources.fromWire(list));
/** Two that share no port and no set item, so that adding them loses nothing. */
const scalarsOnly = any.map((all) => all.filter((item) => item.type === 'SCALAR'));

function members(all: readonly Range[]): ReadonlySet<number> {
  const set = new Set<number>();
  for (const { begin, end } of all) for (let port = begin; port <= end; port++) set.add(port);
  return set;
}

test('reading what was written gives the same', () => {
  fc.assert(fc.property(any, (all) => Resources.fromWire(all.toWire()).equals(all)));
});

test('the wire form depends on the content, not on the order', () => {
  fc.assert(
    fc.property(resourceList, (list) => {
      expect(Resources.fromWire([...list].reverse()).toWire()).toEqual(
        Resources.fromWire(list).toWire(),
      );
    }),
  );
});

test('adding and subtracting undo one another', () => {
  fc.assert(
    fc.property(scalarsOnly, scalarsOnly, (left, right) => {
      expect(left.add(right).subtract(right).equals(left)).toBe(true);
      expect(left.add(right).equals(right.add(left))).toBe(true);
    }),
  );
});

test('subtraction works exactly when it is contained, and what is left plus what was taken is the whole', () => {
  fc.assert(
    fc.property(any, any, (whole, part) => {
      if (!whole.contains(part)) {
        expect(() => whole.subtract(part)).toThrow('would be taken');
        return;
      }
      const rest = whole.subtract(part);
      expect(rest.add(part).equals(whole)).toBe(true);
      for (const milli of rest.scalarQuantities().values()) expect(milli).toBeGreaterThan(0);
    }),
  );
});

test('few among many are added, found and taken away as they are entry by entry', () => {
  // Each with labels of its own, so that all of them stay apart.
  const labelled = (at: number, milli: number): Resource => ({
    name: at % 3 === 0 ? 'mem' : 'cpus',
    type: 'SCALAR',
    scalar: { value: milli / 1000 },
    reservations: [
      {
        type: 'DYNAMIC',
        role: 'web',
        labels: { labels: [{ key: 'k', value: String(at) }] },
      },
    ],
  });
  const picks = fc.array(fc.tuple(fc.nat(63), fc.integer({ min: 1, max: 4 })), { maxLength: 4 });
  fc.assert(
    fc.property(fc.integer({ min: 8, max: 64 }), picks, (size, chosen) => {
      const many = Resources.fromWire(Array.from({ length: size }, (_, at) => labelled(at, 2)));
      const few = Resources.fromWire(chosen.map(([at, milli]) => labelled(at, milli)));
      const sum = Resources.fromEntries([...many.entries, ...few.entries]);
      expect(many.add(few).equals(sum)).toBe(true);
      expect(few.add(many).equals(sum)).toBe(true);
      expect(sum.subtract(few).equals(many)).toBe(true);
      const isHeld = few.entries.every(
        (entry) =>
          many.filterEntries(
            ({ nature, milli }) => nature.key === entry.nature.key && milli >= entry.milli,
          ).entries.length === 1,
      );
      expect(many.contains(few)).toBe(isHeld);
      if (isHeld) expect(many.subtract(few).add(few).equals(many)).toBe(true);
      else expect(() => many.subtract(few)).toThrow('would be taken');
    }),
  );
});

test('what is free and what is reserved make up the whole', () => {
  fc.assert(
    fc.property(any, (all) => {
      expect(all.unreserved().add(all.reserved()).equals(all)).toBe(true);
      expect(all.revocable().add(all.nonRevocable()).equals(all)).toBe(true);
      expect(all.allocate('web').unallocate().equals(all)).toBe(true);
    }),
  );
});

test('ranges keep their numbers and are sorted, disjoint and not adjacent', () => {
  fc.assert(
    fc.property(ranges, (list) => {
      const normal = normaliseRanges(list);
      expect(members(normal)).toEqual(members(list));
      expect(countOfRanges(normal)).toBe(members(list).size);
      for (const [index, range] of normal.entries()) {
        const next = normal[index + 1];
        if (next !== undefined) expect(next.begin).toBeGreaterThan(range.end + 1);
      }
    }),
  );
});

test('operations on ranges are those of sets of numbers', () => {
  fc.assert(
    fc.property(ranges, ranges, (one, two) => {
      const left = normaliseRanges(one);
      const right = normaliseRanges(two);
      const [all, taken] = [members(left), members(right)];
      expect(members(addRanges(left, right))).toEqual(new Set([...all, ...taken]));
      expect([...members(subtractRanges(left, right))]).toEqual(
        [...all].filter((number) => !taken.has(number)),
      );
      expect(containsRanges(left, right)).toBe([...taken].every((number) => all.has(number)));
    }),
  );
});

test('the quick summary says what the resources say', () => {
  fc.assert(
    fc.property(resourceList, (list) => {
      expect(Resources.summaryOfWire(list)).toEqual(Resources.fromWire(list).summary());
    }),
  );
  const plain = resourceList.map((list) =>
    list
      .filter(({ scalar }) => scalar !== undefined)
      .map(({ revocable: _revocable, ...rest }) => rest),
  );
  fc.assert(
    fc.property(plain, (list) => {
      expect(Resources.summaryOfWire(list)).toEqual(Resources.fromWire(list).summary());
    }),
  );
});
