/** Reading and listing of files for `/files/*` and for the v1 calls READ_FILE and LIST_FILES. */

import { execFile } from 'node:child_process';
import { constants, type Stats } from 'node:fs';
import { lstat, open, readdir, type FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import { join } from 'node:path';
import { OperationError } from '@dcos/base';

const run = promisify(execFile);

/** Bytes that one read returns at most: the original's 16 pages. */
export const READ_BYTES_MAX = 16 * 4096;
/** Entries of one directory that are listed at most. */
export const ENTRIES_MAX = 10_000;

export interface FileRead {
  readonly size: number;
  readonly bytes: Uint8Array;
}

/** Opens a real path. A task may put a pipe in a file's place at any moment: opening it must not wait. */
export async function openForReading(path: string): Promise<FileHandle> {
  return await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
}

/** Reads a piece. Throws FILE_IS_DIRECTORY, and FILE_FORBIDDEN for what is neither file nor directory. */
export async function readPiece(path: string, offset: number, length: number): Promise<FileRead> {
  const handle = await openForReading(path);
  try {
    const stats = await handle.stat();
    if (stats.isDirectory())
      throw new OperationError('FILE_IS_DIRECTORY', 'Cannot read a directory');
    if (!stats.isFile()) throw new OperationError('FILE_FORBIDDEN', '');
    const wanted = Math.max(0, Math.min(length, READ_BYTES_MAX, stats.size - offset));
    if (wanted === 0) return { size: stats.size, bytes: new Uint8Array() };
    const buffer = Buffer.alloc(wanted);
    const { bytesRead } = await handle.read(buffer, 0, wanted, offset);
    return { size: stats.size, bytes: buffer.subarray(0, bytesRead) };
  } finally {
    await handle.close();
  }
}

/**
 * Text of a piece of a file. A character that the piece cuts in two is left to the next piece, so that a
 * reader who goes on by the length of what it got never sees half a character.
 */
export function wholeCharacters(bytes: Uint8Array): string {
  let end = bytes.length;
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    if (needed > back) end = bytes.length - back;
    break;
  }
  // A piece that is nothing but half a character is shown as it is; otherwise a reader would never get on.
  return Buffer.from(bytes.subarray(0, end === 0 ? bytes.length : end)).toString('utf8');
}

export interface ListedFile {
  readonly name: string;
  readonly stats: Stats;
  readonly owner: string;
  readonly group: string;
}

/** Entries of a directory in order of their names, or the file itself. Links are shown as links. */
export async function listFiles(path: string): Promise<readonly ListedFile[]> {
  const stats = await lstat(path);
  if (!stats.isDirectory()) return [];
  const names = (await readdir(path)).sort().slice(0, ENTRIES_MAX);
  const listed = await Promise.all(
    names.map(async (name) => {
      try {
        return { name, stats: await lstat(join(path, name)) };
      } catch {
        // It was deleted while we looked.
        return undefined;
      }
    }),
  );
  const present = listed.filter((entry) => entry !== undefined);
  return await Promise.all(
    present.map(async ({ name, stats: own }) => ({
      name,
      stats: own,
      owner: await accountName('-un', own.uid),
      group: await accountName('-gn', own.gid),
    })),
  );
}

const accountNames = new Map<string, Promise<string>>();
/** Names kept; beyond it numbers are shown. */
const ACCOUNT_NAMES_MAX = 1_000;

/** Name of a user, by `id`; the number where there is none. Groups come from the group database. */
async function accountName(flag: '-un' | '-gn', id: number): Promise<string> {
  const key = `${flag}${id}`;
  let name = accountNames.get(key);
  if (name === undefined) {
    if (accountNames.size >= ACCOUNT_NAMES_MAX) return String(id);
    name = lookUp(flag, id);
    accountNames.set(key, name);
  }
  return await name;
}

async function lookUp(flag: '-un' | '-gn', id: number): Promise<string> {
  try {
    if (flag === '-un') return (await run('id', ['-un', '--', String(id)])).stdout.trim();
    const { stdout } = await run('getent', ['group', String(id)]);
    return stdout.split(':')[0] ?? String(id);
  } catch {
    return String(id);
  }
}

/** `-rw-r--r--`, as `ls` shows it. */
export function modeText(mode: number): string {
  const kinds: { readonly [kind: number]: string } = {
    0o040000: 'd',
    0o120000: 'l',
    0o010000: 'p',
    0o140000: 's',
    0o060000: 'b',
    0o020000: 'c',
  };
  const kind = kinds[mode & 0o170000] ?? '-';
  const bits = 'rwxrwxrwx';
  let text = kind;
  for (let index = 0; index < 9; index++)
    text += mode & (0o400 >> index) ? bits.charAt(index) : '-';
  return text;
}
