/** Files on their way into a release. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ReleaseFile } from '@dcos/installer/release';

/** A text file. */
export function textFile(path: string, text: string): ReleaseFile {
  return { path, mode: '0644', content: Buffer.from(text) };
}

/** A file of this machine. */
export function copiedFile(path: string, from: string, mode: ReleaseFile['mode']): ReleaseFile {
  return { path, mode, content: readFileSync(from) };
}

/** All files below a folder, as files below another. @param take given the path in the folder */
export function copiedFolder(
  path: string,
  from: string,
  take: (path: string) => boolean,
): readonly ReleaseFile[] {
  return readdirSync(from, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(from.length + 1))
    .filter(take)
    .map((name) => copiedFile(`${path}/${name}`, join(from, name), '0644'));
}
