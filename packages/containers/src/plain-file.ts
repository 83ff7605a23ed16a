/**
 * Opens files in a sandbox for somebody who may do more than the task. The sandbox is the task's, which may put a link, a
 * pipe or a directory in the place of a file at any moment: no link is followed, and opening never waits.
 */

import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';

/** What `open` says of links, directories and pipes without a reader. */
const NO_FILE = ['ELOOP', 'EMLINK', 'EISDIR', 'ENXIO'];

/** Something else is where a file was expected. */
export class NotAFile extends Error {
  constructor(path: string) {
    super(`${path} is not a file`);
  }
}

/** Throws {@link NotAFile}, or what else keeps it from being read. */
export async function openForReading(path: string): Promise<FileHandle> {
  return await openPlain(path, constants.O_RDONLY);
}

/** Makes the file when nothing is there. Throws {@link NotAFile}, or what else keeps it from being written. */
export async function openForAppending(path: string): Promise<FileHandle> {
  return await openPlain(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT);
}

async function openPlain(path: string, flags: number): Promise<FileHandle> {
  let file: FileHandle;
  try {
    file = await open(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o644);
  } catch (error) {
    if (error instanceof Error && 'code' in error && NO_FILE.includes(String(error.code)))
      throw new NotAFile(path);
    throw error;
  }
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new NotAFile(path);
}
