/** A release is built, unpacked far from the checkout and run from there, and built again elsewhere. */

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { connect, createServer, type AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import type NodePty from '@lydell/node-pty';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { extractRelease, verifyRelease, type Manifest } from '@dcos/installer/release';
import {
  program,
  startBoxProcess,
  temporaryDirectory,
  waitFor,
  workspaceRoot,
  type BoxProcess,
} from '@dcos/testkit';
import { COMPONENTS } from './components.ts';

const platform = `linux-${process.arch}`;
const scratch = temporaryDirectory('release');
/** A name that a careless launcher stumbles over. */
const release = join(scratch.path, `it's a "place" for $HOME`, 'dcos');
const home = join(scratch.path, 'home');
const environment = { HOME: home, PATH: '/usr/bin:/bin', TERM: 'xterm' };
const key = join(scratch.path, 'key.pem');
let archive: string;
let manifest: Manifest;
let box: BoxProcess | undefined;

beforeAll(async () => {
  mkdirSync(home);
  const { privateKey } = generateKeyPairSync('ed25519');
  writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const out = join(scratch.path, 'out');
  archive = build(workspaceRoot, out);
  mkdirSync(join(release, '..'));
  const trustedKeys = [createPublicKey(readFileSync(join(out, 'dcos-release.pub')))];
  manifest = await extractRelease(archive, release, { trustedKeys });
}, 600_000);
afterAll(async () => {
  await box?.stop('SIGTERM');
  scratch.remove();
}, 60_000);

/** Builds the archive of a checkout for this platform; returns its path. */
function build(root: string, out: string): string {
  const program = join(root, 'tools', 'release', 'release.ts');
  const flags = [`--platform=${platform}`, `--signing-key=${key}`, `--out=${out}`];
  execFileSync(process.execPath, ['--conditions=@dcos/source', program, ...flags], { cwd: '/' });
  const name = readdirSync(out).find((file) => file.endsWith('.tar.gz'));
  if (name === undefined) throw new Error(`no archive in ${out}`);
  return join(out, name);
}

function run(file: string, ...args: readonly string[]): unknown {
  const { status, stderr } = spawnSync(join(release, file), args, {
    cwd: '/',
    env: environment,
    encoding: 'utf8',
  });
  return { status, stderr };
}

test.each(COMPONENTS.filter(({ command }) => command === undefined))(
  '$name starts from the release alone',
  ({ name }) => {
    const program = join(release, 'lib', `${name}.js`);
    expect(run('bin/node', program, '--print-config')).toEqual({ status: 0, stderr: '' });
  },
);

test.each([
  ['dcos', '--version'],
  ['dcos-box', '--help'],
])('%s %s is a command, through a link, too', (command, flag) => {
  expect(run(`bin/${command}`, flag)).toEqual({ status: 0, stderr: '' });
  const link = join(scratch.path, `-${command} linked`);
  symlinkSync(join(release, 'bin', command), link);
  expect(spawnSync(link, [flag], { cwd: '/', env: environment }).status).toBe(0);
});

test('dcos-ops is a command', () => {
  expect(run('bin/dcos-ops', 'restore', '--from', '/absent', '--to', 'nowhere')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('/absent cannot be read') as string,
  });
});

test('nothing in it names the checkout or this machine', () => {
  const naming = manifest.files
    .filter(({ path }) => !path.startsWith('bin/node'))
    .filter(({ path }) => readFileSync(join(release, path)).includes(workspaceRoot))
    .map(({ path }) => path);
  expect(naming).toEqual([]);
});

const java = program('java');
test.skipIf(!java.available)(
  `its ZooKeeper serves with a Java runtime alone${java.note}`,
  async () => {
    const port = await freePort();
    const settings = join(scratch.path, 'zookeeper.cfg');
    const lines = ['tickTime=400', `dataDir=${join(scratch.path, 'zookeeper')}`];
    lines.push(`clientPort=${port}`, 'clientPortAddress=127.0.0.1', 'admin.enableServer=false');
    lines.push('4lw.commands.whitelist=srvr', '');
    writeFileSync(settings, lines.join('\n'));
    const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain';
    const flags = ['-Xmx64m', '-cp', join(release, 'lib', 'zookeeper', '*'), main, settings];
    const server = spawn('java', flags, { cwd: '/', env: environment, stdio: 'ignore' });
    const gone = once(server, 'close');
    try {
      const answer = await waitFor('ZooKeeper', async () => {
        if (server.exitCode !== null) throw new Error(`it ended with ${server.exitCode}`);
        return (await srvr(port)).includes('Mode: standalone') && (await srvr(port));
      });
      expect(answer).toContain('Zookeeper version: 3.9.');
    } finally {
      server.kill('SIGKILL');
      await gone;
    }
  },
);

/** One that was free a moment ago. */
async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, 'close');
  return port;
}

/** What a server of ZooKeeper says of itself; nothing while it is not there. */
async function srvr(port: number): Promise<string> {
  return await new Promise((resolve) => {
    let text = '';
    const socket = connect({ host: '127.0.0.1', port, timeout: 1_000 });
    socket.on('connect', () => socket.write('srvr'));
    socket.on('data', (chunk) => (text += String(chunk)));
    socket.on('timeout', () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => resolve(text));
  });
}

test('it brings the licence of this project', () => {
  expect(readFileSync(join(release, 'LICENSE'), 'utf8')).toContain('Apache License');
});

test('a cluster of it runs an app, shows the console and opens a terminal', async () => {
  box = await startBoxProcess(join(scratch.path, 'data'), [], {
    file: join(release, 'bin', 'dcos-box'),
    args: [],
    environment,
  });
  const { url } = box.ready;
  const page = await fetch(url, { headers: { accept: 'text/html' } });
  expect([page.status, await page.text()]).toEqual([
    200,
    readFileSync(join(release, 'ui', 'index.html'), 'utf8'),
  ]);
  const dcos = join(release, 'bin', 'dcos');
  execFileSync(dcos, ['cluster', 'setup', url], { env: environment, stdio: 'pipe' });
  execFileSync(dcos, ['marathon', 'app', 'add'], {
    env: environment,
    input: JSON.stringify({ id: '/sleeper', cmd: 'sleep 1000', cpus: 0.1, mem: 32 }),
  });
  await waitFor('the app to run', async () => {
    const answer = await fetch(`${url}/service/marathon/v2/apps/sleeper`);
    const { app } = (await answer.json()) as { app: { tasksRunning: number } };
    return app.tasksRunning === 1;
  });
  // Its native package is that of the release, here and in the agent.
  const pty = createRequire(join(release, 'lib', 'agent.js'))('@lydell/node-pty') as typeof NodePty;
  const script = 'until [ "$(stty size)" = "21 73" ]; do sleep 0.1; done; echo seen; exit 7';
  const words = ['task', 'exec', '-it', 'sleeper', 'sh', '-c', script];
  const terminal = pty.spawn(dcos, words, { rows: 21, cols: 73, env: environment });
  let shown = '';
  terminal.onData((text) => (shown += text));
  const code = await new Promise((resolve) => terminal.onExit((end) => resolve(end.exitCode)));
  expect([code, shown.trim()]).toEqual([7, 'seen']);
});

test('a release is as it was after its programs ran', () => {
  const files = readdirSync(release, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(release.length + 1));
  const signed = ['manifest.json', 'manifest.json.sig'];
  expect(files.sort()).toEqual([...manifest.files.map(({ path }) => path), ...signed].sort());
});

test('it is the same, byte for byte, from another folder at another time', async () => {
  const folder = join(workspaceRoot, '.release');
  mkdirSync(folder, { recursive: true });
  // On the same disk, where a copy of all packages takes no room.
  const elsewhere = mkdtempSync(join(folder, 'elsewhere-'));
  const umask = process.umask(0o077);
  try {
    copyCheckout(elsewhere);
    const again = build(elsewhere, join(scratch.path, 'again'));
    const trustedKeys = [createPublicKey(readFileSync(key))];
    // This says what differs.
    expect(await verifyRelease(again, { trustedKeys })).toEqual(manifest);
    expect(readFileSync(again).equals(readFileSync(archive))).toBe(true);
  } finally {
    process.umask(umask);
    rmSync(elsewhere, { recursive: true });
  }
}, 600_000);

/** What is no source; packages are linked instead. */
const NOT_COPIED = new Set(['node_modules', 'dist', '.git', '.dcos', '.nx', '.release']);

function copyCheckout(to: string): void {
  for (const name of readdirSync(workspaceRoot).filter((each) => !NOT_COPIED.has(each)))
    cpSync(join(workspaceRoot, name), join(to, name), {
      recursive: true,
      filter: (path) => !NOT_COPIED.has(basename(path)),
    });
  const parts = readdirSync(join(workspaceRoot, 'packages')).map((name) => join('packages', name));
  for (const place of ['', 'installer', ...parts].map((part) => join(part, 'node_modules')))
    if (existsSync(join(workspaceRoot, place)))
      execFileSync('cp', ['-al', join(workspaceRoot, place), join(to, place)]);
}
