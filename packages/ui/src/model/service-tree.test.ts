import { expect, test } from 'vitest';
import type { App } from '../api/types.ts';
import { groupTrail, parentGroup, rowFigures, sortRows, treeRows } from './service-tree.ts';
import type { Service } from './service-tree.ts';
import type { ServiceStatus } from './service-status.ts';

function service(
  id: string,
  status: ServiceStatus = 'running',
  change: Partial<App> = {},
): Service {
  return {
    app: { id, instances: 2, cpus: 0.5, mem: 128, tasksRunning: 2, ...change },
    status,
  };
}

const ALL = [
  service('/b'),
  service('/shop/web'),
  service('/shop/search/api', 'waiting', { tasksRunning: 1 }),
  service('/shopping'),
];

test('folders come first, each app is in one row', () => {
  const rows = treeRows(ALL, '/');
  expect(rows.map((row) => `${row.kind} ${row.id}`)).toEqual([
    'folder /shop',
    'service /b',
    'service /shopping',
  ]);
});

test('a group shows what is below it, not its namesakes', () => {
  const rows = treeRows(ALL, '/shop');
  expect(rows.map((row) => row.id)).toEqual(['/shop/search', '/shop/web']);
});

test('empty groups are folders too', () => {
  expect(treeRows([], '/', ['/', '/empty', '/empty/inner']).map((row) => row.id)).toEqual([
    '/empty',
  ]);
});

test('a folder has the worst status and the sums of what it contains', () => {
  const [folder] = treeRows(ALL, '/');
  if (folder === undefined) throw new Error('no folder');
  const figures = rowFigures(folder);
  expect(figures.status).toBe('waiting');
  expect(figures).toMatchObject({ instances: 4, running: 3, cpus: 2, memMebibytes: 512 });
  expect(figures.health.unscheduled).toBe(1);
});

test('sorting keeps folders ahead and breaks ties by name', () => {
  const rows = sortRows(treeRows(ALL, '/'), 'cpus', 'descending');
  expect(rows.map((row) => row.id)).toEqual(['/shop', '/b', '/shopping']);
});

test('breadcrumbs and parents of ids', () => {
  expect(groupTrail('/a/b')).toEqual([
    { id: '/a', name: 'a' },
    { id: '/a/b', name: 'b' },
  ]);
  expect(parentGroup('/a/b')).toBe('/a');
  expect(parentGroup('/a')).toBe('/');
});
