import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, expect, test } from 'vitest';
import { temporaryDirectory } from '@dcos/testkit';
import { LocalConnection } from '../testing/local-connection.ts';
import type { UploadSource } from './connection.ts';

const directory = temporaryDirectory('upload');
afterEach(() => directory.remove());

const content = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
const sha256 = createHash('sha256').update(content).digest('hex');
const connection = new LocalConnection();

function source(opened: number[], sent: Buffer = content): UploadSource {
  return {
    sizeBytes: content.length,
    sha256,
    open(fromByte) {
      opened.push(fromByte);
      return Readable.from([sent.subarray(fromByte)]);
    },
  };
}

test('a file arrives as a whole, with its mode; sent again it is not sent', async () => {
  const path = join(directory.path, 'a folder', "it's a file");
  const opened: number[] = [];
  const progress: number[] = [];
  const options = { mode: 0o640, onProgress: (doneBytes: number) => progress.push(doneBytes) };
  await connection.upload(source(opened), path, options);
  await connection.upload(source(opened), path, options);
  expect(readFileSync(path).equals(content)).toBe(true);
  expect((statSync(path).mode & 0o777).toString(8)).toBe('640');
  expect(progress.at(-1)).toBe(content.length);
  expect(opened).toEqual([0]);
});

test('a broken transfer goes on where it was', async () => {
  const path = join(directory.path, 'resumed');
  await connection.run(['mkdir', '-p', directory.path]);
  writeFileSync(`${path}.part-${sha256.slice(0, 16)}`, content.subarray(0, 100_000));
  const opened: number[] = [];
  await connection.upload(source(opened), path, { mode: 0o600 });
  expect(opened).toEqual([100_000]);
  expect(readFileSync(path).equals(content)).toBe(true);
});

test('what arrives with another checksum is thrown away, and said', async () => {
  const path = join(directory.path, 'corrupt');
  const broken = Buffer.from(content);
  broken[77] = 255;
  await expect(connection.upload(source([], broken), path, { mode: 0o600 })).rejects.toMatchObject({
    code: 'HOST_UPLOAD_CORRUPT',
    retry: 'now',
  });
  expect(existsSync(path)).toBe(false);
  expect(readdirSync(directory.path)).toEqual([]);
});
