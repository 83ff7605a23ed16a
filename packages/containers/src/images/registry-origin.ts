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
import type { ImageReference } from './reference.ts';
import { RegistryClient, type RegistryClientOptions } from './registry-client.ts';

/** Asks the registry that the name says, or the default one. */
export function registryOrigin(options: RegistryClientOptions): ImageOrigin {
  const client = new RegistryClient(options);
  return { find: async (reference, asked) => await find(client, reference, asked) };
}

async function find(
  client: RegistryClient,
  reference: ImageReference,
  options: OriginOptions,
): Promise<FoundImage> {
  const platform = hostPlatform(process.arch);
  let { bytes, digest } = await client.manifest(reference, options);
  let manifest: Manifest = parseManifest(bytes, platform);
  if (manifest.kind === 'index') {
    const chosen = { ...options, digest: manifest.chosen.digest };
    ({ bytes, digest } = await client.manifest(reference, chosen));
    manifest = parseManifest(bytes, platform);
  }
  if (manifest.kind === 'index') throw failed('an index leads to another index');
  const { config, layers } = manifest;
  return {
    digest,
    async document() {
      if (config.size > MANIFEST_BYTES_MAX) throw failed('the configuration is too long');
      const path = options.temporaryPath();
      let document: ImageDocument;
      try {
        await client.blob(reference, config, { ...options, path });
        document = parseImageDocument(await readFile(path));
      } finally {
        await rm(path, { force: true });
      }
      if (document.diffIds.length !== layers.length)
        throw failed('manifest and configuration name different numbers of layers');
      return document;
    },
    async layer(index, path, signal) {
      const blob = layers[index];
      if (blob === undefined) throw failed(`there is no layer ${index}`);
      await client.blob(reference, blob, { logins: options.logins, signal, path });
    },
    async close() {
      await Promise.resolve();
    },
  };
}

function failed(message: string): Error {
  return containerError('CONTAINER_LAUNCH_FAILED', message);
}
