/** What layers remove, seen through a real overlay. */

import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getuid, platform } from 'node:process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { errorText, silentLogger } from '@dcos/base';
import {
  startTestRegistry,
  type LayerEntry,
  type TestRegistry,
} from '../testing/static-registry.ts';
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

  /** Mounts an image of these layers, the lowest first, and looks at it. */
  async function look(
    layers: readonly (readonly LayerEntry[])[],
    see: (point: string) => void,
  ): Promise<void> {
    await registry.add('app:1', layers);
    const store = await openImageStore({ root: join(root, 'store'), logger: silentLogger });
    const image = { type: 'DOCKER', docker: { name: `${registry.host}/app:1` } } as const;
    const { rootfsLayers } = await store.prepare(image, { containerId: 'c1' });
    const point = join(root, 'mounted');
    mkdirSync(point);
    const lower = [...rootfsLayers].reverse().join(':');
    execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', `ro,lowerdir=${lower}`, point]);
    try {
      see(point);
    } finally {
      execFileSync('umount', [point]);
    }
  }

  test('whiteouts and opaque directories hide what is below', async () => {
    const low = ['keep', 'gone', 'dir/gone', 'hidden/a', 'hidden/b'] as const;
    await look(
      [
        low.map((name) => [{ name }, name] as const),
        [
          [{ name: '.wh.gone' }],
          [{ name: 'dir/.wh.gone' }],
          [{ name: 'hidden/', type: 'directory', mode: 0o750, uid: 7, gid: 8 }],
          [{ name: 'hidden/.wh..wh..opq' }],
          [{ name: 'hidden/c' }, 'c'],
        ],
      ],
      (point) => {
        expect(readFileSync(join(point, 'keep'), 'utf8')).toBe('keep');
        expect(existsSync(join(point, 'gone'))).toBe(false);
        expect(readdirSync(join(point, 'dir'))).toEqual([]);
        expect(readdirSync(join(point, 'hidden'))).toEqual(['c']);
        const owner = execFileSync('stat', ['-c', '%u:%g %a', join(point, 'hidden')], {
          encoding: 'utf8',
        });
        expect(owner).toBe('7:8 750\n');
      },
    );
  });

  // Whatever the order: a whiteout is about layers below.
  const NEW_FILE = [{ name: 'file' }, 'new'] as const;
  const NEW_DIRECTORY = [{ name: 'dir/new' }, 'new'] as const;
  test.each<[order: string, entries: readonly LayerEntry[]]>([
    ['after', [NEW_FILE, NEW_DIRECTORY, [{ name: '.wh.file' }], [{ name: '.wh.dir' }]]],
    ['before', [[{ name: '.wh.file' }], [{ name: '.wh.dir' }], NEW_FILE, NEW_DIRECTORY]],
  ])('a whiteout %s what is new in its layer leaves that', async (_order, entries) => {
    await look(
      [
        [
          [{ name: 'file' }, 'old'],
          [{ name: 'dir/old' }, 'old'],
        ],
        entries,
      ],
      (point) => {
        expect(readFileSync(join(point, 'file'), 'utf8')).toBe('new');
        expect(readdirSync(join(point, 'dir'))).toEqual(['new']);
      },
    );
  });

  test('an entry of another kind replaces the one below', async () => {
    await look(
      [
        [
          [{ name: 'a/in' }, 'in'],
          [{ name: 'b/in' }, 'in'],
          [{ name: 'c' }, 'c'],
        ],
        [
          [{ name: 'a' }, 'file'],
          [{ name: 'b', type: 'symlink', linkname: 'c' }],
          [{ name: 'c/in' }, 'in'],
        ],
      ],
      (point) => {
        expect(readFileSync(join(point, 'a'), 'utf8')).toBe('file');
        expect(readlinkSync(join(point, 'b'))).toBe('c');
        expect(readdirSync(join(point, 'c'))).toEqual(['in']);
      },
    );
  });

  test('hard links are links; one name can go without the other', async () => {
    const link = (name: string, linkname: string): LayerEntry => [{ name, type: 'link', linkname }];
    await look(
      [
        [[{ name: 'a', mode: 0o4755, uid: 7 }, 'one'], link('d/b', 'a'), link('c', 'd/b')],
        [[{ name: '.wh.a' }]],
      ],
      (point) => {
        expect(existsSync(join(point, 'a'))).toBe(false);
        const [b, c] = ['d/b', 'c'].map((name) => statSync(join(point, name)));
        expect(b?.ino).toBe(c?.ino);
        expect([b?.nlink, b?.uid, b?.mode]).toEqual([3, 7, 0o104755]);
        expect(readFileSync(join(point, 'd/b'), 'utf8')).toBe('one');
      },
    );
  });

  test('a hard link to a file of a layer below is refused: no layer is made of another', async () => {
    const layers: readonly (readonly LayerEntry[])[] = [
      [[{ name: 'a' }, 'one']],
      [[{ name: 'b', type: 'link', linkname: 'a' }]],
    ];
    const failed: unknown = await look(layers, () => undefined).catch((error: unknown) => error);
    expect(errorText(failed)).toContain('nothing that can be linked');
  });
});
