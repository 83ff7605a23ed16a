import { describe, expect, test } from 'vitest';
import type { AppDefinition, Group, PathId, RootGroup } from './app-definition.ts';
import { dependencyLevels, findDependencyLevels } from './dependency-graph.ts';
import { findGroup, putApp, putGroup } from './group.ts';
import { parentOf } from './path-id.ts';
import { created, EMPTY, FIRST } from './testing/fixtures.ts';

const BASE = created({});

function tree(
  apps: Readonly<Record<PathId, readonly PathId[]>>,
  groups: Readonly<Record<PathId, readonly PathId[]>> = {},
): RootGroup {
  let root: RootGroup = EMPTY;
  for (const [id, dependencies] of Object.entries(apps)) {
    root = putApp(root, { ...BASE, id, dependencies } satisfies AppDefinition, FIRST);
  }
  for (const [id, dependencies] of Object.entries(groups)) {
    const empty: Group = { id, apps: new Map(), groups: new Map(), dependencies, version: FIRST };
    root = putGroup(root, { ...(findGroup(root, id) ?? empty), dependencies }, FIRST);
  }
  return root;
}

describe('dependency levels', () => {
  test('of independent apps are one level, in order of id', () => {
    expect(dependencyLevels(tree({ '/b': [], '/a-b': [], '/a/x': [] }))).toEqual([
      ['/a/x', '/a-b', '/b'],
    ]);
    expect(dependencyLevels(EMPTY)).toEqual([]);
  });

  test('are the length of the longest path below', () => {
    const root = tree({ '/a': [], '/b': ['/a'], '/c': ['/b', '/a'], '/d': ['/a'], '/e': [] });
    expect(dependencyLevels(root)).toEqual([['/a', '/e'], ['/b', '/d'], ['/c']]);
    const either = tree({ '/a': [], '/b': ['/z'], '/c': ['/b', '/a', '/z'], '/z': [] });
    expect(dependencyLevels(either)).toEqual([['/a', '/z'], ['/b'], ['/c']]);
  });

  test('on a group mean all that is in it', () => {
    const root = tree({
      '/data/db': ['/data/disk'],
      '/data/disk': [],
      '/data/x/y': [],
      '/web': ['/data'],
    });
    expect(dependencyLevels(root)).toEqual([['/data/disk', '/data/x/y'], ['/data/db'], ['/web']]);
  });

  test('of a group are those of all that is in it', () => {
    const root = tree({ '/a/x': [], '/a/b/y': [], '/c/z': [] }, { '/a': ['/c'] });
    expect(dependencyLevels(root)).toEqual(
      [['/c/z'], ['/a/x', '/a/b/y']].map((level) => level.sort()),
    );
  });

  test('go through empty groups', () => {
    const root = tree({ '/a/x': [] }, { '/a': ['/empty'], '/empty': ['/a'] });
    expect(dependencyLevels(root)).toEqual([['/a/x']]);
  });

  test('on what is not there count for nothing', () => {
    expect(dependencyLevels(tree({ '/a': ['/gone'] }))).toEqual([['/a']]);
  });

  test.each<[string, RootGroup]>([
    ['itself', tree({ '/a': ['/a'] })],
    ['one another', tree({ '/a': ['/b'], '/b': ['/c'], '/c': ['/a'], '/d': [] })],
    ['their own group', tree({ '/a/x': ['/a'] })],
    ['the root', tree({ '/a/x': ['/'] })],
    [
      'groups that depend on one another',
      tree({ '/a/x': [], '/b/y': [] }, { '/a': ['/b'], '/b': ['/a'] }),
    ],
    ['their group’s dependents', tree({ '/a/x': ['/b/y'], '/b/y': [] }, { '/b': ['/a'] })],
  ])('cycles are found: %s', (_name, root) => {
    expect(findDependencyLevels(root)).toBeUndefined();
    expect(() => dependencyLevels(root)).toThrow('cycle');
  });

  test('of long chains and of large groups cost little', () => {
    const chain = Object.fromEntries(
      Array.from({ length: 3000 }, (_, index) => [
        `/c/a${index}`,
        index === 0 ? [] : [`/c/a${index - 1}`],
      ]),
    );
    expect(dependencyLevels(tree(chain))).toHaveLength(3000);
    const wide = Object.fromEntries(
      ['a', 'b'].flatMap((group) =>
        Array.from({ length: 1000 }, (_, index) => [`/${group}/x${index}`, []]),
      ),
    );
    const levels = dependencyLevels(tree(wide, { '/b': ['/a'] }));
    expect(levels.map((level) => [level.length, parentOf(level[0] ?? '')])).toEqual([
      [1000, '/a'],
      [1000, '/b'],
    ]);
  });
});
