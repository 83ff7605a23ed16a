/**
 * Reads a file through the compression that its first bytes tell: gzip and zstd in this process, bzip2 and xz by the
 * programs of the distribution. What is not compressed comes as it is.
 */

import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { PassThrough, type Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';

type Compression = 'none' | 'gzip' | 'zstd' | 'bzip2' | 'xz';

const MAGIC: readonly (readonly [Compression, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
];
const MAGIC_BYTES_MAX = 6;

/** How a file is packed. */
export async function compressionOf(path: string): Promise<Compression> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(MAGIC_BYTES_MAX),
      0,
      MAGIC_BYTES_MAX,
    );
    const isLike = (magic: readonly number[]): boolean =>
      bytesRead >= magic.length && magic.every((byte, index) => buffer[index] === byte);
    return MAGIC.find(([, magic]) => isLike(magic))?.[0] ?? 'none';
  } finally {
    await file.close();
  }
}

/** The unpacked bytes; the stream fails when the file is damaged or the program is not there. */
export async function decompressed(path: string): Promise<Readable> {
  const compression = await compressionOf(path);
  const raw = createReadStream(path);
  switch (compression) {
    case 'none':
      return raw;
    case 'gzip':
      return through(raw, createGunzip());
    case 'zstd':
      return through(raw, createZstdDecompress());
    case 'bzip2':
    case 'xz':
      raw.destroy();
      return byProgram(compression, path);
    default:
      return compression satisfies never;
  }
}

function through(raw: Readable, unpacked: ReturnType<typeof createGunzip>): Readable {
  raw.on('error', (error) => unpacked.destroy(error));
  unpacked.on('close', () => raw.destroy());
  return raw.pipe(unpacked);
}

function byProgram(program: string, path: string): Readable {
  const child = spawn(program, ['-dc', '--', path], { stdio: ['ignore', 'pipe', 'ignore'] });
  const { stdout } = child;
  // The end of the output says nothing about success: readers wait for it until the status is known.
  const checked = stdout.pipe(new PassThrough(), { end: false });
  child.on('error', (error) =>
    checked.destroy(new Error(`cannot run ${program}`, { cause: error })),
  );
  child.on('close', (code) => {
    if (code === 0) checked.end();
    else checked.destroy(new Error(`${program} cannot read the file`));
  });
  checked.on('close', () => child.kill());
  return checked;
}
