/**
 * The file of a backup: what a cluster's stores held at one moment, as lines of JSON.
 *
 *     {"format":"dcos-backup","version":1,"createdAt":"2026-01-31T03:00:00.000Z","entries":2}
 *     {"key":"master/…","value":"<base64>"}
 *     {"key":"marathon/…","value":"<base64>"}
 *     {"sha256":"<of all bytes before this line>"}
 *
 * It is readable by its owner alone, since entries may hold secrets. It is there whole or not at all: written
 * beside its place, synced, moved.
 */

import { createHash } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errorText, OperationError, parseJsonObject } from '@dcos/base';

const FORMAT = 'dcos-backup';
const VERSION = 1;

export interface BackupEntry {
  readonly key: string;
  readonly value: Uint8Array;
}

export interface Backup {
  readonly createdAt: string;
  readonly entries: readonly BackupEntry[];
  /** Names the file by what is in it. */
  readonly sha256: string;
}

/** Writes a file; gives the checksum that is in it. */
export async function writeBackup(
  path: string,
  { createdAt, entries }: Omit<Backup, 'sha256'>,
): Promise<string> {
  const lines = [
    JSON.stringify({ format: FORMAT, version: VERSION, createdAt, entries: entries.length }),
    ...entries.map(({ key, value }) =>
      JSON.stringify({ key, value: Buffer.from(value).toString('base64') }),
    ),
  ];
  const text = `${lines.join('\n')}\n`;
  const sha256 = checksum(text);
  const unfinished = join(dirname(path), `.${basename(path)}.${process.pid}`);
  try {
    const file = await open(unfinished, 'wx', 0o600);
    try {
      await file.writeFile(`${text}${JSON.stringify({ sha256 })}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw new OperationError('BACKUP_UNWRITABLE', `${path} cannot be written: ${errorText(error)}`);
  }
  return sha256;
}

/** Reads a file whole and checks it. Throws `BACKUP_UNREADABLE`, `BACKUP_DAMAGED` or `BACKUP_VERSION`. */
export async function readBackup(path: string): Promise<Backup> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new OperationError('BACKUP_UNREADABLE', `${path} cannot be read: ${errorText(error)}`);
  }
  const damaged = (why: string): OperationError =>
    new OperationError('BACKUP_DAMAGED', `${path} is no whole backup: ${why}`);
  const end = text.trimEnd().lastIndexOf('\n') + 1;
  const header = parseJsonObject(text.slice(0, text.indexOf('\n')));
  if (header?.['format'] !== FORMAT) throw damaged('it does not begin as one');
  if (header['version'] !== VERSION)
    throw new OperationError(
      'BACKUP_VERSION',
      `${path} has the format ${JSON.stringify(header['version'])}; this program reads ${VERSION}`,
    );
  const sha256 = checksum(text.slice(0, end));
  if (parseJsonObject(text.slice(end))?.['sha256'] !== sha256)
    throw damaged('its checksum is another');
  const lines = text.slice(0, end).split('\n').slice(1, -1);
  if (lines.length !== header['entries']) throw damaged('entries are missing');
  const entries = lines.map((line) => {
    const entry = parseJsonObject(line);
    const { key, value } = entry ?? {};
    if (typeof key !== 'string' || typeof value !== 'string') throw damaged('an entry is none');
    return { key, value: new Uint8Array(Buffer.from(value, 'base64')) };
  });
  const { createdAt } = header;
  if (typeof createdAt !== 'string') throw damaged('it does not say when it was made');
  return { createdAt, entries, sha256 };
}

function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
