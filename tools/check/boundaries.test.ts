import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkBoundaries } from './boundaries.ts';
import { findCycle } from './graph.ts';

const fixture = join(import.meta.dirname, 'fixtures', 'boundaries');

test('the fixture fails by every rule', () => {
  expect(checkBoundaries(fixture)).toEqual([
    "@fixture/component-b: package.json must name its layer as nx tag 'layer:…'",
    'packages/component-a/src/core/machine.ts: ../shell/server.ts: a core imports what lies outside of src/core',
    'packages/component-a/src/core/machine.ts: ../../../pure-a/src/index.ts: a relative import leaves its package',
    'packages/component-a/src/index.ts: @fixture/pure-a: is not declared in package.json',
    'packages/component-a/src/index.ts: undeclared: is not declared in package.json',
    'packages/pure-a/src/index.ts: node:fs/promises: pure code has no access to the environment',
    'packages/pure-a/src/index.ts: left-pad: is not on the list of pure npm packages',
    'packages/pure-a/src/index.ts: @fixture/component-a: pure code may not use component packages',
    'packages/pure-a/src/index.ts: node:net: pure code has no access to the environment',
  ]);
});

test('a cycle is named', () => {
  expect(
    findCycle(
      new Map([
        ['a', ['b']],
        ['b', ['c']],
        ['c', ['b']],
      ]),
    ),
  ).toEqual(['b', 'c', 'b']);
  expect(
    findCycle(
      new Map([
        ['a', ['b', 'c']],
        ['b', ['c']],
      ]),
    ),
  ).toBeUndefined();
});
