/**
 * Puts a file on a host with nothing but programs that every host has. What arrived of an earlier attempt stays beside
 * the place under a name of that content, and is not sent again. The file appears in its place when its checksum is
 * right, never before.
 */

import { Transform, type Readable } from 'node:stream';
import { OperationError } from '@dcos/base';
import type { HostConnection, UploadOptions, UploadSource } from './connection.ts';

/** A transfer that is slower than that is given up; the next run goes on where it was. */
const UPLOAD_BYTES_PER_MS_MIN = 50;
const UPLOAD_TIMEOUT_MS = 120_000;

const LOOK = `
if [ -f "$1" ] && [ "$(sha256sum "$1" | cut -d ' ' -f 1)" = "$3" ]; then echo there; exit; fi
mkdir -p "$(dirname "$1")"
if [ -f "$2" ]; then stat -c %s "$2"; else echo 0; fi
`;
const APPEND = 'cat >>"$1"';
const FINISH = `
sum=$(sha256sum "$2" | cut -d ' ' -f 1)
if [ "$sum" != "$3" ]; then rm -f "$2"; echo "$sum"; exit 9; fi
chmod "$4" "$2" && mv -f "$2" "$1"
`;
const CORRUPT = 9;

/** Where what has arrived of a file stands until it is whole. */
export function partPath(remotePath: string, { sha256 }: Pick<UploadSource, 'sha256'>): string {
  return `${remotePath}.part-${sha256.slice(0, 16)}`;
}

/** {@link HostConnection.upload} over {@link HostConnection.run}. */
export async function uploadByPrograms(
  connection: Pick<HostConnection, 'run'>,
  source: UploadSource,
  remotePath: string,
  { mode, onProgress }: UploadOptions,
): Promise<void> {
  const part = partPath(remotePath, source);
  const shell = async (script: string, ...words: readonly string[]): Promise<string> => {
    const result = await connection.run(['sh', '-c', script, 'upload', ...words], {
      timeoutMs: UPLOAD_TIMEOUT_MS,
    });
    if (result.code === 0) return result.stdout.trim();
    const code = result.code === CORRUPT ? 'HOST_UPLOAD_CORRUPT' : 'HOST_UPLOAD_FAILED';
    const what =
      result.code === CORRUPT
        ? `arrived with checksum ${result.stdout.trim()}`
        : result.stderr.trim();
    throw new OperationError(code, `${remotePath}: ${what}`, { retry: 'now' });
  };
  const found = await shell(LOOK, remotePath, part, source.sha256);
  if (found === 'there') {
    await shell('chmod "$2" "$1"', remotePath, mode.toString(8));
    return;
  }
  const arrived = Number.parseInt(found, 10) || 0;
  if (arrived < source.sizeBytes) {
    const input = counted(source.open(arrived), arrived, onProgress);
    const sent = await connection.run(['sh', '-c', APPEND, 'upload', part], {
      input,
      timeoutMs: UPLOAD_TIMEOUT_MS + (source.sizeBytes - arrived) / UPLOAD_BYTES_PER_MS_MIN,
    });
    if (sent.code !== 0) {
      throw new OperationError('HOST_UPLOAD_FAILED', `${remotePath}: ${sent.stderr.trim()}`, {
        retry: 'now',
      });
    }
  }
  await shell(FINISH, remotePath, part, source.sha256, mode.toString(8));
}

function counted(
  stream: Readable,
  already: number,
  onProgress: UploadOptions['onProgress'],
): Readable {
  if (onProgress === undefined) return stream;
  let doneBytes = already;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      doneBytes += chunk.length;
      onProgress(doneBytes);
      done(null, chunk);
    },
  });
  stream.once('error', (error) => counter.destroy(error));
  return stream.pipe(counter);
}
