import { mkdirSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fakeXfsQuota, mountLine, type FakeXfsQuota } from '../testing/fake-xfs-quota.ts';
import { openXfsQuota, parseReport } from './xfs-quota.ts';

let root = '';
let fake: FakeXfsQuota;
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'dcos-xfs-')));
  fake = fakeXfsQuota(root);
});
afterEach(async () => await rm(root, { recursive: true, force: true }));

test('a directory gets its project where the tool runs, so that any name will do', async () => {
  const quota = await openXfsQuota(root, true, fake.places);
  const path = join(root, 'a role', "it's");
  mkdirSync(path, { recursive: true });
  await quota.limit(5000, { softBytes: 1024, hardBytes: 2048 });
  await quota.limit(5001, { softBytes: undefined, hardBytes: undefined });
  await quota.mark(path, 5000, 'new');
  await quota.mark(path, 5000, 'whole');
  expect(fake.calls()).toEqual([
    { cwd: '/', command: 'limit -p bsoft=1024 bhard=2048 5000', mount: '/' },
    { cwd: '/', command: 'limit -p bsoft=0 bhard=0 5001', mount: '/' },
    { cwd: path, command: 'project -s -d 0 -p . 5000', mount: '/' },
    { cwd: path, command: 'project -s -d -1 -p . 5000', mount: '/' },
  ]);
  const used = await quota.report();
  expect([...used.keys()]).toEqual([0, 5000]);
  expect(used.get(0)).toBe(8 * 1024);
});

test.each([
  ['#5000            1024          0       2048     00 [--------]', [[5000, 1024 * 1024]]],
  [
    '#7  4  0  0  00 [7 days]\n#5001 0 0 0 00 [--------]',
    [
      [7, 4096],
      [5001, 0],
    ],
  ],
  ['5002  12  0  0  00 [--------]\n\n', [[5002, 12 * 1024]]],
  ['Project quota on /home (/dev/sda1)\n---------- ----\nname 1 2 3 00 [-]', []],
  ['', []],
] as const)('a report says what is used: %j', (output, used) => {
  expect([...parseReport(output)]).toEqual(used);
});

test('a failure is one although the tool ends with 0, and has its words', async () => {
  const quota = await openXfsQuota(root, true, fake.places);
  fake.fail({ command: 'limit', stderr: 'xfs_quota: cannot set limits: Operation not permitted' });
  await expect(quota.limit(5000, { softBytes: 1, hardBytes: 1 })).rejects.toThrow(
    /failed at 'limit .*': xfs_quota: cannot set limits: Operation not permitted$/,
  );
});

const OPTIONS = 'rw,attr2,inode64';
test.each([
  ['ext4', mountLine('ext4', 'rw'), true, /type ext4, mounted at '\/'; it must be xfs/],
  ['no quotas', mountLine('xfs', `${OPTIONS},noquota`), false, /has no project quotas: .*prjquota/],
  ['of users', mountLine('xfs', `${OPTIONS},usrquota`), true, /has no enforced project quotas/],
  ['counting', mountLine('xfs', `${OPTIONS},pqnoenforce`), true, /has no enforced project quotas/],
  ['elsewhere', mountLine('xfs', 'rw,prjquota', '/none'), true, /nothing is mounted for/],
  [
    'an inner one',
    [mountLine('xfs', 'rw,prjquota'), mountLine('tmpfs', 'rw', tmpdir())].join('\n'),
    true,
    /type tmpfs/,
  ],
])('says what is missing of the file system: %s', async (_name, line, enforces, problem) => {
  fake.setMount(line);
  await expect(openXfsQuota(root, enforces, fake.places)).rejects.toMatchObject({
    code: 'DISK_QUOTA_UNUSABLE',
    message: expect.stringMatching(problem) as string,
  });
});

test('counting is enough where nothing is enforced', async () => {
  fake.setMount(mountLine('xfs', `${OPTIONS},pqnoenforce`));
  await expect(openXfsQuota(root, false, fake.places)).resolves.toBeDefined();
});

test('says what is missing of the tool', async () => {
  const places = { ...fake.places, tool: join(root, 'none') };
  await expect(openXfsQuota(root, true, places)).rejects.toThrow(
    /there is no '.*none': install it \(apt-get install xfsprogs\)/,
  );
  fake.fail({ command: 'report', stderr: 'xfs_quota: cannot open /: Permission denied' });
  await expect(openXfsQuota(root, true, fake.places)).rejects.toThrow(/Permission denied/);
});
