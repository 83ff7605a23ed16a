/**
 * Carries a container's output from the engine's log into its sandbox. The engine keeps the whole log, so a
 * pump that begins anew after a restart skips as many bytes as the sandbox holds already: nothing is lost and
 * nothing is there twice.
 */

import { mkdir, readFile, writeFile, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { NotAFile, openForAppending } from '../plain-file.ts';
import type { OutputStream } from '../runtime.ts';

const HEADER_BYTES = 8;
/** One frame; the engine's are at most 16 KiB, with room for others. */
const FRAME_BYTES_MAX = 16 * 1024 * 1024;
const STREAMS: readonly OutputStream[] = ['stdout', 'stderr'];

/** Sizes of the sandbox files before the container wrote anything. */
type Base = Readonly<Record<OutputStream, number>>;

/** Remembers where the container's own output begins in the sandbox files. */
export async function rememberBase(basePath: string, sandboxPath: string): Promise<void> {
  const sizes = { stdout: 0, stderr: 0 };
  for (const stream of STREAMS) {
    const handle = await openForAppending(join(sandboxPath, stream));
    sizes[stream] = (await handle.stat()).size;
    await handle.close();
  }
  await mkdir(dirname(basePath), { recursive: true });
  await writeFile(basePath, JSON.stringify(sizes));
}

async function readBase(basePath: string): Promise<Base> {
  const value: unknown = JSON.parse(await readFile(basePath, 'utf8'));
  const sizes = typeof value === 'object' && value !== null ? value : {};
  const size = (stream: OutputStream): number => {
    const number: unknown = Object.entries(sizes).find(([key]) => key === stream)?.[1];
    return typeof number === 'number' ? number : 0;
  };
  return { stdout: size('stdout'), stderr: size('stderr') };
}

export interface LogPumpOptions {
  /** The engine's log from its beginning. */
  readonly log: AsyncIterable<Uint8Array>;
  /** Both outputs are in it, in frames; otherwise it is what came from a terminal. */
  readonly hasFrames: boolean;
  readonly sandboxPath: string;
  readonly basePath: string;
}

/** Resolves when the log ends. Rejects when it breaks off, or the sandbox cannot be written. */
export async function pumpLog(options: LogPumpOptions): Promise<void> {
  const { log, hasFrames, sandboxPath, basePath } = options;
  const base = await readBase(basePath);
  const handles = new Map<OutputStream, FileHandle>();
  const skip = new Map<OutputStream, number>();
  try {
    for (const stream of STREAMS) {
      const handle = await outputOf(sandboxPath, stream);
      if (handle === undefined) continue;
      handles.set(stream, handle);
      skip.set(stream, Math.max(0, (await handle.stat()).size - base[stream]));
    }
    for await (const { stream, bytes } of hasFrames ? frames(log) : unframed(log)) {
      const there = Math.min(skip.get(stream) ?? 0, bytes.length);
      skip.set(stream, (skip.get(stream) ?? 0) - there);
      if (there < bytes.length) await handles.get(stream)?.appendFile(bytes.subarray(there));
    }
  } finally {
    for (const handle of handles.values()) await handle.close();
  }
}

/** Undefined when the task has put something else there: it does not want the output. */
async function outputOf(
  sandboxPath: string,
  stream: OutputStream,
): Promise<FileHandle | undefined> {
  try {
    return await openForAppending(join(sandboxPath, stream));
  } catch (error) {
    if (error instanceof NotAFile) return undefined;
    throw error;
  }
}

export interface LogFrame {
  readonly stream: OutputStream;
  readonly bytes: Uint8Array;
}

/** Takes the engine's framing off: one byte for the stream, three unused, four for the length. */
export async function* frames(log: AsyncIterable<Uint8Array>): AsyncGenerator<LogFrame> {
  let rest = Buffer.alloc(0);
  for await (const chunk of log) {
    rest = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    while (rest.length >= HEADER_BYTES) {
      const length = rest.readUInt32BE(4);
      if (length > FRAME_BYTES_MAX)
        throw new Error(`the engine's log has a frame of ${length} bytes`);
      if (rest.length < HEADER_BYTES + length) break;
      const bytes = rest.subarray(HEADER_BYTES, HEADER_BYTES + length);
      yield { stream: rest[0] === 2 ? 'stderr' : 'stdout', bytes };
      rest = rest.subarray(HEADER_BYTES + length);
    }
  }
}

async function* unframed(log: AsyncIterable<Uint8Array>): AsyncGenerator<LogFrame> {
  for await (const bytes of log) yield { stream: 'stdout', bytes };
}
