import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { temporaryDirectory } from '@dcos/testkit';
import { LocalConnection } from '../testing/local-connection.ts';
import { downloadByPrograms } from './download.ts';

const directory = temporaryDirectory('download');
afterAll(() => directory.remove());

async function bring(path: string, bytesMax = 10_000_000, connection = new LocalConnection()) {
  const pieces: Buffer[] = [];
  for await (const piece of downloadByPrograms(connection, path, { bytesMax })) pieces.push(piece);
  return Buffer.concat(pieces);
}

test.each([
  ['nothing', 0],
  ['a byte', 1],
  ['exactly one piece', 512 * 1024],
  ['pieces and a rest', 1_300_001],
])('brings %s', async (name, sizeBytes) => {
  const path = join(directory.path, `it's ${name}`);
  const content = Buffer.from(Array.from({ length: sizeBytes }, (_, index) => index % 251));
  writeFileSync(path, content);
  expect((await bring(path)).equals(content)).toBe(true);
});

test('refuses what is too large, and what is not there', async () => {
  const path = join(directory.path, 'large');
  writeFileSync(path, 'x'.repeat(11));
  await expect(bring(path, 10)).rejects.toThrow('more than 10');
  await expect(bring(join(directory.path, 'absent'))).rejects.toThrow('absent');
});

test('tells of a file that changed meanwhile', async () => {
  const path = join(directory.path, 'changing');
  writeFileSync(path, 'before');
  class Changing extends LocalConnection {
    override async run(argv: readonly string[]) {
      const result = await super.run(argv);
      writeFileSync(path, 'after!');
      return result;
    }
  }
  await expect(bring(path, 10, new Changing())).rejects.toMatchObject({
    code: 'HOST_DOWNLOAD_FAILED',
  });
});
