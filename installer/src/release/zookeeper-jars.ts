/**
 * What a release brings of ZooKeeper: the list of `infra/zookeeper/jars.json`. Installer and release have to agree on it: a
 * host's unit carries the list in its fingerprint, and what it starts is in the release.
 */

import { z } from 'zod';
import type { ManifestFile } from './manifest.ts';

const text = z.string().min(1);
const schema = z.array(
  z.strictObject({ group: text, name: text, version: text, licence: text, sha256: text }),
);

export interface Jar {
  readonly group: string;
  readonly name: string;
  readonly version: string;
  /** An SPDX expression; the text of it is in the file itself. */
  readonly licence: string;
  readonly sha256: string;
}

/** Reads the list. */
export function parseJars(list: string): readonly Jar[] {
  return schema.parse(JSON.parse(list));
}

/** The name of its file. */
export function jarFile({ name, version }: Pick<Jar, 'name' | 'version'>): string {
  return `${name}-${version}.jar`;
}

/** Where it is in a release. */
export function jarPath(jar: Pick<Jar, 'name' | 'version'>): string {
  return `lib/zookeeper/${jarFile(jar)}`;
}

/** Whether a release has each of these. */
export function bringsAll(
  jars: readonly Jar[],
  files: readonly Pick<ManifestFile, 'path' | 'sha256'>[],
): boolean {
  const found = new Map(files.map(({ path, sha256 }) => [path, sha256]));
  return jars.every((jar) => found.get(jarPath(jar)) === jar.sha256);
}
