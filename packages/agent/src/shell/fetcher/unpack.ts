/**
 * Unpacks an archive into a sandbox: first into a directory that nobody else can look into, then, when all of it was
 * found to be well, into place. What fails leaves nothing.
 */

import { randomUUID } from 'node:crypto';
import { lstat, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { extractArchive, type ExtractLimits } from '@dcos/containers';

export interface UnpackOptions {
  readonly sandboxPath: string;
  /** What the archive is called. */
  readonly name: string;
  readonly limits: ExtractLimits;
  readonly signal: AbortSignal;
}

export async function unpackInto(path: string, options: UnpackOptions): Promise<void> {
  const { sandboxPath, name, limits, signal } = options;
  const directory = join(sandboxPath, `.fetch-${randomUUID()}`);
  await mkdir(directory, { mode: 0o700 });
  try {
    await extractArchive(path, { directory, isRootFs: false, signal, ...limits }, name);
    await moveInto(directory, sandboxPath);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Files take the place of files; directories become one. No link is followed. */
async function moveInto(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const target = join(to, entry.name);
    const there = await lstat(target).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (there?.isDirectory() === true && entry.isDirectory())
      await moveInto(join(from, entry.name), target);
    else if (there !== undefined && there.isDirectory() !== entry.isDirectory())
      throw new Error(`something of another kind is at '${entry.name}' of the sandbox already`);
    else await rename(join(from, entry.name), target);
  }
}
