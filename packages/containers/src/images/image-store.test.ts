/** The image store against a registry on loopback: what is kept, what is refused, what survives a restart. */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Image } from '@dcos/wire';
import { dockerConfigOf, failureOf, imageScene, type ImageScene } from '../testing/image-scene.ts';
import type { TestRegistry } from '../testing/static-registry.ts';
import type { ImageStore } from './image-store.ts';

const BASE = [[{ name: 'etc/', type: 'directory' }], [{ name: 'etc/motd' }, 'low\n']] as const;
const TOP = [[{ name: 'etc/motd' }, 'high\n']] as const;

const scene = imageScene();
let registry: TestRegistry;
let store: ImageStore;
let root: string;

const image = (name: string, more: Partial<Image> = {}): Image => scene().image(name, more);
const config = (user: string, password: string): string =>
  dockerConfigOf(registry.host, user, password);
const open: ImageScene['open'] = async (more) => await scene().open(more);
const leftovers = (): readonly string[] => scene().leftovers();

beforeEach(async () => {
  ({ registry } = scene());
  root = join(scene().path, 'store');
  store = await open();
});

describe('the image store', () => {
  test('fetches an image by tag and digest, and keeps it', async () => {
    const { digest } = await registry.add('app:1', [BASE, TOP], { Cmd: ['/bin/x'], User: 'u' });
    const prepared = await store.prepare(image('app:1'), { containerId: 'c1' });
    expect(prepared.config).toEqual({ Cmd: ['/bin/x'], User: 'u' });
    const motds = prepared.rootfsLayers.map((path) => readFileSync(join(path, 'etc/motd'), 'utf8'));
    expect(motds).toEqual(['low\n', 'high\n']);
    const before = registry.requests.length;
    const again = await store.prepare(image('app:1'), { containerId: 'c2' });
    expect(again).toEqual(prepared);
    expect(registry.requests.length).toBe(before);
    const byDigest = await store.prepare(image(`app@${digest}`), { containerId: 'c3' });
    expect(byDigest).toEqual(prepared);
    expect(registry.requests.filter((path) => path.includes('/blobs/')).length).toBe(3);
    expect(leftovers()).toEqual([]);
  });

  test('asks the registry again when the copy is not wanted', async () => {
    await registry.add('app:1', [BASE]);
    await store.prepare(image('app:1'), { containerId: 'c1' });
    await registry.add('app:1', [BASE, TOP]);
    const fresh = await store.prepare(image('app:1', { cached: false }), { containerId: 'c2' });
    expect(fresh.rootfsLayers.length).toBe(2);
  });

  test('many tasks at once fetch everything once, also what two images share', async () => {
    await registry.add('app:1', [BASE, TOP]);
    await registry.add('more:1', [BASE, TOP, TOP]);
    const tasks = Array.from({ length: 16 }, (_, index) => ({
      wanted: image(index % 2 === 0 ? 'app:1' : 'more:1'),
      containerId: `c${index}`,
    }));
    await Promise.all(
      tasks.map(async ({ wanted, containerId }) => await store.prepare(wanted, { containerId })),
    );
    // Two configurations, and the two layers that both images have.
    const blobs = registry.requests.filter((path) => path.includes('/blobs/'));
    const digests = blobs.map((path) => path.split('/').at(-1));
    expect([digests.length, new Set(digests).size]).toEqual([4, 4]);
    expect(leftovers()).toEqual([]);
  });

  test('what a container holds stays, also over a restart; the rest is pruned', async () => {
    await registry.add('app:1', [BASE, TOP]);
    await registry.add('other:1', [BASE]);
    await store.prepare(image('app:1'), { containerId: 'c1' });
    await store.prepare(image('other:1'), { containerId: 'c2' });
    writeFileSync(join(root, 'tmp', 'left'), '');
    mkdirSync(join(root, 'tmp', 'half'));
    const later = await open();
    expect(leftovers()).toEqual([]);
    expect(await later.prune([])).toBe(0);
    await later.keepOnly(new Set(['c2']));
    expect(await later.prune([image('app:1')])).toBe(0);
    expect(await later.prune([])).toBe(1);
    await later.release('c2');
    await later.release('c2');
    expect(await later.prune([])).toBe(1);
    expect(readdirSync(join(root, 'layers'))).toEqual([]);
  });

  test.each(['basic', 'token'] as const)('logs in: %s', async (kind) => {
    await registry.add('app:1', [BASE]);
    registry.login = { kind, user: 'ann', password: 'pass:word' };
    expect(await failureOf(store.prepare(image('app:1'), { containerId: 'c1' }))).toMatch(
      /(does not permit access to 'app'|token server answered 401) \(authentication required\)$/,
    );
    const data = Buffer.from(config('ann', 'pass:word'));
    const docker = {
      name: `${registry.host}/app:1`,
      config: { type: 'VALUE', value: { data } },
    } as const;
    const prepared = await store.prepare({ type: 'DOCKER', docker }, { containerId: 'c2' });
    expect(prepared.rootfsLayers.length).toBe(1);
    const withFlag = await open({ dockerConfig: config('ann', 'pass:word') });
    await withFlag.prepare(image('app:1', { cached: false }), { containerId: 'c3' });
  });

  test('exchanges an identity token, and tells of credentials that only a helper knows', async () => {
    await registry.add('app:1', [BASE]);
    registry.login = { kind: 'identity', user: '', password: 'identity' };
    const pull = async (dockerConfig: object): Promise<string> => {
      const withConfig = await open({ dockerConfig: JSON.stringify(dockerConfig) });
      return await failureOf(
        withConfig.prepare(image('app:1', { cached: false }), { containerId: 'c1' }),
      );
    };
    const { host } = registry;
    const auth = Buffer.from('ann:').toString('base64');
    expect(await pull({ auths: { [host]: { auth, identitytoken: 'identity' } } })).toBe(
      'no failure',
    );
    expect(await pull({ auths: { [host]: { auth, identitytoken: 'stale' } } })).toMatch(
      /token server answered 401 \(authentication required\)$/,
    );
    for (const kept of [
      { auths: { [host]: {} }, credsStore: 'x' },
      { credHelpers: { [host]: 'x' } },
    ])
      expect(await pull(kept)).toContain(
        "are known to the helper 'docker-credential-x' only, which is not run here",
      );
    // Images for all need no credentials.
    registry.login = undefined;
    expect(await pull({ credHelpers: { [host]: 'x' } })).toBe('no failure');
  });

  test('goes on with a blob that broke off', async () => {
    const { layerDigests } = await registry.add('app:1', [BASE]);
    registry.broken.add(layerDigests[0] ?? '');
    const prepared = await store.prepare(image('app:1'), { containerId: 'c1' });
    expect(readFileSync(join(prepared.rootfsLayers[0] ?? '', 'etc/motd'), 'utf8')).toBe('low\n');
  });

  test('refuses what is damaged, missing or too large, and serves the next task', async () => {
    const { layerDigests } = await registry.add('bad:1', [BASE, TOP]);
    registry.damaged.add(layerDigests[1] ?? '');
    await registry.add('app:1', [BASE]);
    const prepare = async (name: string, from = store): Promise<string> =>
      await failureOf(from.prepare(image(name), { containerId: 'c1' }));
    expect(await prepare('bad:1')).toContain('is damaged');
    expect(await prepare('app:2')).toContain("there is no image 'app' with 2");
    const full = await open({ freeBytesMin: Number.MAX_SAFE_INTEGER });
    await full.prune([]);
    expect(await prepare('app:1', full)).toContain('no space left on device');
    expect(await prepare('app:1', await open())).toBe('no failure');
    expect(leftovers()).toEqual([]);
  });
});
