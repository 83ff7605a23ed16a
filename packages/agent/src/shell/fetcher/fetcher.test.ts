/** Files of all kinds into a sandbox, from paths and a server on loopback. */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { errorText, silentLogger } from '@dcos/base';
import { temporaryDirectory } from '@dcos/testkit';
import type { CommandInfo_URI } from '@dcos/wire';
import { Fetcher, type FetcherOptions } from './fetcher.ts';

let directory: ReturnType<typeof temporaryDirectory>;
let sandboxPath: string;
let server: Server;
let url: string;
let requests: IncomingMessage[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let fetcher: Fetcher;

const open = (more: Partial<FetcherOptions> = {}): Fetcher =>
  new Fetcher({
    cacheDirectory: join(directory.path, 'cache'),
    cacheBytesMax: 1000,
    stallTimeoutMs: 60_000,
    frameworksHome: join(directory.path, 'home'),
    limits: { entriesMax: 10, bytesMax: 10_000, freeBytesMin: 0 },
    logger: silentLogger,
    ...more,
  });

beforeEach(async () => {
  directory = temporaryDirectory('fetcher');
  sandboxPath = join(directory.path, 'sandbox');
  for (const name of ['sandbox', 'home', 'files']) mkdirSync(join(directory.path, name));
  requests = [];
  answer = (_request, response) => response.end('from the web');
  server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  fetcher = open();
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  directory.remove();
});

const signal = new AbortController().signal;
async function fetchAll(
  uris: readonly CommandInfo_URI[],
  { from = fetcher, user }: { from?: Fetcher; user?: string } = {},
): Promise<string> {
  return await from.fetch({ uris, sandboxPath, user, signal }).then(() => 'done', errorText);
}
const read = (name: string): string => readFileSync(join(sandboxPath, name), 'utf8');
const write = (name: string, content: string | Uint8Array): string => {
  const path = join(directory.path, name);
  writeFileSync(path, content);
  return path;
};
const sum = (text: string): string => createHash('sha256').update(text).digest('hex');

test('files come under their names, or those that the task gives, and it is told', async () => {
  const run = write('files/run', '#!/bin/sh\n');
  write('home/own', 'mine');
  const uris = [
    { value: run, executable: true },
    { value: `file://${run}`, output_file: 'a/b/c' },
    { value: `${url}/x/page?q=1` },
    { value: 'own' },
  ];
  expect(await fetchAll(uris)).toBe('done');
  expect(statSync(join(sandboxPath, 'run')).mode & 0o777).toBe(0o755);
  expect(['a/b/c', 'page', 'own'].map(read)).toEqual(['#!/bin/sh\n', 'from the web', 'mine']);
  expect(read('stderr')).toContain(
    `Fetched '${url}/x/page?q=1' to '${sandboxPath}/page' (12 bytes)`,
  );
  expect(fetcher.figures()).toMatchObject({ succeeded: 1, failed: 0 });
});

test.each([{ extract: false }, { executable: true }, {}])('an archive with %o', async (more) => {
  mkdirSync(join(directory.path, 'files/d'));
  write('files/d/f', 'text');
  const archive = join(directory.path, 'files/a.tar.gz');
  execFileSync('tar', ['-C', join(directory.path, 'files'), '-czf', archive, 'd']);
  expect(await fetchAll([{ value: archive, ...more }])).toBe('done');
  const isUnpacked = Object.keys(more).length === 0;
  expect(existsSync(join(sandboxPath, 'd/f'))).toBe(isUnpacked);
  // As in the original it stays beside its contents.
  expect(existsSync(join(sandboxPath, 'a.tar.gz'))).toBe(true);
});

test('archives with the same directories become one tree', async () => {
  for (const name of ['one', 'two']) {
    mkdirSync(join(directory.path, 'files/d'), { recursive: true });
    write(`files/d/${name}`, name);
    const archive = join(directory.path, `files/${name}.tar`);
    execFileSync('tar', ['-C', join(directory.path, 'files'), '-cf', archive, 'd']);
    execFileSync('rm', ['-r', join(directory.path, 'files/d')]);
  }
  const uris = ['one', 'two'].map((name) => ({ value: join(directory.path, `files/${name}.tar`) }));
  expect(await fetchAll(uris)).toBe('done');
  expect(['d/one', 'd/two'].map(read)).toEqual(['one', 'two']);
});

test.each<[what: string, uri: (base: string) => CommandInfo_URI, problem: string]>([
  ['nothing', () => ({ value: '/no/such/file' }), "Failed to fetch '/no/such/file'"],
  ['a directory', () => ({ value: '/tmp' }), 'it is not a file'],
  ['a missing page', (base) => ({ value: `${base}/missing` }), 'the server answered 404'],
  [
    'no server',
    () => ({ value: 'http://127.0.0.1:1/x' }),
    "Failed to fetch 'http://127.0.0.1:1/x'",
  ],
  ['a place outside', () => ({ value: '/etc/hosts', output_file: '../x' }), 'inside the sandbox'],
  ['an absolute place', () => ({ value: '/etc/hosts', output_file: '/x' }), 'inside the sandbox'],
  ['a wrong sum', (base) => ({ value: `${base}/x#sha256=${sum('y')}` }), 'its SHA-256 is'],
  ['no archive', (base) => ({ value: `${base}/x.zip` }), "Failed to fetch '"],
  ['a bomb', (base) => ({ value: `${base}/bomb.gz` }), 'more than 10000 bytes'],
])('%s fails', async (_what, uri, problem) => {
  answer = ({ url: path = '' }, response) => {
    if (path === '/missing') response.writeHead(404).end();
    else response.end(path === '/bomb.gz' ? gzipSync(Buffer.alloc(1_000_000)) : 'x');
  };
  expect(await fetchAll([uri(url)])).toContain(problem);
  expect(fetcher.figures()).toMatchObject({ succeeded: 0, failed: 1 });
  expect(readdirSync(sandboxPath).filter((name) => name.startsWith('.fetch'))).toEqual([]);
  expect(readdirSync(directory.path)).not.toContain('x');
});

test.each(['data/x', 'data/deep/er', 'link', 'planted/x'])(
  'no link of the sandbox is followed: %s',
  async (name) => {
    // As persistent volumes of plain processes are; in them is what other tasks have left.
    mkdirSync(join(directory.path, 'volume'));
    const victim = write('victim', 'untouched');
    symlinkSync(join(directory.path, 'volume'), join(sandboxPath, 'data'));
    symlinkSync(victim, join(sandboxPath, 'link'));
    symlinkSync('data', join(sandboxPath, 'planted'));
    symlinkSync(victim, join(sandboxPath, 'stderr'));
    for (const more of [{}, { executable: true }, { cache: true }]) {
      const result = await fetchAll([{ value: `${url}/x`, output_file: name, ...more }]);
      if (name === 'link') expect([result, read(name)]).toEqual(['done', 'from the web']);
      else expect(result).toContain(`'${name}' leads through a link of the sandbox`);
    }
    expect(readdirSync(join(directory.path, 'volume'))).toEqual([]);
    expect(readFileSync(victim, 'utf8')).toBe('untouched');
    expect(statSync(victim).mode & 0o111).toBe(0);
  },
);

test('a file may take the place of one, and not of a directory', async () => {
  const uris = [
    { value: write('files/one', 'one'), output_file: 'd/x' },
    { value: write('files/two', 'two'), output_file: 'd/x' },
  ];
  expect(await fetchAll(uris)).toBe('done');
  expect(read('d/x')).toBe('two');
  expect(await fetchAll([{ value: `${url}/x`, output_file: 'd' }])).toContain(
    "there is a directory at 'd' of the sandbox",
  );
  expect(await fetchAll([{ value: `${url}/x`, output_file: 'd/x/y' }])).toContain(
    "'d/x/y' leads through a file of the sandbox",
  );
});

test('a disk that would be full is told before it is', async () => {
  const full = open({
    limits: { entriesMax: 10, bytesMax: 10_000, freeBytesMin: Number.MAX_SAFE_INTEGER },
  });
  answer = (_request, response) =>
    response.writeHead(200, { 'content-length': 12 }).end('from the web');
  for (const value of [`${url}/x`, write('files/x', 'from a file')])
    for (const cache of [false, true])
      expect(await fetchAll([{ value, cache }], { from: full })).toContain(
        'no space left on device',
      );
  expect(readdirSync(sandboxPath)).toEqual([]);
  expect(readdirSync(join(directory.path, 'cache'))).toEqual([]);
});

test('a checksum that is right', async () => {
  expect(await fetchAll([{ value: `${url}/x#sha256=${sum('from the web')}` }])).toBe('done');
});

test('credentials go to the server that they are for, and into no message', async () => {
  const other = createServer((request, response) => {
    requests.push(request);
    response.end('moved');
  }).listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  answer = (_request, response) =>
    response.writeHead(302, { location: `http://127.0.0.1:${port}/y` }).end();
  expect(await fetchAll([{ value: url.replace('://', '://ann:word@') + '/x' }])).toBe('done');
  other.closeAllConnections();
  other.close();
  const basic = `Basic ${Buffer.from('ann:word').toString('base64')}`;
  expect(requests.map(({ headers }) => headers.authorization)).toEqual([basic, undefined]);
  expect(read('stderr')).not.toContain('word');
});

test('a server that sends no more is given up', async () => {
  answer = (_request, response) => response.write('begin');
  const impatient = open({ stallTimeoutMs: 50 });
  expect(await fetchAll([{ value: `${url}/x` }], { from: impatient })).toContain(
    'the server sent nothing for 0.05 seconds',
  );
  expect(existsSync(join(sandboxPath, 'x'))).toBe(false);
});

test('what is to be kept is asked for once for each user', async () => {
  const uri = { value: `${url}/x`, cache: true };
  expect(await fetchAll([uri, { ...uri, output_file: 'y' }])).toBe('done');
  expect([read('x'), read('y'), requests.length]).toEqual(['from the web', 'from the web', 1]);
  expect(await fetchAll([uri], { user: 'bob' })).toBe('done');
  expect(requests.length).toBe(2);
  expect(fetcher.figures().cacheBytesUsed).toBe(24);
  expect(read('stderr')).toContain('through the cache');
});

test('many tasks that ask at the same time get one download', async () => {
  const held: ServerResponse[] = [];
  answer = (_request, response) => held.push(response);
  const sandboxes = Array.from({ length: 5 }, (_, index) => `${sandboxPath}-${index}`);
  const fetches = sandboxes.map(async (path) => {
    mkdirSync(path);
    const uris = [{ value: `${url}/x`, cache: true }];
    await fetcher.fetch({ uris, sandboxPath: path, user: undefined, signal });
    return readFileSync(join(path, 'x'), 'utf8');
  });
  await expect.poll(() => held.length, { timeout: 20_000 }).toBe(1);
  for (const response of held) response.end('once');
  expect(await Promise.all(fetches)).toEqual(sandboxes.map(() => 'once'));
  expect(requests.length).toBe(1);
});

test('a download that failed is tried anew by the next task', async () => {
  const uris = [{ value: `${url}/x`, cache: true }];
  answer = (_request, response) => response.writeHead(503).end();
  expect(await fetchAll(uris)).toContain('the server answered 503');
  answer = (_request, response) => {
    response.writeHead(200, { 'content-length': 12 });
    response.write('from ', () => response.destroy());
  };
  expect(await fetchAll(uris)).toContain('Failed to fetch');
  expect(readdirSync(sandboxPath)).toEqual([]);
  answer = (_request, response) => response.end('from the web');
  expect(await fetchAll(uris)).toBe('done');
  expect(read('x')).toBe('from the web');
});

test('what does not fit is fetched beside the cache; archives that are kept do not come along', async () => {
  answer = ({ url: path = '' }, response) =>
    response.end(path === '/large' ? 'x'.repeat(2000) : gzipSync('text'));
  const uris = [
    { value: `${url}/large`, cache: true },
    { value: `${url}/note.gz`, cache: true },
  ];
  expect(await fetchAll(uris)).toBe('done');
  expect(read('large').length).toBe(2000);
  expect(read('note')).toBe('text');
  expect(existsSync(join(sandboxPath, 'note.gz'))).toBe(false);
  expect(readdirSync(join(directory.path, 'cache')).length).toBe(1);
  open();
  await expect.poll(() => readdirSync(join(directory.path, 'cache')).length).toBe(0);
});
