/** The image store against a registry on loopback: what is kept, what is refused, what survives a restart. */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { errorText, silentLogger } from '@dcos/base';
import { temporaryDirectory } from '@dcos/testkit';
import type { Image } from '@dcos/wire';
import { startTestRegistry, type TestRegistry } from '../testing/static-registry.ts';
import { openImageStore, type ImageStore } from './image-store.ts';

const BASE = [[{ name: 'etc/', type: 'directory' }], [{ name: 'etc/motd' }, 'low\n']] as const;
const TOP = [[{ name: 'etc/motd' }, 'high\n']] as const;

let directory: ReturnType<typeof temporaryDirectory>;
let registry: TestRegistry;
let store: ImageStore;

const open = async (more: object = {}): Promise<ImageStore> =>
  await openImageStore({
    root: join(directory.path, 'store'),
    logger: silentLogger,
    backOffMs: 1,
    freeBytesMin: 0,
    ...more,
  });
const image = (name: string, more: Partial<Image> = {}): Image => ({
  type: 'DOCKER',
  docker: { name: `${registry.host}/${name}` },
  ...more,
});
const config = (user: string, password: string): string =>
  JSON.stringify({
    auths: { [registry.host]: { auth: Buffer.from(`${user}:${password}`).toString('base64') } },
  });
const failure = async (work: Promise<unknown>): Promise<string> =>
  await work.then(() => 'no failure', errorText);
const leftovers = (): readonly string[] => readdirSync(join(directory.path, 'store', 'tmp'));

beforeEach(async () => {
  directory = temporaryDirectory('images');
  registry = await startTestRegistry();
  store = await open();
});
afterEach(async () => {
  await registry.close();
  directory.remove();
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

  test('many tasks at once fetch each layer once', async () => {
    await registry.add('app:1', [BASE, TOP]);
    const ids = Array.from({ length: 8 }, (_, index) => `c${index}`);
    await Promise.all(ids.map((containerId) => store.prepare(image('app:1'), { containerId })));
    const blobs = registry.requests.filter((path) => path.includes('/blobs/'));
    expect(new Set(blobs).size).toBe(3);
    expect(leftovers()).toEqual([]);
  });

  test('what a container holds stays, also over a restart; the rest is pruned', async () => {
    await registry.add('app:1', [BASE, TOP]);
    await registry.add('other:1', [BASE]);
    await store.prepare(image('app:1'), { containerId: 'c1' });
    await store.prepare(image('other:1'), { containerId: 'c2' });
    writeFileSync(join(directory.path, 'store', 'tmp', 'left'), '');
    mkdirSync(join(directory.path, 'store', 'tmp', 'half'));
    const later = await open();
    expect(leftovers()).toEqual([]);
    expect(await later.prune([])).toBe(0);
    await later.keepOnly(new Set(['c2']));
    expect(await later.prune([image('app:1')])).toBe(0);
    expect(await later.prune([])).toBe(1);
    await later.release('c2');
    await later.release('c2');
    expect(await later.prune([])).toBe(1);
    expect(readdirSync(join(directory.path, 'store', 'layers'))).toEqual([]);
  });

  test.each(['basic', 'token'] as const)('logs in: %s', async (kind) => {
    await registry.add('app:1', [BASE]);
    registry.login = { kind, user: 'ann', password: 'pass:word' };
    expect(await failure(store.prepare(image('app:1'), { containerId: 'c1' }))).toMatch(
      /does not permit|token server answered 401/,
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
      await failure(from.prepare(image(name), { containerId: 'c1' }));
    expect(await prepare('bad:1')).toContain('is damaged');
    expect(await prepare('app:2')).toContain("there is no image 'app' with 2");
    const full = await open({ freeBytesMin: Number.MAX_SAFE_INTEGER });
    await full.prune([]);
    expect(await prepare('app:1', full)).toContain('no space left on device');
    expect(await prepare('app:1', await open())).toBe('no failure');
    expect(leftovers()).toEqual([]);
  });
});
