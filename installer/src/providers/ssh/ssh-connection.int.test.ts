/** The way to a host by SSH, against servers of OpenSSH on loopback. */

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  openSsh,
  sshKeyPair,
  startSshServer,
  temporaryDirectory,
  waitFor,
  type SshKeyPair,
  type SshServer,
  type SshServerOptions,
} from '@dcos/testkit';
import type { UploadSource } from '../../hosts/connection.ts';
import { SshConnection } from './ssh-connection.ts';
import type { SshTarget } from './ssh-target.ts';

const needed = openSsh();

describe.skipIf(!needed.available)(`by SSH${needed.note}`, () => {
  const scratch = temporaryDirectory('ssh');
  const closers: (() => Promise<void> | void)[] = [];
  let key: SshKeyPair;
  let hostKey: SshKeyPair;
  let server: SshServer;
  let count = 0;

  beforeAll(async () => {
    key = sshKeyPair(scratch.path, 'key');
    hostKey = sshKeyPair(scratch.path, 'host');
    server = await startSshServer({ authorized: [key.publicKey], hostKeys: [hostKey] });
  });
  afterEach(async () => {
    for (const close of closers.splice(0).toReversed()) await close();
  });
  afterAll(async () => {
    await server?.close();
    scratch.remove();
  });

  const path = (name: string): string => join(scratch.path, `${(count += 1)}-${name}`);

  async function serve(more: Partial<SshServerOptions> = {}): Promise<SshServer> {
    const started = await startSshServer({
      authorized: [key.publicKey],
      hostKeys: [hostKey],
      ...more,
    });
    closers.push(() => started.close());
    return started;
  }

  function target(more: Partial<SshTarget> = {}): SshTarget {
    return {
      host: '127.0.0.1',
      port: server.port,
      user: server.user,
      proof: { privateKey: key.privateKey },
      bastions: [],
      hostKeys: { file: path('known_hosts'), pinsFirst: true },
      ...more,
    };
  }

  function reach(more: Partial<SshTarget> = {}): SshConnection {
    const connection = new SshConnection(target(more));
    closers.push(() => connection.close());
    return connection;
  }

  const code = async (connection: SshConnection): Promise<unknown> =>
    await connection.run(['true'], { asRoot: false }).then(
      () => 'reached',
      (error: { readonly code?: unknown }) => error.code,
    );

  describe('programs', () => {
    test('have their words, what they read, and tell what they wrote and how they ended', async () => {
      const words = ["it's", '$HOME', 'a b', '', '*', '`id`', '-n', 'ü\n'];
      const script = 'cat; printf "%s|" "$@"; echo wrong >&2; exit 7';
      const argv = ['sh', '-c', script, 'sh', ...words];
      expect(await reach().run(argv, { input: 'read ', asRoot: false })).toEqual({
        code: 7,
        stdout: `read ${words.join('|')}|`,
        stderr: 'wrong\n',
      });
    });

    test('that read nothing do not wait for more', async () => {
      expect(await reach().run(['cat'], { asRoot: false })).toMatchObject({ code: 0, stdout: '' });
    });

    test('that do not read what they are given end as they do', async () => {
      const input = Readable.from([Buffer.alloc(8 * 1024 * 1024)]);
      const result = await reach().run(['sh', '-c', 'exit 3'], { input, asRoot: false });
      expect(result.code).toBe(3);
    });

    test('run side by side, more of them than the server takes at a time', async () => {
      const connection = reach();
      const numbers = Array.from({ length: 30 }, (_, index) => String(index));
      const results = numbers.map(
        async (number) => (await connection.run(['echo', number], { asRoot: false })).stdout,
      );
      expect(await Promise.all(results)).toEqual(numbers.map((number) => `${number}\n`));
    });

    test('write more than is kept', async () => {
      const script = 'head -c 5000000 /dev/zero | tr "\\0" x; echo end';
      const { stdout } = await reach().run(['sh', '-c', script], { asRoot: false });
      expect(stdout).toHaveLength(1024 * 1024);
      expect(stdout.endsWith('xend\n')).toBe(true);
    });

    test('that take too long are ended on the host', async () => {
      const mark = path('pid');
      const script = 'echo $$ >"$0"; exec sleep 600';
      await expect(
        reach().run(['sh', '-c', script, mark], { timeoutMs: 1_000, asRoot: false }),
      ).rejects.toMatchObject({ code: 'HOST_TIMEOUT' });
      const pid = Number(readFileSync(mark, 'utf8'));
      await waitFor('the end of the program', () => !existsSync(`/proc/${pid}`));
    });
  });

  describe('who we are', () => {
    test('is proved by a key with a passphrase', async () => {
      const locked = sshKeyPair(scratch.path, 'locked', { passphrase: 'open it' });
      const { port } = await serve({ authorized: [locked.publicKey] });
      const by = (passphrase?: string): SshConnection =>
        reach({
          port,
          proof: { privateKey: locked.privateKey, ...(passphrase !== undefined && { passphrase }) },
        });
      expect(await code(by('open it'))).toBe('reached');
      expect(await code(by('open'))).toBe('SSH_KEY_UNREADABLE');
      expect(await code(by())).toBe('SSH_KEY_UNREADABLE');
    });

    test('is proved by an agent', async () => {
      const agentSocket = path('agent');
      const agent = spawn('ssh-agent', ['-D', '-a', agentSocket], { stdio: 'ignore' });
      closers.push(() => ended(agent));
      await waitFor('the agent', () => existsSync(agentSocket));
      expect(await code(reach({ proof: { agentSocket } }))).toBe('HOST_LOGIN_REFUSED');
      const env = { ...process.env, SSH_AUTH_SOCK: agentSocket };
      execFileSync('ssh-add', ['-q', key.path], { env, stdio: 'ignore' });
      expect(await code(reach({ proof: { agentSocket } }))).toBe('reached');
    });

    test('is not enough with the key of somebody else, and no secret is told', async () => {
      const stranger = sshKeyPair(scratch.path, 'stranger');
      const connection = reach({ proof: { privateKey: stranger.privateKey, password: 'secret' } });
      const error: unknown = await connection.run(['true']).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'HOST_LOGIN_REFUSED' });
      expect(String(error)).not.toContain('secret');
    });
  });

  describe('the key of a host', () => {
    test('is pinned, and another one is refused before anything is sent', async () => {
      const hostKeys = { file: path('known_hosts'), pinsFirst: true };
      const first = await serve();
      expect(await code(reach({ port: first.port, hostKeys }))).toBe('reached');
      await first.close();
      const other = sshKeyPair(scratch.path, 'other-host');
      const { port } = await serve({ hostKeys: [other], port: first.port });
      expect(await code(reach({ port, hostKeys }))).toBe('HOST_KEY_CHANGED');
      const pinned = readFileSync(hostKeys.file, 'utf8');
      expect(pinned.split('\n')).toHaveLength(2);
      expect(pinned).toContain(hostKey.publicKey.split(' ')[1]);
    });

    test('must be given where nothing is pinned', async () => {
      const hostKeys = { file: path('known_hosts'), pinsFirst: false };
      expect(await code(reach({ hostKeys }))).toBe('HOST_KEY_UNKNOWN');
      writeFileSync(hostKeys.file, `[127.0.0.1]:${server.port} ${hostKey.publicKey}`);
      expect(await code(reach({ hostKeys }))).toBe('reached');
    });

    test('is asked for by the kind that is known', async () => {
      const ecdsa = sshKeyPair(scratch.path, 'host-ecdsa', { type: 'ecdsa' });
      const { port } = await serve({ hostKeys: [hostKey, ecdsa] });
      const hostKeys = { file: path('known_hosts'), pinsFirst: false };
      writeFileSync(hostKeys.file, `[127.0.0.1]:${port} ${ecdsa.publicKey}`);
      expect(await code(reach({ port, hostKeys }))).toBe('reached');
    });
  });

  test('a host is reached over two others', async () => {
    const [outer, inner] = [await serve(), await serve()];
    const proof = { privateKey: key.privateKey };
    const bastion = ({ port, user }: SshServer) => ({ host: '127.0.0.1', port, user, proof });
    const hostKeys = { file: path('known_hosts'), pinsFirst: true };
    const connection = reach({ bastions: [bastion(outer), bastion(inner)], hostKeys });
    // The server of the way sees one of its own, not us.
    const { stdout } = await connection.run(['sh', '-c', 'echo $SSH_CONNECTION'], {
      asRoot: false,
    });
    expect(stdout.trim().split(' ').at(-1)).toBe(String(server.port));
    expect(readFileSync(hostKeys.file, 'utf8').trim().split('\n')).toHaveLength(3);
    await inner.close();
    expect(await code(reach({ bastions: [bastion(outer), bastion(inner)], hostKeys }))).toBe(
      'HOST_UNREACHABLE',
    );
  });

  describe('a network that fails', () => {
    /** Between us and the server; counts what goes there. */
    async function proxy(): Promise<Proxy> {
      const sockets = new Set<Socket>();
      const state: Proxy = {
        port: 0,
        sentBytes: 0,
        cutAfterBytes: Infinity,
        falls: false,
        joinsMs: 0,
        cut: () => sockets.forEach((socket) => socket.destroy()),
      };
      const listening: Server = createServer((near) => {
        const far = connect(server.port, '127.0.0.1');
        for (const socket of [near, far]) {
          sockets.add(socket);
          socket.on('error', () => undefined);
          socket.on('close', () => state.cut());
        }
        near.on('data', (chunk: Buffer) => {
          if (state.falls) return;
          state.sentBytes += chunk.length;
          far.write(chunk);
          if (state.sentBytes > state.cutAfterBytes) state.cut();
        });
        let held: Buffer[] = [];
        far.on('data', (chunk: Buffer) => {
          if (state.falls) return;
          held.push(chunk);
          if (held.length > 1) return;
          setTimeout(() => {
            near.write(Buffer.concat(held));
            held = [];
          }, state.joinsMs);
        });
      });
      listening.listen(0, '127.0.0.1');
      await once(listening, 'listening');
      closers.push(
        () => void listening.close(),
        () => state.cut(),
      );
      state.port = (listening.address() as AddressInfo).port;
      return state;
    }

    const BYTES = randomBytes(4 * 1024 * 1024);
    const source = (bytes = BYTES): UploadSource => ({
      sizeBytes: bytes.length,
      sha256: createHash('sha256').update(BYTES).digest('hex'),
      open: (from) => Readable.from([bytes.subarray(from)]),
    });

    test('holds a file up, and what has arrived is not sent again', async () => {
      const way = await proxy();
      const connection = reach({ port: way.port });
      const file = path('release');
      way.cutAfterBytes = 3 * 1024 * 1024;
      await expect(connection.upload(source(), file, { mode: 0o640 })).rejects.toMatchObject({
        code: 'HOST_UNREACHABLE',
      });
      expect(existsSync(file)).toBe(false);
      way.sentBytes = 0;
      way.cutAfterBytes = Infinity;
      const progress: number[] = [];
      const onProgress = (done: number): void => void progress.push(done);
      await connection.upload(source(), file, { mode: 0o640, onProgress });
      expect(readFileSync(file).equals(BYTES)).toBe(true);
      expect(statSync(file).mode & 0o777).toBe(0o640);
      expect(way.sentBytes).toBeLessThan(3 * 1024 * 1024);
      expect(progress.at(-1)).toBe(BYTES.length);
      // It is there: nothing of it is sent.
      way.sentBytes = 0;
      await connection.upload(source(), file, { mode: 0o600 });
      expect(way.sentBytes).toBeLessThan(64 * 1024);
      expect(statSync(file).mode & 0o777).toBe(0o600);
    });

    test('makes nothing of what arrives wrong', async () => {
      const file = path('release');
      const wrong = Buffer.from(BYTES);
      wrong[1_000_000] = (wrong[1_000_000] ?? 0) ^ 1;
      const connection = reach();
      await expect(connection.upload(source(wrong), file, { mode: 0o644 })).rejects.toMatchObject({
        code: 'HOST_UPLOAD_CORRUPT',
      });
      expect(existsSync(file)).toBe(false);
      await connection.upload(source(), file, { mode: 0o644 });
      expect(readFileSync(file).equals(BYTES)).toBe(true);
    });

    test('ends what is under way, and the next program has a new connection', async () => {
      const way = await proxy();
      const connection = reach({ port: way.port });
      const mark = path('began');
      const running = connection.run(['sh', '-c', 'touch "$0"; sleep 600', mark], {
        asRoot: false,
      });
      const problem = running.catch((error: unknown) => error);
      await waitFor('the program', () => existsSync(mark));
      way.cut();
      expect(await problem).toMatchObject({ code: 'HOST_UNREACHABLE' });
      expect(await code(connection)).toBe('reached');
    });

    test('falls silent, and is found to', async () => {
      const way = await proxy();
      const connection = reach({
        port: way.port,
        keepAliveIntervalMs: 200,
        connectTimeoutMs: 2_000,
      });
      expect(await code(connection)).toBe('reached');
      way.falls = true;
      expect(await code(connection)).toBe('HOST_UNREACHABLE');
      // A host that never says anything is not waited for.
      expect(await code(connection)).toBe('HOST_UNREACHABLE');
      way.falls = false;
      expect(await code(connection)).toBe('reached');
    });

    test('tells the beginning and the end of a program at once', async () => {
      const way = await proxy();
      const connection = reach({ port: way.port });
      way.joinsMs = 200;
      for (let count = 0; count < 3; count++) expect(await code(connection)).toBe('reached');
    });

    test('is not there at all', async () => {
      const gone = await serve();
      await gone.close();
      expect(await code(reach({ port: gone.port }))).toBe('HOST_UNREACHABLE');
    });
  });

  describe('root', () => {
    /** Stands in for sudo: asks as it does, unless it was told not to. */
    async function withSudo(asks: boolean): Promise<number> {
      const programs = path('programs');
      mkdirSync(programs);
      const script = `#!/bin/sh
prompt=
while [ "$1" != -- ]; do
  case "$1" in
    -n) [ ${asks ? 1 : 0} = 0 ] || { echo "sudo: a password is required" >&2; exit 1; } ;;
    -p) prompt=$2; shift ;;
  esac
  shift
done
shift
if [ ${asks ? 1 : 0} = 1 ]; then
  for try in 1 2 3; do
    printf %s "$prompt" >&2
    read -r password || exit 1
    [ "$password" = "pass word" ] && exec env AS=root "$@"
    echo "Sorry, try again." >&2
  done
  exit 1
fi
exec env AS=root "$@"
`;
      writeFileSync(join(programs, 'sudo'), script);
      chmodSync(join(programs, 'sudo'), 0o755);
      return (await serve({ programs })).port;
    }

    const reachBy = (port: number, password?: string): SshConnection =>
      reach({ port, sudo: password === undefined ? {} : { password } });

    test.each([[true], [false]])('when sudo asks: %s', async (asks) => {
      const port = await withSudo(asks);
      const connection = reachBy(port, 'pass word');
      const argv = ['sh', '-c', 'echo "$AS"; cat; echo wrong >&2; exit 4'];
      // Neither is the password read as input, nor the input as a password.
      expect(await connection.run(argv, { input: 'input\n' })).toEqual({
        code: 4,
        stdout: 'root\ninput\n',
        stderr: 'wrong\n',
      });
      expect((await connection.run(argv, { asRoot: false })).stdout).toBe('\n');
    });

    test('is refused with the wrong password, and without one that is needed', async () => {
      const port = await withSudo(true);
      for (const password of ['wrong', undefined]) {
        const connection = reachBy(port, password);
        const error: unknown = await connection.run(['id']).catch((reason: unknown) => reason);
        expect(error).toMatchObject({ code: 'HOST_SUDO_REFUSED' });
        expect(String(error)).not.toContain('wrong password');
      }
    });

    test('needs no word where sudo does not ask', async () => {
      const connection = reachBy(await withSudo(false));
      expect((await connection.run(['sh', '-c', 'echo "$AS"'])).stdout).toBe('root\n');
    });
  });

  async function ended(child: ChildProcess): Promise<void> {
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }
});

interface Proxy {
  port: number;
  sentBytes: number;
  cutAfterBytes: number;
  /** Whether nothing goes through any more, without a word. */
  falls: boolean;
  /** What the server says within so long comes at once. */
  joinsMs: number;
  cut(): void;
}
