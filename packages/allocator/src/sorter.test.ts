import { seededRandom } from '@dcos/base';
import { expect, test } from 'vitest';
import { Sorter, type SorterNode } from './sorter.ts';

interface Client {
  readonly path: string;
  readonly leaf: SorterNode<Client>;
}

/** A sorter of paths over a cluster of 100 cpus and 100 of memory. */
function sorterOf(...paths: readonly string[]): {
  sorter: Sorter<Client>;
  client: (path: string) => Client;
} {
  const sorter = new Sorter<Client>({ counts: () => true });
  const clients = new Map<string, Client>();
  sorter.setTotal(Float64Array.of(100, 100));
  const client = (path: string): Client => {
    let known = clients.get(path);
    if (known === undefined) {
      known = sorter.add(path.split('/'), (leaf) => ({ path, leaf }));
      sorter.setActive(known.leaf, { active: true });
      clients.set(path, known);
    }
    return known;
  };
  for (const path of paths) client(path);
  return { sorter, client };
}

function order(sorter: Sorter<Client>): string {
  const paths: string[] = [];
  sorter.walk(({ path }) => paths.push(path) > 0);
  return paths.join(' ');
}

/** Each row: what clients have (cpus, memory), weights, and the order that follows. */
test.each<
  [
    string,
    Readonly<Record<string, readonly [number, number]>>,
    Readonly<Record<string, number>>,
    string,
  ]
>([
  ['paths break ties', { b: [0, 0], a: [0, 0], c: [0, 0] }, {}, 'a b c'],
  ['the dominant share counts, not the sum', { a: [10, 10], b: [15, 0], c: [0, 12] }, {}, 'a c b'],
  ['weights divide shares', { a: [10, 0], b: [30, 0] }, { b: 4 }, 'b a'],
  [
    'a weight holds against siblings only',
    { 'a/x': [10, 0], 'a/y': [5, 0], b: [8, 0] },
    { a: 2 },
    'a/y a/x b',
  ],
  ['a subtree is one competitor', { 'a/x': [6, 0], 'a/y': [6, 0], b: [10, 0] }, {}, 'b a/x a/y'],
  [
    'a client above others competes with them',
    { a: [4, 0], 'a/x': [2, 0], 'a/y': [6, 0] },
    {},
    'a/x a a/y',
  ],
  [
    'deep trees',
    { 'a/b/c/d': [1, 0], 'a/b/e': [2, 0], 'a/f': [9, 0], z: [11, 0] },
    {},
    'z a/b/c/d a/b/e a/f',
  ],
])('%s', (_name, holdings, weights, expected) => {
  const { sorter, client } = sorterOf(...Object.keys(holdings));
  for (const [path, weight] of Object.entries(weights)) sorter.setWeight(path, weight);
  sorter.refresh();
  for (const [path, amounts] of Object.entries(holdings)) {
    if (amounts.some((amount) => amount > 0))
      sorter.change(client(path).leaf, Float64Array.from(amounts), 1);
  }
  expect(order(sorter)).toBe(expected);
});

test('clients of equal share take turns', () => {
  const { sorter, client } = sorterOf('a', 'b', 'c');
  const served: string[] = [];
  for (let turn = 0; turn < 6; turn++) {
    const first = order(sorter).split(' ')[0] ?? '';
    served.push(first);
    sorter.change(client(first).leaf, Float64Array.of(1, 1), 1);
    sorter.change(client(first).leaf, Float64Array.of(1, 1), -1);
  }
  expect(served.join(' ')).toBe('a b c a b c');
});

test('inactive clients are not listed, and keep their share', () => {
  const { sorter, client } = sorterOf('a', 'b/c');
  sorter.change(client('a').leaf, Float64Array.of(5, 5), 1);
  sorter.setActive(client('a').leaf, { active: false });
  expect(order(sorter)).toBe('b/c');
  sorter.setActive(client('b/c').leaf, { active: false });
  expect(order(sorter)).toBe('');
  expect(sorter.hasActiveClients).toBe(false);
  sorter.setActive(client('b/c').leaf, { active: true });
  sorter.setActive(client('a').leaf, { active: true });
  expect(order(sorter)).toBe('b/c a');
});

test('a child may come to a leaf and go again', () => {
  const { sorter, client } = sorterOf('a', 'b');
  sorter.change(client('a').leaf, Float64Array.of(3, 0), 1);
  sorter.change(client('b').leaf, Float64Array.of(4, 0), 1);
  sorter.change(client('a/x').leaf, Float64Array.of(2, 0), 1);
  expect(order(sorter)).toBe('b a/x a');
  sorter.remove(client('a/x').leaf);
  expect(order(sorter)).toBe('a b');
});

test('a child may come to a role that is above others, and to an inactive client', () => {
  const { sorter, client } = sorterOf('a/x', 'b', 'c');
  sorter.change(client('a/x').leaf, Float64Array.of(3, 0), 1);
  sorter.change(client('b').leaf, Float64Array.of(4, 0), 1);
  sorter.change(client('c').leaf, Float64Array.of(5, 0), 1);
  sorter.change(client('a').leaf, Float64Array.of(1, 0), 1);
  // With 4 each, a was served more often than b.
  expect(order(sorter)).toBe('b a a/x c');
  sorter.setActive(client('b').leaf, { active: false });
  sorter.change(client('b/y').leaf, Float64Array.of(2, 0), 1);
  expect(order(sorter)).toBe('a a/x c b/y');
  sorter.setActive(client('b').leaf, { active: true });
  expect(order(sorter)).toBe('a a/x c b/y b');
});

test('what is left of a deep tree stands where it stood', () => {
  const { sorter, client } = sorterOf('a/b/c/d', 'a/b/c/e', 'z');
  sorter.change(client('a/b/c/d').leaf, Float64Array.of(1, 0), 1);
  sorter.change(client('a/b/c/e').leaf, Float64Array.of(5, 0), 1);
  sorter.change(client('z').leaf, Float64Array.of(3, 0), 1);
  sorter.remove(client('a/b/c/e').leaf);
  expect(order(sorter)).toBe('a/b/c/d z');
  expect(sorter.find('a/b/c/e')).toBeUndefined();
  sorter.remove(client('a/b/c/d').leaf);
  expect(order(sorter)).toBe('z');
  expect(sorter.find('a')).toBeUndefined();
});

test('a removed client leaves nothing in the shares of those above it', () => {
  const { sorter, client } = sorterOf('a/x', 'a/y', 'b');
  sorter.change(client('a/x').leaf, Float64Array.of(9, 0), 1);
  sorter.change(client('a/y').leaf, Float64Array.of(1, 0), 1);
  sorter.change(client('b').leaf, Float64Array.of(5, 0), 1);
  expect(order(sorter)).toBe('b a/y a/x');
  sorter.remove(client('a/x').leaf);
  expect(order(sorter)).toBe('a/y b');
});

test('a change of totals changes the dominant resource', () => {
  const { sorter, client } = sorterOf('a', 'b');
  sorter.change(client('a').leaf, Float64Array.of(10, 1), 1);
  sorter.change(client('b').leaf, Float64Array.of(1, 8), 1);
  expect(order(sorter)).toBe('b a');
  sorter.setTotal(Float64Array.of(1000, 100));
  expect(order(sorter)).toBe('a b');
});

test('resources without a total and excluded ones do not count', () => {
  const sorter = new Sorter<Client>({ counts: (index) => index !== 1 });
  sorter.setTotal(Float64Array.of(100, 100));
  const [a, b] = ['a', 'b'].map((path) => sorter.add([path], (leaf) => ({ path, leaf })));
  if (a === undefined || b === undefined) throw new Error('two clients');
  for (const { leaf } of [a, b]) sorter.setActive(leaf, { active: true });
  sorter.change(a.leaf, Float64Array.of(1, 90, 90), 1);
  sorter.change(b.leaf, Float64Array.of(2, 0, 0), 1);
  expect(order(sorter)).toBe('a b');
});

test('drawn orders follow the weights', () => {
  const sorter = new Sorter<Client>({ counts: () => true, random: seededRandom(7) });
  for (const path of ['a', 'b']) {
    const { leaf } = sorter.add([path], (own) => ({ path, leaf: own }));
    sorter.setActive(leaf, { active: true });
  }
  sorter.setWeight('b', 3);
  let firstIsB = 0;
  for (let draw = 0; draw < 4000; draw++) if (order(sorter).startsWith('b')) firstIsB += 1;
  expect(firstIsB / 4000).toBeGreaterThan(0.72);
  expect(firstIsB / 4000).toBeLessThan(0.78);
});
