import { once } from 'node:events';
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { errorText, silentLogger } from '@dcos/base';
import {
  strangersCertificate,
  strangersKey,
  temporaryDirectory,
  testCertificate,
  testKey,
  writeTlsFiles,
} from '@dcos/testkit';
import { createHttpServer, type HttpServer } from './http-server.ts';
import { ask } from './testing/ask.ts';
import { readTls, type TlsSettings } from './tls.ts';

const scratch = temporaryDirectory('tls');
afterAll(() => scratch.remove());
const files = writeTlsFiles(scratch.path);
const sslCaFile = files.sslCertFile;

function fileWith(name: string, text: string): string {
  const path = join(scratch.path, name);
  writeFileSync(path, text);
  return path;
}

const servers: HttpServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function serve(settings: TlsSettings): Promise<string> {
  const server = createHttpServer({ logger: silentLogger, tls: readTls(settings).server });
  servers.push(server);
  server.app.get('/', async () => Promise.resolve('here'));
  return (await server.listen({ host: '127.0.0.1', port: 0 })).url;
}

test('a server with a certificate speaks HTTPS, by TLS 1.2 or newer, and nothing else', async () => {
  const url = await serve(files);
  expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  const ca = testCertificate;
  const old = {
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT@SECLEVEL=0',
  } as const;
  // What the server sends, so it is not the client that refuses.
  expect(await ask(url, { ca, ...old })).toMatch(/alert protocol version/);
  expect(await ask(url, {})).toMatch(/self-signed certificate/);
  const plain = httpRequest(url.replace('https:', 'http:'), { agent: false });
  plain.end();
  await expect(once(plain, 'response')).rejects.toThrow();
  expect(await ask(url, { ca, maxVersion: 'TLSv1.2' })).toBe(200);
  expect(await ask(url, { ca })).toBe(200);
});

test('a server that closes does not wait for who has not begun to speak TLS', async () => {
  const url = new URL(await serve(files));
  const silent = connect(Number(url.port), url.hostname);
  await once(silent, 'connect');
  // Whoever connected before has been taken in.
  expect(await ask(url.origin, { ca: testCertificate })).toBe(200);
  // It looks at once whether anybody is there again.
  const ended = new Promise<void>((resolve) => {
    silent.once('close', () => {
      const again = connect(Number(url.port), url.hostname);
      again.on('error', () => resolve()).on('close', () => resolve());
    });
  });
  await servers.pop()?.close();
  await ended;
});

test('clients show a certificate of the authority where one is demanded', async () => {
  const url = await serve({ ...files, sslCaFile, sslRequireClientCert: true });
  // With TLS 1.2 a client hears of it in the handshake, with TLS 1.3 with what it reads first.
  const options = { ca: testCertificate, maxVersion: 'TLSv1.2' } as const;
  const stranger = { cert: strangersCertificate, key: strangersKey };
  expect(await ask(url, options)).not.toBe(200);
  expect(await ask(url, { ...options, ...stranger })).not.toBe(200);
  expect(await ask(url, { ...options, cert: testCertificate, key: testKey })).toBe(200);
  expect(await ask(url, { ca: testCertificate, ...stranger })).not.toBe(200);
});

test('without files there is no TLS to serve, and a client trusts whom the system trusts', () => {
  expect(readTls({})).toEqual({ server: undefined, client: { minVersion: 'TLSv1.2' } });
  expect(readTls({ sslCaFile })).toEqual({
    server: undefined,
    client: { minVersion: 'TLSv1.2', ca: testCertificate },
  });
});

const encryptedKey = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
}).privateKey;
const broken = testCertificate.replace(/MII.{20}/, 'MIIA');

test.each<[string, TlsSettings, RegExp]>([
  ['no key', { sslCertFile: files.sslCertFile }, /one is of no use without the other/],
  ['no certificate', { sslKeyFile: files.sslKeyFile }, /one is of no use without the other/],
  ['clients of no authority', { ...files, sslRequireClientCert: true }, /sslCaFile/],
  ['clients without TLS', { sslCaFile, sslRequireClientCert: true }, /needs sslCertFile/],
  ['no such file', { ...files, sslKeyFile: '/nowhere/key' }, /sslKeyFile \/nowhere\/key: .*read/],
  ['key for certificate', { ...files, sslCertFile: files.sslKeyFile }, /no certificate in PEM/],
  ['certificate for key', { ...files, sslKeyFile: files.sslCertFile }, /no private key/],
  ['broken certificate', { ...files, sslCertFile: fileWith('broken', broken) }, /cannot be read/],
  [
    'broken authority',
    { sslCaFile: fileWith('both', testCertificate + broken) },
    /sslCaFile .*both/,
  ],
  [
    'key of another',
    { ...files, sslKeyFile: writeTlsFiles(scratch.path, 'strangers').sslKeyFile },
    /not the key of/,
  ],
  ['passphrase', { ...files, sslKeyFile: fileWith('locked', encryptedKey) }, /no private key/],
])('%s: refused', (_name, settings, message) => {
  expect(() => readTls(settings)).toThrow(
    expect.objectContaining({ code: 'TLS_INVALID', message: expect.stringMatching(message) }),
  );
});

test('no message shows a piece of a key', () => {
  const [, secret = ''] = testKey.split('\n');
  const sslKeyFile = fileWith('cut', testKey.slice(0, 120));
  let told = '';
  try {
    readTls({ ...files, sslKeyFile });
  } catch (error) {
    told = errorText(error);
  }
  expect(told).toMatch(/sslKeyFile .*cut: it has no private key that can be used: /);
  expect(told).not.toContain(secret.slice(0, 12));
});
