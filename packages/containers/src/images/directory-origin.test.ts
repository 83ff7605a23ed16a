/** Images that come from a directory: OCI layouts of all arrangements, packed and not, and what is wrong with some. */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from 'vitest';
import { failureOf, imageScene } from '../testing/image-scene.ts';
import { tarOf } from '../testing/static-registry.ts';
import { directoryOrigin } from './directory-origin.ts';
import type { FoundImage } from './image-origin.ts';
import { hostPlatform } from './manifest.ts';
import { parseReference } from './reference.ts';

const { architecture } = hostPlatform(process.arch);
const digestOf = (bytes: Uint8Array): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

interface Described {
  readonly digest: string;
  readonly size: number;
}

const scene = imageScene();
let directory: string;
beforeEach(() => {
  directory = join(scene().path, 'images');
});

function addBlob(layout: string, content: Uint8Array | object): Described {
  const bytes = content instanceof Uint8Array ? content : Buffer.from(JSON.stringify(content));
  const digest = digestOf(bytes);
  mkdirSync(join(layout, 'blobs/sha256'), { recursive: true });
  writeFileSync(blobOf(layout, digest), bytes);
  return { digest, size: bytes.length };
}
const blobOf = (layout: string, digest: string): string =>
  join(layout, 'blobs', digest.replace(':', '/'));

interface Added extends Described {
  readonly layer: string;
  readonly config: string;
}

/** Puts an image with a single file into a layout, and gives its manifest. */
async function addImage(layout: string, motd: string): Promise<Added> {
  const tar = await tarOf([[{ name: 'motd' }, motd]]);
  const layer = addBlob(layout, gzipSync(tar));
  const config = addBlob(layout, { rootfs: { type: 'layers', diff_ids: [digestOf(tar)] } });
  const manifest = addBlob(layout, { schemaVersion: 2, config, layers: [layer] });
  return { ...manifest, layer: layer.digest, config: config.digest };
}

function writeIndex(layout: string, manifests: readonly object[]): void {
  writeFileSync(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
}
const called = (
  image: Described,
  name: string,
  key = 'org.opencontainers.image.ref.name',
): object => ({
  ...image,
  annotations: { [key]: name },
});

/** What the file of the image says, or why there is none. */
async function motdOf(name: string): Promise<string> {
  const store = await scene().open({ directory });
  const image = { type: 'DOCKER', docker: { name }, cached: false } as const;
  let layer = '';
  const failure = await failureOf(
    store.prepare(image, { containerId: 'c1' }).then(({ rootfsLayers }) => {
      [layer = ''] = rootfsLayers;
    }),
  );
  expect(scene().leftovers()).toEqual([]);
  return layer === '' ? failure : readFileSync(join(layer, 'motd'), 'utf8');
}

describe('an OCI layout', () => {
  test.each(['team/app:1', 'docker.io/team/app:1', 'team/app'])('at %s', async (place) => {
    const layout = join(directory, place);
    writeIndex(layout, [await addImage(layout, 'one')]);
    expect(await motdOf('team/app:1')).toBe('one');
    expect(await motdOf('team/other:1')).toContain("there is no archive 'team/other:1.tar'");
  });

  test('with several tags, by digest, and for several platforms', async () => {
    const layout = join(directory, 'app');
    const [one, two, other] = [
      await addImage(layout, 'one'),
      await addImage(layout, 'two'),
      await addImage(layout, 'other'),
    ];
    const both = addBlob(layout, {
      schemaVersion: 2,
      manifests: [
        { ...other, platform: { os: 'linux', architecture: 's390x' } },
        { ...two, platform: { os: 'linux', architecture } },
      ],
    });
    writeIndex(layout, [called(one, '1'), called(both, 'latest')]);
    expect(await motdOf('app:1')).toBe('one');
    expect(await motdOf('app')).toBe('two');
    expect(await motdOf(`app@${other.digest}`)).toBe('other');
    expect(await motdOf('app:3')).toContain("there is no image 'app:3' in the layout");
    expect(await motdOf(`app@sha256:${'0'.repeat(64)}`)).toContain('there is no ');
  });

  test('of many images, which have whole names there', async () => {
    const [one, two] = [await addImage(directory, 'one'), await addImage(directory, 'two')];
    writeIndex(directory, [
      called(one, 'team/app:1'),
      called(two, 'docker.io/library/app:latest', 'io.containerd.image.name'),
      called(two, '2'),
    ]);
    expect(await motdOf('team/app:1')).toBe('one');
    expect(await motdOf('app')).toBe('two');
    // A tag alone could be that of any image.
    expect(await motdOf('team/app:2')).toContain("there is no image 'team/app:2'");
  });

  test.each([['1'], [undefined]])('in an archive, called %s', async (name) => {
    const layout = join(scene().path, 'layout');
    const image = await addImage(layout, 'packed');
    writeIndex(layout, [name === undefined ? image : called(image, name)]);
    mkdirSync(join(directory, 'team'), { recursive: true });
    execFileSync('tar', ['-C', layout, '-cf', join(directory, 'team/app:1.tar'), '.']);
    expect(await motdOf('team/app:1')).toBe('packed');
  });

  test('in an archive is unpacked once for all who need it at the same time', async () => {
    const layout = join(scene().path, 'layout');
    writeIndex(layout, [await addImage(layout, 'packed')]);
    mkdirSync(directory);
    execFileSync('tar', ['-C', layout, '-cf', join(directory, 'app:1.tar'), '.']);
    const limits = { entriesMax: 100, bytesMax: 1e6, freeBytesMin: 0 };
    const origin = directoryOrigin(directory, limits);
    const paths: string[] = [];
    const temporaryPath = (): string => {
      paths.push(join(scene().path, `unpacked-${paths.length}`));
      return paths.at(-1) ?? '';
    };
    const find = async (signal = new AbortController().signal): Promise<FoundImage> =>
      await origin.find(parseReference('app:1'), { logins: new Map(), signal, temporaryPath });
    const killed = new AbortController();
    const given = failureOf(find(killed.signal));
    const finding = Promise.all([find(), find(), find()]);
    killed.abort(new Error('the task was killed'));
    expect(await given).toBe('the task was killed');
    const [first, ...others] = await finding;
    await first?.close();
    const late = await find();
    await late.layer(0, join(scene().path, 'layer'), killed.signal);
    expect(paths.length).toBe(1);
    for (const one of [...others, late]) await one.close();
    expect(existsSync(paths[0] ?? '')).toBe(false);
    await (await find()).close();
    expect(paths.length).toBe(2);
  });

  test.each<[what: string, harm: (layout: string, image: Added) => void, problem: string]>([
    [
      'a damaged manifest',
      (layout, { digest }) => writeFileSync(blobOf(layout, digest), '{}'),
      'is damaged',
    ],
    [
      'a damaged configuration',
      (layout, { config }) => writeFileSync(blobOf(layout, config), '{}'),
      'is damaged',
    ],
    [
      'another layer',
      (layout, { layer }) => writeFileSync(blobOf(layout, layer), gzipSync(Buffer.alloc(1024))),
      'the unpacked layer has another digest',
    ],
    ['no layer', (layout, { layer }) => rmSync(blobOf(layout, layer)), 'there is no '],
    [
      'a digest that leads out',
      (layout) => writeIndex(layout, [{ digest: 'sha256:../../../secret', size: 1 }]),
      'a digest is not a sha256',
    ],
    [
      'no index',
      (layout) => writeFileSync(join(layout, 'index.json'), 'none'),
      'a document of the image is no JSON',
    ],
  ])('with %s is refused', async (_what, harm, problem) => {
    const layout = join(directory, 'app');
    const image = await addImage(layout, 'one');
    writeIndex(layout, [called(image, '1')]);
    harm(layout, image);
    expect(await motdOf('app:1')).toContain(problem);
  });
});
