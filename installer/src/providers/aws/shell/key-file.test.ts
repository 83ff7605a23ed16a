import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { program, temporaryDirectory } from '@dcos/testkit';
import { afterAll, expect, test } from 'vitest';
import { makeKeyFile, readKeyFile } from './key-file.ts';

const folder = temporaryDirectory('aws-key');
afterAll(() => folder.remove());
const keygen = program('ssh-keygen');

test('a key is made once, for its owner alone, and read again', () => {
  const path = join(folder.path, 'made', 'key');
  const made = makeKeyFile(path, 'a cluster');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(folder.path, 'made'))).toEqual(['key']);
  expect(readKeyFile(path)).toEqual(made);
  const before = readFileSync(path, 'utf8');
  expect(() => makeKeyFile(path, 'a cluster')).toThrow(/EEXIST/);
  expect(readFileSync(path, 'utf8')).toBe(before);
});

test('no file is no key, another file is an error', () => {
  expect(readKeyFile(join(folder.path, 'none'))).toBe(undefined);
  const path = join(folder.path, 'text');
  for (const text of [
    'hello',
    '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----',
  ]) {
    writeFileSync(path, text);
    expect(() => readKeyFile(path)).toThrow(/no private key/);
  }
});

test.skipIf(!keygen.available)(`OpenSSH reads it in the same way${keygen.note}`, () => {
  const path = join(folder.path, 'read-by-others');
  const { publicKey, fingerprint } = makeKeyFile(path, 'a cluster');
  const shown = spawnSync('ssh-keygen', ['-y', '-f', path], { encoding: 'utf8' });
  expect(shown.stdout.trim()).toBe(`${publicKey} a cluster`);
  const listed = spawnSync('ssh-keygen', ['-l', '-f', path], { encoding: 'utf8' });
  expect(listed.stdout).toContain(fingerprint);
});
