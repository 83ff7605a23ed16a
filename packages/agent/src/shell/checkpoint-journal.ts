/**
 * The agent's durable memory: a log of keyed records in one file, each line with its checksum. One append and
 * one `fdatasync` make any number of records durable together, so that many tasks share the cost of the disk.
 *
 * Invariants:
 * - After `append` resolves its records survive a crash of the host.
 * - A line that was half written, or that the disk damaged, is skipped; all others count.
 * - The file is rewritten (new file, fsync, rename, fsync of the directory) when most of it is out of date.
 */

import { mkdir, open, readFile, rename, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { isJsonObject, OperationError, type JsonObject, type Logger } from '@dcos/base';

/** Version of the file format; the records have their own. */
const FORMAT = { format: 'dcos-agent-checkpoint', version: 1 } as const;
/** Out-of-date bytes that are always tolerated. */
const GARBAGE_BYTES_MIN = 4 * 1024 * 1024;

export interface CheckpointWrite {
  readonly key: string;
  /** Undefined deletes the record. */
  readonly value: JsonObject | undefined;
}

export interface CheckpointJournal {
  /** What was there when the journal was opened. */
  readonly records: ReadonlyMap<string, JsonObject>;
  /** Resolves when all of it is durable. Calls must not overlap. */
  append(writes: readonly CheckpointWrite[]): Promise<void>;
  close(): Promise<void>;
}

/** Opens or makes the file. Throws CHECKPOINT_VERSION for a file of another version. */
export async function openCheckpointJournal(
  path: string,
  logger: Logger,
): Promise<CheckpointJournal> {
  await mkdir(dirname(path), { recursive: true });
  const lines = new Map<string, string>();
  const records = new Map<string, JsonObject>();
  const text = await readExisting(path);
  if (text !== undefined) replay(text, path, lines, records, logger);

  // A fresh file on every start: the damaged and the out of date are gone, and the rest is proven readable.
  let handle = await rewrite(path, lines);
  let bytes = sizeOf(lines);
  let liveBytes = bytes;
  return {
    records,
    async append(writes) {
      let chunk = '';
      for (const { key, value } of writes) {
        const line = encodeLine({ key, value: value ?? null });
        chunk += line;
        liveBytes -= lines.get(key)?.length ?? 0;
        if (value === undefined) lines.delete(key);
        else {
          lines.set(key, line);
          liveBytes += line.length;
        }
      }
      bytes += chunk.length;
      if (bytes > GARBAGE_BYTES_MIN + 2 * liveBytes) {
        const old = handle;
        handle = await rewrite(path, lines);
        await old.close();
        bytes = liveBytes;
        return;
      }
      await handle.appendFile(chunk);
      await handle.datasync();
    },
    async close() {
      await handle.close();
    },
  };
}

async function readExisting(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function replay(
  text: string,
  path: string,
  lines: Map<string, string>,
  records: Map<string, JsonObject>,
  logger: Logger,
): void {
  const [head = '', ...rest] = text.split('\n');
  const header = decodeLine(head);
  if (
    header === undefined ||
    header['format'] !== FORMAT.format ||
    header['version'] !== FORMAT.version
  ) {
    throw new OperationError(
      'CHECKPOINT_VERSION',
      `${path} was written by another version or is damaged at its beginning; move it away to start as a new agent`,
      { details: { path } },
    );
  }
  for (const [index, body] of rest.entries()) {
    if (body === '') continue;
    const record = decodeLine(body);
    const key = record?.['key'];
    if (record === undefined || typeof key !== 'string') {
      // The last line may be half written by a crash; any other is damage that a person should know of.
      const level = index === rest.length - 1 ? 'warn' : 'error';
      logger[level](
        { event: 'checkpoint.damaged', path, line: index + 2 },
        'skipping a damaged record',
      );
      continue;
    }
    const { value } = record;
    if (isJsonObject(value)) {
      lines.set(key, `${body}\n`);
      records.set(key, value);
    } else {
      lines.delete(key);
      records.delete(key);
    }
  }
}

async function rewrite(path: string, lines: ReadonlyMap<string, string>): Promise<FileHandle> {
  const next = `${path}.new`;
  const handle = await open(next, 'w', 0o600);
  await handle.writeFile(encodeLine(FORMAT) + [...lines.values()].join(''));
  await handle.datasync();
  await rename(next, path);
  const directory = await open(join(path, '..'), 'r');
  await directory.sync();
  await directory.close();
  return handle;
}

function sizeOf(lines: ReadonlyMap<string, string>): number {
  let bytes = 0;
  for (const line of lines.values()) bytes += line.length;
  return bytes;
}

function encodeLine(value: JsonObject): string {
  const json = JSON.stringify(value);
  return `${checksum(json)} ${json}\n`;
}

function decodeLine(line: string): JsonObject | undefined {
  const json = line.slice(9);
  if (line.slice(0, 8) !== checksum(json)) return undefined;
  const value: unknown = JSON.parse(json);
  return isJsonObject(value) ? value : undefined;
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}
