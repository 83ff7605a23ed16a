/**
 * What registries say about images: manifests, indexes of them by platform, and configurations. Docker schema 2 and
 * OCI have the same fields where we look. Nothing in a document is believed before it was checked here.
 */

import { containerError } from '../errors.ts';
import type { ImageConfig } from '../oci/image-port.ts';
import { DIGEST } from './reference.ts';

/** Media types that are asked for. */
export const MANIFEST_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];
/** Of layers: plain, or packed with gzip or zstd, also where they may not be pushed elsewhere. */
const LAYER_TYPE =
  /^application\/vnd\.(?:oci\.image\.layer\.(?:nondistributable\.)?v1\.tar(?:\+(?:gzip|zstd))?|docker\.image\.rootfs\.(?:foreign\.)?diff\.tar(?:\.(?:gzip|zstd))?)$/;
export const MANIFEST_BYTES_MAX = 4 * 1024 * 1024;
/** Layers of one image; more do not fit into a mount's options. */
export const LAYERS_MAX = 128;

export interface Descriptor {
  readonly digest: string;
  readonly size: number;
}

export type Manifest =
  | { readonly kind: 'image'; readonly config: Descriptor; readonly layers: readonly Descriptor[] }
  /** Several images; this is the one for our platform. */
  | { readonly kind: 'index'; readonly chosen: Descriptor };

/** An image that an index names. */
export interface IndexEntry extends Descriptor {
  readonly annotations: ReadonlyMap<string, string>;
}

/** An image's configuration as far as it is needed. */
export interface ImageDocument {
  readonly config: ImageConfig;
  /** Digests of the unpacked layers, the lowest first. */
  readonly diffIds: readonly string[];
}

export interface Platform {
  readonly os: string;
  readonly architecture: string;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

/** The platform of containers on this host. */
export function hostPlatform(arch: string): Platform {
  return { os: 'linux', architecture: ARCHITECTURES[arch] ?? arch };
}

/** Reads a manifest or an index. Throws CONTAINER_LAUNCH_FAILED. */
export function parseManifest(bytes: Uint8Array, platform: Platform): Manifest {
  const document = record(parse(bytes), 'the manifest');
  if (document['schemaVersion'] === 1)
    throw broken('the image has a manifest of schema 1, which is not supported; push it anew');
  if (document['schemaVersion'] !== 2) throw broken('the manifest is of no known schema');
  if (Array.isArray(document['manifests']))
    return { kind: 'index', chosen: choose(document['manifests'], platform) };
  const layers = list(document['layers'], 'layers').map(layerOf);
  if (layers.length > LAYERS_MAX) throw broken(`the image has more than ${LAYERS_MAX} layers`);
  return { kind: 'image', config: descriptor(document['config']), layers };
}

/** Reads the entries of an index, whatever their platforms are. Throws CONTAINER_LAUNCH_FAILED. */
export function parseIndexEntries(bytes: Uint8Array): readonly IndexEntry[] {
  const document = record(parse(bytes), 'the index');
  return list(document['manifests'], 'manifests').map((one) => {
    const { annotations } = record(one, 'an entry of the index');
    const named = annotations === undefined ? {} : record(annotations, 'annotations');
    const texts = Object.entries(named).map(([key, value]) => [key, text(value, key)] as const);
    return { ...descriptor(one), annotations: new Map(texts) };
  });
}

/** Reads an image's configuration. Throws CONTAINER_LAUNCH_FAILED. */
export function parseImageDocument(bytes: Uint8Array): ImageDocument {
  const document = record(parse(bytes), 'the configuration');
  const diffIds = list(record(document['rootfs'], 'rootfs')['diff_ids'], 'diff_ids').map(digest);
  return { diffIds, config: configOf(document['config'] ?? {}) };
}

function configOf(value: unknown): ImageConfig {
  const config = record(value, 'config');
  const words = (name: string): Record<string, readonly string[]> => {
    const given = config[name];
    return given === undefined || given === null
      ? {}
      : { [name]: list(given, name).map((word) => text(word, name)) };
  };
  const word = (name: string): Record<string, string> =>
    config[name] === undefined ? {} : { [name]: text(config[name], name) };
  return {
    ...words('Entrypoint'),
    ...words('Cmd'),
    ...words('Env'),
    ...word('WorkingDir'),
    ...word('User'),
  };
}

function choose(manifests: readonly unknown[], { os, architecture }: Platform): Descriptor {
  const entries = manifests.map((one) => record(one, 'an entry of the index'));
  const [only] = entries;
  if (entries.length === 1 && only?.['platform'] === undefined) return descriptor(only);
  const suitable = entries.filter(({ platform }) => {
    if (platform === undefined) return false;
    const its = record(platform, 'platform');
    return its['os'] === os && its['architecture'] === architecture;
  });
  // One without a variant runs everywhere; a later one needs a newer processor.
  const found =
    suitable.find(({ platform }) => record(platform, 'platform')['variant'] === undefined) ??
    suitable[0];
  if (found === undefined) throw broken(`the image is not there for ${os}/${architecture}`);
  return descriptor(found);
}

/** Images of other kinds, such as charts or signatures, have layers that are no file systems. */
function layerOf(value: unknown): Descriptor {
  const { mediaType: given } = record(value, 'a layer');
  const mediaType = given === undefined ? undefined : text(given, 'mediaType');
  if (mediaType !== undefined && !LAYER_TYPE.test(mediaType))
    throw broken(`a layer is of the media type '${mediaType}', which is not supported`);
  return descriptor(value);
}

function descriptor(value: unknown): Descriptor {
  const { digest: name, size } = record(value, 'a descriptor');
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw broken('a descriptor has no size');
  return { digest: digest(name), size };
}

function digest(value: unknown): string {
  if (typeof value !== 'string' || !DIGEST.test(value)) throw broken('a digest is not a sha256');
  return value;
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw broken('a document of the image is no JSON', error);
  }
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw broken(`${what} is no object`);
  return value as Record<string, unknown>;
}

function list(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw broken(`${what} is no list`);
  return value;
}

function text(value: unknown, what: string): string {
  if (typeof value !== 'string' || value.includes('\0')) throw broken(`${what} is no text`);
  return value;
}

function broken(message: string, cause?: unknown): Error {
  return containerError('CONTAINER_LAUNCH_FAILED', message, cause);
}
