/**
 * Brings a file from a host with nothing but programs that every host has: piece by piece, so that one answer is enough
 * for each, and checked as a whole.
 */

import { createHash } from 'node:crypto';
import { OperationError } from '@dcos/base';
import type { HostConnection } from './connection.ts';

/** In base64 it fits what is kept of a program's output. */
const PIECE_BYTES = 512 * 1024;
const ABOUT = 'stat -c %s "$1" && sha256sum "$1" | cut -d " " -f 1';
const PIECE = 'tail -c "+$2" "$1" | head -c "$3" | base64';
const TIMEOUT_MS = 300_000;

/**
 * The pieces of the file in their order.
 * @throws OperationError `HOST_DOWNLOAD_FAILED`; with the last piece when the file is not what the host said.
 */
export async function* downloadByPrograms(
  connection: Pick<HostConnection, 'run'>,
  remotePath: string,
  { bytesMax }: { readonly bytesMax: number },
): AsyncGenerator<Buffer> {
  const failed = (why: string): OperationError =>
    new OperationError('HOST_DOWNLOAD_FAILED', `${remotePath}: ${why}`, { retry: 'now' });
  const shell = async (script: string, ...words: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await connection.run(
      ['sh', '-c', script, 'download', remotePath, ...words],
      { timeoutMs: TIMEOUT_MS },
    );
    if (code !== 0) throw failed(stderr.trim());
    return stdout.trim();
  };
  const [size = '', sha256 = ''] = (await shell(ABOUT)).split('\n');
  const sizeBytes = Number(size);
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes > bytesMax)
    throw failed(`it has ${size} bytes, more than ${bytesMax} are not brought`);
  const hash = createHash('sha256');
  for (let start = 0; start < sizeBytes; start += PIECE_BYTES) {
    const text = await shell(PIECE, String(start + 1), String(PIECE_BYTES));
    const piece = Buffer.from(text, 'base64');
    hash.update(piece);
    yield piece;
  }
  if (hash.digest('hex') !== sha256) throw failed('what arrived is not what is there');
}
