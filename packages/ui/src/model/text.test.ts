import { describe, expect, test } from 'vitest';
import type { Deployment } from '../api/types.ts';
import { progressPercent, rollbackEffect, stepState } from './deployment-view.ts';
import {
  formatAge,
  formatBytes,
  formatDuration,
  formatMebibytes,
  formatNumber,
  shortTaskId,
} from './format.ts';
import { fuzzyScore, fuzzySort } from './fuzzy.ts';
import { diffLines, foldDiff } from './json-diff.ts';

describe('amounts', () => {
  test.each([
    [formatNumber(0.30000000000000004), '0.3'],
    [formatMebibytes(512), '512 MiB'],
    [formatMebibytes(1536), '1.5 GiB'],
    [formatMebibytes(1024 * 1024 * 2), '2 TiB'],
    [formatBytes(100), '100 B'],
    [formatBytes(2048), '2 KiB'],
    [formatDuration(59.4), '59 s'],
    [formatDuration(3600), '1 h'],
    [formatAge(0, 1000), 'now'],
    [formatAge(0, 120_000), '2 min ago'],
    [formatAge(Number.NaN, 0), ''],
  ])('%s', (actual, expected) => {
    expect(actual).toBe(expected);
  });

  test('task ids are shortened to their telling part', () => {
    expect(shortTaskId('shop_web.instance-5f2c9a14-1f0e-11ee-8c99-0242ac110002._app.3')).toBe(
      '5f2c9a14.3',
    );
    expect(shortTaskId('sleeper')).toBe('sleeper');
  });
});

describe('fuzzy search', () => {
  test('a run beats scattered letters, a word start beats the middle', () => {
    const items = ['/shop/w-e-b', '/cobweb', '/shop/web'];
    expect(fuzzySort('web', items, (item) => item)).toEqual([
      '/shop/web',
      '/cobweb',
      '/shop/w-e-b',
    ]);
  });

  test('letters that are not there do not match', () => {
    expect(fuzzyScore('xyz', '/shop/web')).toBeUndefined();
  });
});

test('a diff keeps what is common and leads from one to the other', () => {
  const before = '{\n  "a": 1,\n  "b": 2,\n  "c": 3\n}';
  const after = '{\n  "a": 1,\n  "c": 3,\n  "d": 4\n}';
  const lines = diffLines(before, after);
  const without = (kind: string): string =>
    lines
      .filter((line) => line.kind !== kind)
      .map((line) => line.text)
      .join('\n');
  expect(without('add')).toBe(before);
  expect(without('remove')).toBe(after);
  expect(lines[1]).toEqual({ kind: 'same', text: '  "a": 1,' });
});

test('long unchanged stretches of a diff are folded, and nothing is lost', () => {
  const numbered = Array.from({ length: 30 }, (_, index) => `line ${index}`);
  const changed = numbered.with(15, 'changed');
  const blocks = foldDiff(diffLines(numbered.join('\n'), changed.join('\n')));
  expect(
    blocks.map((block) => (block.kind === 'hidden' ? block.count : block.lines.length)),
  ).toEqual([12, 8, 11]);
});

describe('deployments', () => {
  const deployment: Deployment = {
    id: 'd',
    version: '',
    affectedApps: ['/new'],
    steps: [
      { actions: [{ action: 'StartApplication', app: '/new' }] },
      { actions: [{ action: 'ScaleApplication', app: '/new' }] },
    ],
    currentActions: [],
    currentStep: 2,
    totalSteps: 2,
  };

  test('progress counts finished steps', () => {
    expect(progressPercent(deployment)).toBe(50);
    expect([0, 1].map((index) => stepState(deployment, index))).toEqual(['done', 'current']);
    expect(progressPercent({ ...deployment, currentStep: 0 })).toBe(0);
  });

  test('rolling back the creation of an app deletes it', () => {
    expect(rollbackEffect(deployment).deletes).toEqual(['/new']);
  });
});
