/** What layers remove, seen through a real overlay. */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getuid, platform } from 'node:process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '@dcos/base';
import { startTestRegistry, type TestRegistry } from '../testing/static-registry.ts';
import { openImageStore } from './image-store.ts';

const isAble = platform === 'linux' && getuid?.() === 0;
if (!isAble) console.warn('SKIPPED layers of images: overlays need Linux and root');

describe.skipIf(!isAble)('layers of images', () => {
  let root: string;
  let registry: TestRegistry;
  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'layers-'));
    registry = await startTestRegistry();
  });
  afterEach(async () => {
    await registry.close();
    rmSync(root, { recursive: true });
  });

  test('whiteouts and opaque directories hide what is below', async () => {
    const low = ['keep', 'gone', 'dir/gone', 'hidden/a', 'hidden/b'] as const;
    await registry.add('app:1', [
      low.map((name) => [{ name }, name] as const),
      [
        [{ name: '.wh.gone' }],
        [{ name: 'dir/.wh.gone' }],
        [{ name: 'hidden/', type: 'directory', mode: 0o750, uid: 7, gid: 8 }],
        [{ name: 'hidden/.wh..wh..opq' }],
        [{ name: 'hidden/c' }, 'c'],
      ],
    ]);
    const store = await openImageStore({ root: join(root, 'store'), logger: silentLogger });
    const image = { type: 'DOCKER', docker: { name: `${registry.host}/app:1` } } as const;
    const { rootfsLayers } = await store.prepare(image, { containerId: 'c1' });
    const point = join(root, 'mounted');
    mkdirSync(point);
    const lower = [...rootfsLayers].reverse().join(':');
    execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', `ro,lowerdir=${lower}`, point]);
    try {
      expect(readFileSync(join(point, 'keep'), 'utf8')).toBe('keep');
      expect(existsSync(join(point, 'gone'))).toBe(false);
      expect(readdirSync(join(point, 'dir'))).toEqual([]);
      expect(readdirSync(join(point, 'hidden'))).toEqual(['c']);
      const owner = execFileSync('stat', ['-c', '%u:%g %a', join(point, 'hidden')], {
        encoding: 'utf8',
      });
      expect(owner).toBe('7:8 750\n');
    } finally {
      execFileSync('umount', [point]);
    }
  });
});
