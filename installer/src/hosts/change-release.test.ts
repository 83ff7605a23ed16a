/**
 * `infra/host/apply.mjs` and `infra/host/back.mjs`, run as they are but for the folders, which are below one of the test's;
 * systemctl is a script that notes what it was asked.
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { temporaryDirectory } from '@dcos/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LocalConnection } from '../testing/local-connection.ts';
import { hostProgram } from './host-programs.ts';

const UNITS = '/etc/systemd/system';
const SYSTEMCTL = `#!/bin/sh
echo "$*" >>"$0.calls"
[ "$1" = show ] && cat "$0.pid-$2" 2>/dev/null || echo 0
`;

let folder: ReturnType<typeof temporaryDirectory>;
/** A process of a unit. */
let child: ChildProcess | undefined;

const at = (path: string): string => join(folder.path, path);
const read = (path: string): string => readFileSync(at(path), 'utf8');
const linkAt = (path: string): string | undefined =>
  readdirSync(dirname(at(path))).includes(basename(path)) ? readlinkSync(at(path)) : undefined;

beforeEach(() => {
  folder = temporaryDirectory('host');
  for (const path of ['/opt/dcos/releases/a', '/opt/dcos/releases/b', UNITS, '/bin'])
    mkdirSync(at(path), { recursive: true });
  writeFileSync(at('/bin/systemctl'), SYSTEMCTL);
  chmodSync(at('/bin/systemctl'), 0o755);
});
afterEach(() => {
  child?.kill('SIGKILL');
  folder.remove();
});

/** Runs one of the programs on what is below the folder of the test; what it printed. */
async function runs(
  name: 'apply.mjs' | 'back.mjs',
  { input, word }: { readonly input?: object; readonly word?: string },
): Promise<string> {
  const inPattern = folder.path.replaceAll('/', String.raw`\/`);
  const text = hostProgram(name)
    .replaceAll(/'\/(opt|etc)\//g, `'${folder.path}/$1/`)
    .replaceAll('`/opt/', `\`${folder.path}/opt/`)
    .replaceAll(String.raw`^\/etc`, String.raw`^${inPattern}\/etc`);
  const { code, stdout, stderr } = await new LocalConnection().run(
    [
      'env',
      `PATH=${at('/bin')}:${process.env['PATH']}`,
      process.execPath,
      '--input-type=module',
      '-e',
      text,
      ...(word === undefined ? [] : [word]),
    ],
    { input: JSON.stringify(input ?? {}) },
  );
  if (code !== 0) throw new Error(stderr);
  return stdout;
}

interface Configuration {
  readonly files: Readonly<Record<string, string>>;
  readonly removed?: readonly string[];
  readonly activate?: string;
}

async function applies({ files, removed = [], activate }: Configuration): Promise<void> {
  const input = {
    files: Object.entries(files).map(([path, text]) => ({ path: at(path), text, mode: 0o640 })),
    removed: removed.map(at),
    activate,
  };
  await runs('apply.mjs', { input });
}

const unit = (fingerprint: string): string =>
  `[Service]\nEnvironment=DCOS_UNIT_FINGERPRINT=${fingerprint}\n`;
const ROUTER = `${UNITS}/dcos-adminrouter.service`;
const OLD: Configuration = {
  files: { '/etc/dcos/role': 'old', '/etc/dcos/gone.json': 'old', [ROUTER]: unit('1') },
  activate: 'a',
};
const NEW: Configuration = {
  files: {
    '/etc/dcos/role': 'new',
    '/etc/dcos/fresh.json': 'new',
    [ROUTER]: unit('2'),
    [`${UNITS}/dcos-fresh.service`]: unit('3'),
  },
  removed: ['/etc/dcos/gone.json'],
  activate: 'b',
};

describe('apply', () => {
  test('files appear with their permissions, others go, and the release is in use', async () => {
    await applies(OLD);
    expect(read('/etc/dcos/role')).toBe('old');
    expect(statSync(at('/etc/dcos/role')).mode & 0o777).toBe(0o640);
    expect(linkAt('/opt/dcos/active')).toBe('releases/a');
    expect(linkAt('/opt/dcos/former')).toBeUndefined();
    expect(existsSync(at('/opt/dcos/kept'))).toBe(false);
    await applies({ files: {}, removed: ['/etc/dcos/gone.json'] });
    expect(readdirSync(at('/etc/dcos'))).toEqual(['role']);
    expect(linkAt('/opt/dcos/active')).toBe('releases/a');
  });

  test('what the release before was configured with is kept, but for certificates and overrides', async () => {
    await applies(OLD);
    await applies({
      files: { '/etc/dcos/tls/node.pem': 'key', '/etc/dcos/override/x.env': 'X=1' },
    });
    writeFileSync(at(`${UNITS}/ssh.service`), 'not ours');
    await applies(NEW);
    expect(linkAt('/opt/dcos/active')).toBe('releases/b');
    expect(linkAt('/opt/dcos/former')).toBe('releases/a');
    expect(readdirSync(at('/opt/dcos/kept'))).toEqual(['a']);
    expect(readdirSync(at('/opt/dcos/kept/a/dcos')).sort()).toEqual(['gone.json', 'role']);
    expect(readdirSync(at('/opt/dcos/kept/a/units'))).toEqual(['dcos-adminrouter.service']);
    expect(read('/opt/dcos/kept/a/dcos/role')).toBe('old');
    expect(read('/etc/dcos/tls/node.pem')).toBe('key');
  });

  test('cut short over another release, the next run keeps what was there before', async () => {
    await applies(OLD);
    // A file cannot be where another one is a folder.
    const broken = { ...NEW, files: { ...NEW.files, '/etc/dcos/role/x': 'new' } };
    await expect(applies(broken)).rejects.toThrow(/EEXIST|ENOTDIR/);
    expect(read('/etc/dcos/role')).toBe('new');
    expect(linkAt('/opt/dcos/active')).toBe('releases/a');
    // From here on the host can go back.
    expect(linkAt('/opt/dcos/former')).toBe('releases/a');
    await applies(NEW);
    expect(read('/opt/dcos/kept/a/dcos/role')).toBe('old');
    expect(linkAt('/opt/dcos/active')).toBe('releases/b');
  });

  test('a release that comes again is not one to go back to', async () => {
    await applies(OLD);
    await applies(NEW);
    await applies(OLD);
    expect(readdirSync(at('/opt/dcos/kept'))).toEqual(['b']);
    expect(linkAt('/opt/dcos/former')).toBe('releases/b');
  });
});

describe('back', () => {
  /** Lets a unit run with that fingerprint. */
  async function isRunningWith(name: string, fingerprint: string): Promise<void> {
    child = spawn('sleep', ['600'], { env: { DCOS_UNIT_FINGERPRINT: fingerprint } });
    await once(child, 'spawn');
    writeFileSync(at(`/bin/systemctl.pid-${name}`), `${child.pid}\n`);
  }

  const goesBack = async (): Promise<unknown> =>
    JSON.parse(await runs('back.mjs', { word: 'a' })) as unknown;

  beforeEach(async () => {
    await applies(OLD);
    await applies({ files: { '/etc/dcos/tls/node.pem': 'former' } });
    await applies(NEW);
    await applies({
      files: { '/etc/dcos/tls/node.pem': 'renewed', '/etc/dcos/override/x.env': 'X=1' },
    });
  });

  test('the files of the release before come back, units that it had not go', async () => {
    expect(await goesBack()).toEqual({ restarts: ['dcos-adminrouter.service'] });
    expect(read('/etc/dcos/role')).toBe('old');
    expect(statSync(at('/etc/dcos/role')).mode & 0o777).toBe(0o640);
    expect(read('/etc/dcos/gone.json')).toBe('old');
    expect(existsSync(at('/etc/dcos/fresh.json'))).toBe(false);
    expect(read(ROUTER)).toBe(unit('1'));
    expect(existsSync(at(`${UNITS}/dcos-fresh.service`))).toBe(false);
    expect(read('/bin/systemctl.calls').split('\n').slice(0, 2)).toEqual([
      'disable --now --quiet dcos-fresh.service',
      'daemon-reload',
    ]);
    expect(linkAt('/opt/dcos/active')).toBe('releases/a');
  });

  test('certificates and overrides stay as they are', async () => {
    await goesBack();
    expect(read('/etc/dcos/tls/node.pem')).toBe('renewed');
    expect(read('/etc/dcos/override/x.env')).toBe('X=1');
  });

  test('run again it does the same, and names what still runs with something else', async () => {
    await goesBack();
    await isRunningWith('dcos-adminrouter.service', '2');
    expect(await goesBack()).toEqual({ restarts: ['dcos-adminrouter.service'] });
    expect(read('/etc/dcos/role')).toBe('old');
  });

  test('what runs with what its file says is left alone', async () => {
    await isRunningWith('dcos-adminrouter.service', '1');
    expect(await goesBack()).toEqual({ restarts: [] });
  });
});
