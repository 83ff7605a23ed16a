import { copyFileSync, rmSync } from 'node:fs';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { silentLogger, type Logger } from '@dcos/base';
import {
  strangersCertificate,
  temporaryDirectory,
  testCertificate,
  writeTlsFiles,
} from '@dcos/testkit';
import { createHttpServer, type HttpServer } from './http-server.ts';
import { ask } from './testing/ask.ts';
import { readTls, type TlsSettings } from './tls.ts';
import { watchTls, type TlsWatch } from './watch-tls.ts';

const scratch = temporaryDirectory('watch-tls');
afterAll(() => scratch.remove());
const strangers = writeTlsFiles(scratch.path, 'strangers');

/** Long before the end of the test's certificates, long after their beginning. */
const TODAY = Date.parse('2030-01-01');

let told: { readonly event: string; readonly text: string }[] = [];
const note = (fields: { readonly event: string }, text: string): void =>
  void told.push({ event: fields.event, text });
const logger: Logger = { ...silentLogger, warn: note, info: note };

const servers: HttpServer[] = [];
beforeEach(() => void (told = []));
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

interface Scene {
  readonly url: string;
  readonly watch: TlsWatch;
  readonly client: { readonly ca?: string };
}

async function serve(settings: TlsSettings, now: () => number = () => TODAY): Promise<Scene> {
  const tls = readTls(settings);
  const server = createHttpServer({ logger, tls: tls.server });
  servers.push(server);
  server.app.get('/', async () => Promise.resolve('here'));
  const watch = watchTls({ settings, tls, server, logger, now });
  const { url } = await server.listen({ host: '127.0.0.1', port: 0 });
  return { url, watch, client: tls.client };
}

test('renewed files are shown and trusted from the next connection on', async () => {
  const files = writeTlsFiles(scratch.path);
  const settings = { ...files, sslCaFile: files.sslCertFile };
  const { url, watch, client } = await serve(settings);
  await watch.look();
  expect(await ask(url, { ca: testCertificate })).toBe(200);
  expect(told).toEqual([]);

  // One after the other, as files are written.
  copyFileSync(strangers.sslCertFile, files.sslCertFile);
  await watch.look();
  await watch.look();
  expect(told).toEqual([
    { event: 'tls.refused', text: expect.stringMatching(/not used yet: .*is not the key of/) },
  ]);
  expect(client.ca).toBe(testCertificate);
  expect(await ask(url, { ca: testCertificate })).toBe(200);

  copyFileSync(strangers.sslKeyFile, files.sslKeyFile);
  await watch.look();
  expect(told.map(({ event }) => event)).toEqual(['tls.refused', 'tls.renewed']);
  expect(client.ca).toBe(strangersCertificate);
  expect(await ask(url, { ca: strangersCertificate })).toBe(200);
  expect(await ask(url, { ca: testCertificate })).toMatch(/certificate/);
});

test('files that are gone change nothing, and are told once', async () => {
  const files = writeTlsFiles(scratch.path);
  const { url, watch } = await serve(files);
  rmSync(files.sslKeyFile);
  await watch.look();
  await watch.look();
  expect(told).toEqual([
    { event: 'tls.refused', text: expect.stringMatching(/sslKeyFile .*: it cannot be read/) },
  ]);
  expect(await ask(url, { ca: testCertificate })).toBe(200);
});

test.each([
  ['2200-01-01', 'tls.expired', 'expired on 2126-10-27T14:40:41.000Z'],
  ['2126-10-27', 'tls.expires-soon', 'expires on 2126-10-27T14:40:41.000Z'],
  ['2020-01-01', 'tls.not-yet-valid', 'is not valid before 2026-11-20T14:40:41.000Z'],
])(
  'on %s: %s, named with file and owner, at the start and a day later',
  async (day, event, text) => {
    const files = writeTlsFiles(scratch.path);
    let now = Date.parse(day);
    const expected = {
      event,
      text: `sslCertFile ${files.sslCertFile}: the certificate of CN=localhost ${text}`,
    };
    const { watch } = await serve(files, () => now);
    expect(told).toEqual([expected]);
    now += 1_000;
    await watch.look();
    expect(told).toHaveLength(1);
    now += 86_400_000;
    await watch.look();
    expect(told).toHaveLength(2);
  },
);

test('authorities that have expired are named too', async () => {
  await serve({ sslCaFile: strangers.sslCertFile }, () => Date.parse('2200-01-01'));
  expect(told).toEqual([
    {
      event: 'tls.expired',
      text: expect.stringMatching(/^sslCaFile .*CN=stranger expired on 2126/),
    },
  ]);
});
