/** Output of a container as its sandbox files show it; the same for every adapter. */

import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { followFile } from './follow-file.ts';
import type { Detach, OutputStream } from './runtime.ts';

const STREAMS: readonly OutputStream[] = ['stdout', 'stderr'];

/** Hands over what is written from now on. */
export async function attachSandbox(
  sandboxPath: string,
  onOutput: (stream: OutputStream, bytes: Uint8Array) => void,
): Promise<Detach> {
  const stops = await Promise.all(
    STREAMS.map(async (stream) => {
      const path = join(sandboxPath, stream);
      const { size } = await lstat(path);
      return followFile({ path, offset: size, onData: (bytes) => onOutput(stream, bytes) });
    }),
  );
  return () => {
    for (const stop of stops) stop();
  };
}
