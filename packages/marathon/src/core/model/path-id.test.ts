import { describe, expect, test } from 'vitest';
import {
  comparePathIds,
  fromSafePath,
  hostnameOf,
  isDirectChild,
  isPathText,
  isWithin,
  parentOf,
  parsePathId,
  PATH_ID_LENGTH_MAX,
  pathProblem,
  resolvePath,
  safePath,
  topLevelGroupOf,
} from './path-id.ts';

describe('path ids', () => {
  test.each([
    ['web', '/', '/web'],
    ['/web', '/shop', '/web'],
    ['web', '/shop', '/shop/web'],
    ['/shop/web/', '/', '/shop/web'],
    ['//shop//web', '/', '/shop/web'],
    ['../web', '/shop/eu', '/shop/web'],
    ['../../../web', '/shop', '/web'],
    ['./web', '/shop', '/shop/web'],
    ['/', '/shop', '/'],
    ['', '/shop', '/shop'],
  ])('%j below %s is %s', (text, base, id) => {
    expect(resolvePath(text, base)).toBe(id);
    expect(parsePathId(text, base)).toBe(id);
  });

  test.each(['a', 'a-b', 'a.b-c.d', '0', '/a/../b', '/', 'a/b/'])('%j may be written', (text) => {
    expect(isPathText(text)).toBe(true);
  });

  test.each(['A', 'a_b', '-a', 'a-', 'a..b', '.a', 'a b', 'ü', 'a/...'])(
    '%j may not be written',
    (text) => {
      expect(isPathText(text)).toBe(false);
      expect(parsePathId(text)).toBeUndefined();
    },
  );

  test.each(['/a/restart', '/tasks', 'versions', 'a/..', '.'])('%s cannot be a name', (text) => {
    expect(pathProblem(text)).toContain('must not end with');
  });

  test('the length of an id has a bound', () => {
    const longest = `/${'a'.repeat(PATH_ID_LENGTH_MAX - 1)}`;
    expect(pathProblem(longest)).toBeUndefined();
    expect(pathProblem(`${longest}a`)).toContain('at most');
  });

  test('places in the tree', () => {
    expect(parentOf('/a/b')).toBe('/a');
    expect(parentOf('/a')).toBe('/');
    expect(parentOf('/')).toBe('/');
    expect(isDirectChild('/a/b', '/a')).toBe(true);
    expect(isDirectChild('/a/b/c', '/a')).toBe(false);
    expect(isDirectChild('/', '/')).toBe(false);
    expect(isWithin('/a/b', '/a')).toBe(true);
    expect(isWithin('/ab', '/a')).toBe(false);
    expect(topLevelGroupOf('/a/b/c')).toBe('/a');
    expect(topLevelGroupOf('/a')).toBeUndefined();
  });

  test('other forms', () => {
    expect(safePath('/a/b.c/d')).toBe('a_b.c_d');
    expect(fromSafePath('a_b.c_d')).toBe('/a/b.c/d');
    expect(hostnameOf('/a/b/c')).toBe('c.b.a');
  });

  test('the order is by segments, not by characters', () => {
    const ids = ['/a/b', '/a-b', '/a', '/b', '/a/a/a', '/'];
    expect(ids.sort(comparePathIds)).toEqual(['/', '/a', '/a/a/a', '/a/b', '/a-b', '/b']);
  });
});
