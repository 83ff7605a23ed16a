import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keyOf, nodeNameOf } from './keys.ts';
import { pathProblem } from './paths.ts';

test.each([
  ['master/agents/a-1.b', 'master%2Fagents%2Fa-1.b'],
  ['..', '%2E.'],
  ['50%', '50%25'],
  ['Zürich', 'Z%C3%BCrich'],
])('%s', (key, name) => {
  expect(nodeNameOf(key)).toBe(name);
  expect(keyOf(name)).toBe(key);
});

test('every key has a name that ZooKeeper takes, and comes back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (key) => {
      expect(keyOf(nodeNameOf(key))).toBe(key);
      expect(pathProblem(`/${nodeNameOf(key)}`)).toBeUndefined();
    }),
  );
});

test.each(['a/b', '%zz', '%4', '%ff', 'a%2e', '%41'])('%s is the name of no key', (name) => {
  expect(keyOf(name)).toBeUndefined();
});
