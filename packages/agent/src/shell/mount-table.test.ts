import { expect, test } from 'vitest';
import { mountOf, parseMountTable } from './mount-table.ts';

const TABLE = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
31 22 8:2 / /srv rw,noatime - xfs /dev/sdb rw,inode64,prjquota
32 22 8:3 / /srv/a\\040b rw shared:2 master:1 - xfs /dev/sdc rw,noquota
33 22 0:5 / /srv rw - tmpfs tmpfs rw
`;

test('a table tells places, types and options of file systems', () => {
  expect(parseMountTable(TABLE).map(({ point, type }) => [point, type])).toEqual([
    ['/', 'ext4'],
    ['/srv', 'xfs'],
    ['/srv/a b', 'xfs'],
    ['/srv', 'tmpfs'],
  ]);
  expect(parseMountTable(TABLE)[1]?.options).toEqual(new Set(['rw', 'inode64', 'prjquota']));
});

test.each([
  ['/', 'ext4'],
  ['/srv2', 'ext4'],
  ['/srv', 'tmpfs'],
  ['/srv/x', 'tmpfs'],
  ['/srv/a b/c', 'xfs'],
])('what is mounted for %s', (path, type) => {
  expect(mountOf(path, parseMountTable(TABLE))?.type).toBe(type);
});
