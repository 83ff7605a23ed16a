/** Pulls that do not go straight: mirrors, redirects, servers that stop, kills, images that are not for us. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '@dcos/base';
import { dockerConfigOf, failureOf, imageScene } from '../testing/image-scene.ts';
import type { Packing, TestRegistry } from '../testing/static-registry.ts';
import { hostPlatform } from './manifest.ts';

const layerWith = (text: string): readonly [readonly [{ name: string }, string]] => [
  [{ name: 'motd' }, text],
];
const LAYER = layerWith('from the image');
const TOP = [[{ name: 'top' }]] as const;
/** The machine may be busy with other things. */
const POLL = { timeout: 20_000 };
type LayerCase = [what: string, packing: Packing, result: string];
const scene = imageScene();
let registry: TestRegistry;
beforeEach(() => ({ registry } = scene()));

/** What the single layer of a prepared image says. */
async function motdOf(
  name: string,
  more: Parameters<ReturnType<typeof scene>['open']>[0] = {},
): Promise<string> {
  const store = await scene().open(more);
  const { rootfsLayers } = await store.prepare(scene().image(name, { cached: false }), {
    containerId: 'c1',
  });
  return readFileSync(join(rootfsLayers[0] ?? '', 'motd'), 'utf8');
}

describe('mirrors', () => {
  let mirror: TestRegistry;
  beforeEach(async () => {
    mirror = await scene().startRegistry();
  });
  const mirrors = (
    ...hosts: readonly string[]
  ): { readonly registryMirrors: Record<string, string[]> } => ({
    registryMirrors: { [registry.host]: hosts.map((host) => `http://${host}`) },
  });

  test('are asked in their order, and the registry only for what none of them has', async () => {
    const second = await scene().startRegistry();
    await second.add('app:1', [layerWith('from the second')]);
    await registry.add('app:1', [LAYER]);
    const both = mirrors(mirror.host, second.host);
    expect(await motdOf('app:1', both)).toBe('from the second');
    // The first says for each thing that it has none of it.
    expect([mirror.requests.length, registry.requests.length]).toEqual([4, 0]);
    await registry.add('other:1', [LAYER]);
    expect(await motdOf('other:1', both)).toBe('from the image');
  });

  test('one that is down is given up for the image, and asked for no other registry', async () => {
    await registry.add('app:1', [LAYER, TOP]);
    const told: unknown[] = [];
    const logger = { ...silentLogger, warn: (fields: unknown) => told.push(fields) };
    expect(await motdOf('app:1', { ...mirrors('127.0.0.1:1'), logger })).toBe('from the image');
    expect(told).toMatchObject([{ event: 'image.mirror_failed', mirror: '127.0.0.1:1' }]);
    await registry.add('other:1', [layerWith('another')]);
    const registryMirrors = { 'other.example': ['http://127.0.0.1:1'] };
    expect(await motdOf('other:1', { registryMirrors, logger })).toBe('another');
    expect(told.length).toBe(1);
  });

  test('one that sends what was not asked for is not believed', async () => {
    const { digest, layerDigests } = await registry.add('app:1', [LAYER]);
    await mirror.add('app:1', [LAYER]);
    for (const blob of layerDigests) mirror.damaged.add(blob);
    expect(await motdOf('app:1', mirrors(mirror.host))).toBe('from the image');
    expect(registry.requests).toEqual([expect.stringContaining('/blobs/')]);
    // A manifest under the digest of another one.
    const store = await scene().open(mirrors(mirror.host));
    await store.release('c1');
    await store.prune([]);
    await mirror.add(digest, [layerWith('forged')]);
    expect(await motdOf(`app@${digest}`, mirrors(mirror.host))).toBe('from the image');
  });

  test('get their own credentials and never those of the registry', async () => {
    await mirror.add('app:1', [LAYER]);
    mirror.login = { kind: 'basic', user: 'ann', password: 'for the registry' };
    registry.login = mirror.login;
    await registry.add('app:1', [LAYER]);
    const dockerConfig = dockerConfigOf(registry.host, 'ann', 'for the registry');
    expect(await motdOf('app:1', { ...mirrors(mirror.host), dockerConfig })).toBe('from the image');
    expect(new Set(mirror.authorizations)).toEqual(new Set([undefined]));
    const asked = registry.requests.length;
    const own = dockerConfigOf(mirror.host, 'ann', 'for the registry');
    const store = await scene().open();
    await store.release('c1');
    await store.prune([]);
    const { path } = scene();
    expect(
      await motdOf('app:1', {
        ...mirrors(mirror.host),
        dockerConfig: own,
        root: join(path, 'other'),
      }),
    ).toBe('from the image');
    expect(registry.requests.length).toBe(asked);
  });

  test('the default registry has its own credentials as well', async () => {
    await registry.add('library/app:1', [LAYER]);
    registry.login = { kind: 'basic', user: 'ann', password: 'word' };
    const pull = async (host: string): Promise<string> => {
      const store = await scene().open({
        defaultRegistry: `http://${registry.host}`,
        dockerConfig: dockerConfigOf(host, 'ann', 'word'),
      });
      const image = { type: 'DOCKER', docker: { name: 'app:1' } } as const;
      return await failureOf(store.prepare(image, { containerId: 'c1' }));
    };
    expect(await pull('docker.io')).toContain('does not permit access');
    expect(new Set(registry.authorizations)).toEqual(new Set([undefined]));
    expect(await pull(registry.host)).toBe('no failure');
  });
});

test('a redirect to another host carries no credentials, and its demand for them is not met', async () => {
  const other = await scene().startRegistry();
  await registry.add('app:1', [LAYER]);
  await other.add('app:1', [LAYER]);
  registry.login = { kind: 'basic', user: 'ann', password: 'word' };
  registry.redirectTo = `http://${other.host}`;
  const dockerConfig = dockerConfigOf(registry.host, 'ann', 'word');
  expect(await motdOf('app:1', { dockerConfig })).toBe('from the image');
  expect(registry.authorizations.filter((value) => value === undefined).length).toBe(1);
  other.login = { kind: 'token', user: 'ann', password: 'word' };
  const store = await scene().open({ dockerConfig, root: join(scene().path, 'other') });
  const pulling = store.prepare(scene().image('app:1'), { containerId: 'c1' });
  expect(await failureOf(pulling)).toContain('does not permit access');
  expect(other.requests).not.toContain('/token');
  expect(new Set(other.authorizations)).toEqual(new Set([undefined]));
});

test('a registry that stops sending is given up, and nothing is left', async () => {
  const { layerDigests } = await registry.add('app:1', [LAYER]);
  registry.silent.add(layerDigests[0] ?? '');
  expect(await failureOf(motdOf('app:1', { stallMs: 100 }))).toContain(
    'the registry stopped sending',
  );
  expect(scene().leftovers()).toEqual([]);
  registry.silent.clear();
  expect(await motdOf('app:1')).toBe('from the image');
});

describe('a pull that is broken off', () => {
  interface Pull {
    readonly kill: () => void;
    readonly result: Promise<string>;
  }
  /** All wait for the layer, which the first one asked for. */
  const begin = async (count: number): Promise<readonly Pull[]> => {
    const { layerDigests } = await registry.add('app:1', [LAYER]);
    const [layer = ''] = layerDigests;
    registry.silent.add(layer);
    const store = await scene().open();
    const pull = (index: number): Pull => {
      const abort = new AbortController();
      const purpose = { containerId: `c${index}`, abort: abort.signal };
      const result = failureOf(store.prepare(scene().image('app:1'), purpose));
      return { kill: () => abort.abort(new Error('the task was killed')), result };
    };
    const first = pull(0);
    await expect.poll(() => registry.requests, POLL).toContain(`/v2/app/blobs/${layer}`);
    const others = Array.from({ length: count - 1 }, (_, index) => pull(index + 1));
    // An index and a manifest for each.
    const manifests = (): number =>
      registry.requests.filter((path) => !path.includes('blobs')).length;
    await expect.poll(manifests, POLL).toBe(2 * count);
    return [first, ...others];
  };

  test('by all who wanted it leaves nothing, and the next one is whole', async () => {
    const pulls = await begin(2);
    for (const { kill } of pulls) kill();
    const results = await Promise.all(pulls.map(async ({ result }) => await result));
    expect(results).toEqual(['the task was killed', 'the task was killed']);
    await expect.poll(() => scene().leftovers(), POLL).toEqual([]);
    registry.silent.clear();
    expect(await motdOf('app:1')).toBe('from the image');
  });

  test('by the first of several goes on for the others', async () => {
    const [first, ...others] = await begin(3);
    first?.kill();
    expect(await first?.result).toBe('the task was killed');
    registry.speak();
    const results = await Promise.all(others.map(async ({ result }) => await result));
    expect(results).toEqual(['no failure', 'no failure']);
    await expect.poll(() => scene().leftovers(), POLL).toEqual([]);
  });
});

describe('layers', () => {
  const plain = (tar: Buffer): Buffer => tar;
  const magic =
    (...bytes: readonly number[]) =>
    (tar: Buffer): Buffer =>
      Buffer.concat([Uint8Array.from(bytes), tar]);

  test.each([
    ['plain', { pack: plain }, 'from the image'],
    ['zstd', { pack: zstdCompressSync }, 'from the image'],
    ['bzip2', { pack: magic(0x42, 0x5a, 0x68) }, 'packed with bzip2; only gzip and zstd'],
    ['xz', { pack: magic(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0) }, 'packed with xz; only gzip and zstd'],
    ...[
      'application/vnd.oci.image.layer.v1.tar+zstd',
      'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
      'application/vnd.docker.image.rootfs.diff.tar.gzip',
      'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
    ].map((mediaType): LayerCase => [mediaType, { mediaType }, 'from the image']),
    ...[
      'application/vnd.oci.image.layer.v1.tar+gzip+encrypted',
      'application/vnd.oci.image.layer.v1.tar+xz',
      'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
      'application/vnd.in-toto+json',
    ].map((mediaType): LayerCase => [mediaType, { mediaType }, `of the media type '${mediaType}'`]),
  ] satisfies readonly LayerCase[])('%s', async (_what, packing, result) => {
    await registry.add('app:1', [LAYER], {}, packing);
    const pulling = motdOf('app:1');
    expect(await pulling.catch(async () => await failureOf(pulling))).toContain(result);
    expect(scene().leftovers()).toEqual([]);
  });
});

describe('manifests', () => {
  const { architecture } = hostPlatform(process.arch);

  test('of several platforms ours is taken, and the one that runs everywhere', async () => {
    for (const text of ['other', 'newer', 'ours', 'attested'])
      await registry.add(`${text}:1`, [layerWith(text)]);
    const parts = new Map<string, object>();
    for (const text of ['other', 'newer', 'ours', 'attested']) {
      const response = await fetch(`http://${registry.host}/v2/${text}/manifests/1-alone`);
      parts.set(text, registry.put(`${text}:part`, (await response.json()) as object));
    }
    registry.put('app:1', {
      schemaVersion: 2,
      manifests: [
        { ...parts.get('other'), platform: { os: 'linux', architecture: 's390x' } },
        { ...parts.get('other'), platform: { os: 'windows', architecture } },
        { ...parts.get('newer'), platform: { os: 'linux', architecture, variant: 'v9' } },
        { ...parts.get('ours'), platform: { os: 'linux', architecture } },
        { ...parts.get('attested'), platform: { os: 'unknown', architecture: 'unknown' } },
      ],
    });
    expect(await motdOf('app:1')).toBe('ours');
    registry.put('app:2', {
      schemaVersion: 2,
      manifests: [{ ...parts.get('other'), platform: { os: 'linux', architecture: 's390x' } }],
    });
    expect(await failureOf(motdOf('app:2'))).toContain(
      `the image is not there for linux/${architecture}`,
    );
  });

  test.each<[what: string, manifest: object, problem: string]>([
    [
      'schema 1',
      { schemaVersion: 1, fsLayers: [] },
      'manifest of schema 1, which is not supported',
    ],
    ['no schema', { layers: [] }, 'the manifest is of no known schema'],
    ['no layers', { schemaVersion: 2 }, 'layers is no list'],
    [
      'an escape',
      { schemaVersion: 2, config: { digest: 'sha256:../../x', size: 1 }, layers: [] },
      'a digest is not a sha256',
    ],
  ])('%s is refused', async (_what, manifest, problem) => {
    registry.put('app:1', manifest);
    expect(await failureOf(motdOf('app:1'))).toContain(problem);
  });

  test('images of other kinds are refused by their names', async () => {
    const store = await scene().open();
    const image = { type: 'APPC', appc: { name: 'example.com/app' } } as const;
    expect(await failureOf(store.prepare(image, { containerId: 'c1' }))).toBe(
      "the image 'example.com/app' is of the type APPC; only DOCKER is supported",
    );
  });
});
