/** Images of registries. */

import { readFile, rm } from 'node:fs/promises';
import { containerError } from '../errors.ts';
import type { FoundImage, ImageOrigin, OriginOptions } from './image-origin.ts';
import {
  hostPlatform,
  MANIFEST_BYTES_MAX,
  parseImageDocument,
  parseManifest,
  type ImageDocument,
  type Manifest,
} from './manifest.ts';
import { RegistryClient, type RegistryClientOptions } from './registry-client.ts';

/** Asks the mirrors and the registry that the name says, or the default one. */
export function registryOrigin(options: RegistryClientOptions): ImageOrigin {
  return {
    async find(reference, asked) {
      return await find(new RegistryClient(reference, asked.logins, options), asked);
    },
  };
}

async function find(
  client: RegistryClient,
  { signal, temporaryPath }: OriginOptions,
): Promise<FoundImage> {
  const platform = hostPlatform(process.arch);
  let { bytes, digest } = await client.manifest({ signal });
  let manifest: Manifest = parseManifest(bytes, platform);
  if (manifest.kind === 'index') {
    ({ bytes, digest } = await client.manifest({ signal, digest: manifest.chosen.digest }));
    manifest = parseManifest(bytes, platform);
  }
  if (manifest.kind === 'index') throw failed('an index leads to another index');
  const { config, layers } = manifest;
  return {
    digest,
    async document(shared) {
      if (config.size > MANIFEST_BYTES_MAX) throw failed('the configuration is too long');
      const path = temporaryPath();
      let document: ImageDocument;
      try {
        await client.blob(config, { path, signal: shared });
        document = parseImageDocument(await readFile(path));
      } finally {
        await rm(path, { force: true });
      }
      if (document.diffIds.length !== layers.length)
        throw failed('manifest and configuration name different numbers of layers');
      return document;
    },
    async layer(index, path, shared) {
      const blob = layers[index];
      if (blob === undefined) throw failed(`there is no layer ${index}`);
      await client.blob(blob, { path, signal: shared });
    },
    async close() {
      await Promise.resolve();
    },
  };
}

function failed(message: string): Error {
  return containerError('CONTAINER_LAUNCH_FAILED', message);
}
