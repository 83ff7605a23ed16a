/** What is refused of a release that is signed and whole. What else is, is tested with `release/`. */

import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { temporaryDirectory } from '@dcos/testkit';
import { writeRelease } from '../release/index.ts';
import { openRelease } from './release.ts';

const folder = temporaryDirectory('open-release');
afterAll(() => folder.remove());

test('one with another ZooKeeper than units start is not taken', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const [archive, key] = [join(folder.path, 'old.tar.gz'), join(folder.path, 'key.pub')];
  writeFileSync(key, publicKey.export({ type: 'spki', format: 'pem' }));
  const node = { path: 'bin/node', mode: '0755', content: Buffer.from('node') } as const;
  const content = { version: '0.0.9', platform: 'linux-x64', files: [node] } as const;
  await writeRelease(archive, content, privateKey);
  await expect(openRelease(archive, key)).rejects.toMatchObject({
    code: 'RELEASE_OF_ANOTHER_INSTALLER',
  });
});
