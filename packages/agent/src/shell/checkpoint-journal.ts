/**
 * The agent's durable memory: a log of keyed records in one file, each line with its checksum. One append and
 * one `fdatasync` make any number of records durable together, so that many tasks share the cost of the disk.
 *
 * Invariants:
 * - After `append` resolves its records survive a crash of the host.
 * - A line that was half written, or that the disk damaged, is skipped; all others count.
 * - After a failed `append` nothing that was durable is lost, and the same records may be appended again.
 * - The file is rewritten (new file, fsync, rename, fsync of the directory) when most of it is out of date.
 */

import { mkdir, open, readFile, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
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
  const handle = await writeNext(path, lines);
  await adoptNext(path);
  return new JournalFile({ path, lines, records, handle });
}

/** The open file. After a failed `append` the next one mends what that left behind. */
class JournalFile implements CheckpointJournal {
  readonly records: ReadonlyMap<string, JsonObject>;
  readonly #path: string;
  readonly #lines: Map<string, string>;
  #handle: FileHandle;
  /** Length of what is whole and durable. */
  #bytes: number;
  #liveBytes: number;
  /** There may be half a line behind that. */
  #isTorn = false;
  /** Nobody knows what of the file is durable, or which file the handle is of: only a new one helps. */
  #isSuspect = false;

  constructor(opened: {
    readonly path: string;
    readonly lines: Map<string, string>;
    readonly records: ReadonlyMap<string, JsonObject>;
    readonly handle: FileHandle;
  }) {
    this.#path = opened.path;
    this.#lines = opened.lines;
    this.records = opened.records;
    this.#handle = opened.handle;
    this.#liveBytes = sizeOf(opened.lines);
    this.#bytes = HEADER_BYTES + this.#liveBytes;
  }

  async append(writes: readonly CheckpointWrite[]): Promise<void> {
    const chunk = this.#take(writes);
    if (this.#isSuspect) return await this.#rewrite();
    const isDue = this.#bytes + chunk.length > GARBAGE_BYTES_MIN + 2 * this.#liveBytes;
    if (isDue && (await this.#couldRewrite())) return;
    await this.#write(chunk);
    try {
      await this.#handle.datasync();
    } catch (error) {
      // The system may have dropped what it could not write: a second attempt would find nothing to do.
      this.#isSuspect = true;
      throw error;
    }
    this.#bytes += chunk.length;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  /** Takes the records into memory; the same once more changes nothing. */
  #take(writes: readonly CheckpointWrite[]): Buffer {
    let chunk = '';
    for (const { key, value } of writes) {
      const line = encodeLine({ key, value: value ?? null });
      chunk += line;
      this.#liveBytes -= Buffer.byteLength(this.#lines.get(key) ?? '');
      if (value === undefined) this.#lines.delete(key);
      else {
        this.#lines.set(key, line);
        this.#liveBytes += Buffer.byteLength(line);
      }
    }
    return Buffer.from(chunk);
  }

  async #write(chunk: Buffer): Promise<void> {
    if (this.#isTorn) await this.#handle.truncate(this.#bytes);
    this.#isTorn = true;
    for (let done = 0; done < chunk.length;) {
      const left = chunk.length - done;
      const { bytesWritten } = await this.#handle.write(chunk, done, left, this.#bytes + done);
      done += bytesWritten;
    }
    this.#isTorn = false;
  }

  /** A disk that has no room for a new file may still have some for a line. */
  async #couldRewrite(): Promise<boolean> {
    try {
      await this.#rewrite();
      return true;
    } catch (error) {
      if (this.#isSuspect || !isOutOfSpace(error)) throw error;
      return false;
    }
  }

  async #rewrite(): Promise<void> {
    const next = await writeNext(this.#path, this.#lines);
    const old = this.#handle;
    this.#isSuspect = true;
    this.#handle = next;
    await old.close();
    await adoptNext(this.#path);
    this.#isSuspect = false;
    this.#isTorn = false;
    this.#bytes = HEADER_BYTES + this.#liveBytes;
  }
}

/** True when the disk, or what the agent may have of it, is full. */
export function isOutOfSpace(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    (error.code === 'ENOSPC' || error.code === 'EDQUOT')
  );
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

/** Writes everything into a file beside the journal; nothing of it is left when that fails. */
async function writeNext(path: string, lines: ReadonlyMap<string, string>): Promise<FileHandle> {
  const next = `${path}.new`;
  const handle = await open(next, 'w', 0o600);
  try {
    await handle.writeFile(encodeLine(FORMAT) + [...lines.values()].join(''));
    await handle.datasync();
    return handle;
  } catch (error) {
    await handle.close();
    await rm(next, { force: true });
    throw error;
  }
}

/** Puts that file into the journal's place, durably. */
async function adoptNext(path: string): Promise<void> {
  await rename(`${path}.new`, path);
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function sizeOf(lines: ReadonlyMap<string, string>): number {
  let bytes = 0;
  for (const line of lines.values()) bytes += Buffer.byteLength(line);
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

const HEADER_BYTES = encodeLine(FORMAT).length;

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}
