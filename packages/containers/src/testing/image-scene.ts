/** A store of images and a registry on loopback for each test of a file. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { errorText, silentLogger } from '@dcos/base';
import { temporaryDirectory } from '@dcos/testkit';
import type { Image } from '@dcos/wire';
import { openImageStore, type ImageStore, type ImageStoreOptions } from '../images/image-store.ts';
import { startTestRegistry, type TestRegistry } from './static-registry.ts';

export interface ImageScene {
  /** A directory of the test's own. */
  readonly path: string;
  readonly registry: TestRegistry;
  /** Starts another registry, closed after the test. */
  startRegistry(): Promise<TestRegistry>;
  /** Opens a store, always the same one. */
  open(more?: Partial<ImageStoreOptions>): Promise<ImageStore>;
  /** An image of the registry. */
  image(name: string, more?: Partial<Image>): Image;
  /** What the store has not put away. */
  leftovers(): readonly string[];
}

/** Declares what makes and removes the scene. Returns the one of the test that runs. */
export function imageScene(): () => ImageScene {
  let directory: ReturnType<typeof temporaryDirectory>;
  let registry: TestRegistry;
  const registries: TestRegistry[] = [];
  const startRegistry = async (): Promise<TestRegistry> => {
    const started = await startTestRegistry();
    registries.push(started);
    return started;
  };
  beforeEach(async () => {
    directory = temporaryDirectory('images');
    registry = await startRegistry();
  });
  afterEach(async () => {
    for (const one of registries.splice(0)) await one.close();
    directory.remove();
  });
  return () => ({
    path: directory.path,
    registry,
    startRegistry,
    open: async (more = {}) =>
      await openImageStore({
        root: join(directory.path, 'store'),
        logger: silentLogger,
        backOffMs: 1,
        freeBytesMin: 0,
        ...more,
      }),
    image: (name, more = {}) => ({
      type: 'DOCKER',
      docker: { name: `${registry.host}/${name}` },
      ...more,
    }),
    leftovers: () => readdirSync(join(directory.path, 'store', 'tmp')),
  });
}

/** Credentials of one registry, as Docker keeps them. */
export function dockerConfigOf(host: string, user: string, password: string): string {
  const auth = Buffer.from(`${user}:${password}`).toString('base64');
  return JSON.stringify({ auths: { [host]: { auth } } });
}

/** What the work fails with. */
export async function failureOf(work: Promise<unknown>): Promise<string> {
  return await work.then(() => 'no failure', errorText);
}
