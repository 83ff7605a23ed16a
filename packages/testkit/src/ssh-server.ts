/** A server of OpenSSH on loopback, for this user, with keys of its own. */

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { program, type Facility } from './facility.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const SSHD = '/usr/sbin/sshd';
/** Where a server that is started by root keeps an empty folder. */
const PRIVILEGES = '/run/sshd';
const START_TIMEOUT_MS = 30_000;

export type SshKeyType = 'ed25519' | 'rsa' | 'ecdsa';

export interface SshKeyPair {
  /** File of the private key; the public one is beside it, with `.pub`. */
  readonly path: string;
  readonly privateKey: string;
  /** As in a file of authorized keys. */
  readonly publicKey: string;
}

export interface SshServerOptions {
  /** Public keys that let one in. */
  readonly authorized: readonly string[];
  readonly hostKeys: readonly SshKeyPair[];
  /** The port of an earlier one. */
  readonly port?: number;
  /** Where programs are looked for before the usual places. */
  readonly programs?: string;
}

export interface SshServer {
  readonly port: number;
  /** Who is let in. */
  readonly user: string;
  /** No connection is taken any more; those that it took go on. Idempotent. */
  close(): Promise<void>;
}

/** OpenSSH, both sides of it. */
export function openSsh(): Facility {
  const missing = [program('sshd'), program('ssh-keygen')].find(({ available }) => !available);
  return missing ?? program('ssh-agent');
}

/** Makes a pair of keys in a folder. */
export function sshKeyPair(
  folder: string,
  name: string,
  { type = 'ed25519', passphrase = '' }: { type?: SshKeyType; passphrase?: string } = {},
): SshKeyPair {
  const path = join(folder, name);
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', name, '-f', path]);
  return {
    path,
    privateKey: readFileSync(path, 'utf8'),
    publicKey: readFileSync(`${path}.pub`, 'utf8'),
  };
}

export async function startSshServer(options: SshServerOptions): Promise<SshServer> {
  const folder = temporaryDirectory('sshd');
  if (process.getuid?.() === 0) mkdirSync(PRIVILEGES, { recursive: true, mode: 0o755 });
  const keys = join(folder.path, 'authorized');
  writeFileSync(keys, options.authorized.join(''));
  const port = options.port ?? (await freePort());
  const settings = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    ...options.hostKeys.map(({ path }) => `HostKey ${path}`),
    `AuthorizedKeysFile ${keys}`,
    'PidFile none',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
    // The folder of a test belongs to whoever runs it.
    'StrictModes no',
    'UsePAM no',
    ...(options.programs === undefined ? [] : [`SetEnv PATH=${options.programs}:/usr/bin:/bin`]),
  ];
  const file = join(folder.path, 'config');
  writeFileSync(file, `${settings.join('\n')}\n`);
  const child = spawn(SSHD, ['-D', '-e', '-f', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  // Processes of connections hold its output for longer.
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  try {
    await listens(child);
  } catch (error) {
    folder.remove();
    throw error;
  }
  return {
    port,
    user: userInfo().username,
    async close() {
      child.kill('SIGKILL');
      await ended;
      child.stderr?.destroy();
      folder.remove();
    },
  };
}

async function listens(child: ChildProcess): Promise<void> {
  if (child.stderr === null) throw new Error('unreachable: its errors are piped');
  const said: string[] = [];
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(failure('did not start')), START_TIMEOUT_MS);
    const failure = (what: string): Error => new Error(`sshd ${what}: ${said.join('\n')}`);
    child.once('error', reject);
    child.once('exit', () => reject(failure('ended')));
    createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => {
      said.push(line);
      if (!line.startsWith('Server listening on')) return;
      clearTimeout(timer);
      resolve();
    });
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
