import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { temporaryDirectory } from '@dcos/testkit';
import { readSecret } from './secret-source.ts';
import { sshSchema } from './ssh-settings.ts';
import { placesOf, sshTargets } from './ssh-targets.ts';

const scratch = temporaryDirectory('ssh-targets');
afterAll(() => scratch.remove());
const directory = scratch.path;
const environment = { SSH_AUTH_SOCK: '/agent', PASSPHRASE: 'open', EMPTY: '' };
const HOST = { name: '10.0.0.1', address: '10.0.0.1', role: 'master' } as const;
writeFileSync(join(directory, 'key'), 'the key');
writeFileSync(join(directory, 'secret'), 'se cret\n');

const targetOf = (settings: object): object =>
  sshTargets(sshSchema.parse(settings), '/own', { directory, environment })(HOST);

test.each<[settings: object, target: object]>([
  [
    {},
    {
      host: '10.0.0.1',
      port: 22,
      user: 'root',
      proof: { agentSocket: '/agent' },
      bastions: [],
      hostKeys: { file: '/own', pinsFirst: true },
      connectTimeoutMs: 20_000,
      keepAliveIntervalMs: 10_000,
    },
  ],
  [{ keyFile: 'key' }, { proof: { privateKey: 'the key' } }],
  [
    { keyFile: 'key', passphrase: 'env:PASSPHRASE', password: 'file:secret' },
    { proof: { privateKey: 'the key', passphrase: 'open', password: 'se cret' } },
  ],
  [{ user: 'ann' }, { user: 'ann', sudo: {} }],
  [{ user: 'ann', sudoPassword: 'file:secret' }, { sudo: { password: 'se cret' } }],
  [
    { knownHosts: 'known', pinHostKeys: false },
    { hostKeys: { file: join(directory, 'known'), pinsFirst: false } },
  ],
  [
    {
      user: 'ann',
      bastions: [{ host: 'gate' }, { host: 'lock', port: 2, user: 'bob', keyFile: 'key' }],
    },
    {
      bastions: [
        { host: 'gate', port: 22, user: 'ann', proof: { agentSocket: '/agent' } },
        { host: 'lock', port: 2, user: 'bob', proof: { privateKey: 'the key' } },
      ],
    },
  ],
])('settings %j', (settings, target) => {
  expect(targetOf(settings)).toMatchObject(target);
});

test('root needs no sudo', () => {
  expect(targetOf({ sudoPassword: 'file:secret' })).not.toHaveProperty('sudo');
});

test.each([
  [{ keyFile: 'nowhere' }, 'SSH_KEY_UNREADABLE', 'nowhere'],
  [{ password: 'env:NOWHERE' }, 'INSTALLER_SECRET_MISSING', 'the environment has no NOWHERE'],
  [{ password: 'env:EMPTY' }, 'INSTALLER_SECRET_MISSING', 'the environment has no EMPTY'],
  [{ password: 'file:nowhere' }, 'INSTALLER_SECRET_MISSING', 'ENOENT'],
])('what cannot be read is told: %j', (settings, code, text) => {
  let error: unknown;
  try {
    targetOf(settings);
  } catch (reason) {
    error = reason;
  }
  expect(error).toMatchObject({ code, message: expect.stringContaining(text) as string });
});

test('a secret is refused where its place is asked for', () => {
  expect(sshSchema.safeParse({ password: 'secret' }).success).toBe(false);
});

test('a file with a line end of Windows holds the same secret', () => {
  writeFileSync(join(directory, 'windows'), 'a\r\n');
  expect(readSecret('file:windows', { directory, environment })).toBe('a');
});

test('hosts are named by their addresses, masters first', () => {
  expect(
    placesOf({ masters: ['1.1.1.1'], privateAgents: ['1.1.1.2'], publicAgents: ['1.1.1.3'] }),
  ).toEqual([
    { name: '1.1.1.1', role: 'master', address: '1.1.1.1' },
    { name: '1.1.1.2', role: 'private', address: '1.1.1.2' },
    { name: '1.1.1.3', role: 'public', address: '1.1.1.3' },
  ]);
});
