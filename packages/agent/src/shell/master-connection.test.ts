/** The agent's connection to masters: whom it trusts with TLS, what it follows, and whom it leaves. */

import { once } from 'node:events';
import { createServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { silentLogger } from '@dcos/base';
import type { ClientTls } from '@dcos/http';
import {
  strangersCertificate,
  strangersKey,
  testCertificate,
  testKey,
  waitFor,
} from '@dcos/testkit';
import { startFakeMaster } from '../testing/fake-master.ts';
import { createMasterConnection, type MasterConnection } from './master-connection.ts';
import { createMasterDetector } from './master-detector.ts';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const SERVER = { cert: testCertificate, key: testKey };
const TRUSTS = { minVersion: 'TLSv1.2', ca: testCertificate } as const;

async function master(tls?: ServerOptions): Promise<string> {
  const started = await startFakeMaster(tls);
  closers.push(() => started.close());
  return started.url;
}

/** A master with TLS that does not lead. */
async function redirecting(location: string): Promise<string> {
  const server = createServer(SERVER, (_request, response) => {
    response.writeHead(307, { location }).end();
  });
  server.on('upgrade', (_request, socket) => {
    socket.end(`HTTP/1.1 307 Temporary Redirect\r\nlocation: ${location}\r\n\r\n`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The master that was reached, or why none was. */
async function connect(to: string, tls: ClientTls): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const connection = createMasterConnection({
    masters: createMasterDetector([to]),
    logger: silentLogger,
    authorization: () => 'Basic YWdlbnQ6dG9w',
    tls,
    onConnected: resolve,
    onMessage: () => undefined,
    onDisconnected: resolve,
    onMasterChanged: () => undefined,
  });
  closers.push(() => connection.disconnect());
  connection.connect();
  return await promise;
}

test('a master of a trusted authority is connected to, any other is not', async () => {
  const url = await master(SERVER);
  expect(await connect(url, TRUSTS)).toBe(url);
  expect(await connect(url, { minVersion: 'TLSv1.2' })).toMatch(/self-signed certificate/);
  expect(await connect(url, { ...TRUSTS, ca: strangersCertificate })).toMatch(/certificate/);
});

test('an agent shows its own certificate where masters demand one', async () => {
  const asks = { requestCert: true, rejectUnauthorized: true, ca: testCertificate };
  const url = await master({ ...SERVER, ...asks });
  expect(await connect(url, { ...TRUSTS, ...SERVER })).toBe(url);
  const stranger = { cert: strangersCertificate, key: strangersKey };
  expect(await connect(url, { ...TRUSTS, ...stranger })).not.toBe(url);
  expect(await connect(url, TRUSTS)).not.toBe(url);
});

test('a redirect keeps TLS, and is not followed out of it', async () => {
  const leading = await master(SERVER);
  expect(await connect(await redirecting(leading.replace('https:', '')), TRUSTS)).toBe(leading);
  const plain = await master();
  expect(await connect(await redirecting(plain), TRUSTS)).toMatch(/redirects to .* has no TLS/);
});

test.each(['mailto:a@b', 'http://['])('a redirect to %s leads nowhere', async (location) => {
  expect(await connect(await redirecting(location), TRUSTS)).toMatch(/answered 307/);
});

/** A connection that follows who leads, and what it told. */
function follow(): { connection: MasterConnection; told: string[]; leads: (url?: string) => void } {
  const told: string[] = [];
  let listener: (masters: readonly string[]) => void = () => undefined;
  const connection = createMasterConnection({
    masters: createMasterDetector({
      follow(listening) {
        listener = listening;
        return async () => undefined;
      },
    }),
    logger: silentLogger,
    authorization: () => undefined,
    tls: TRUSTS,
    onConnected: (master) => told.push(`connected ${master}`),
    onMessage: () => undefined,
    onDisconnected: () => told.push('disconnected'),
    onMasterChanged: () => told.push('changed'),
  });
  closers.push(() => connection.close());
  return { connection, told, leads: (url) => listener(url === undefined ? [] : [url]) };
}

test('the first leader is connected to at once', async () => {
  const { connection, told, leads } = follow();
  const url = await master();
  connection.connect();
  leads(url);
  await waitFor('a connection', () => told.length > 0);
  expect(told).toEqual([`connected ${url}`]);
});

test('who waits while nobody leads does not rush to the next leader with all others', async () => {
  const { connection, told, leads } = follow();
  const [first, second] = [await master(), await master()];
  connection.connect();
  leads(first);
  await waitFor('a connection', () => told.length > 0);
  leads(undefined);
  connection.disconnect();
  await waitFor('its end', () => told.length > 1);
  connection.connect();
  leads(second);
  // The attempt is over: the next one comes after a wait, and finds the leader.
  expect(told.slice(1)).toEqual(['disconnected', 'changed', 'disconnected']);
  connection.connect();
  await waitFor('another connection', () => told.length > 4);
  expect(told.at(-1)).toBe(`connected ${second}`);
});

test('a connection to a master that leads no more is left', async () => {
  const { connection, told, leads } = follow();
  const [first, second] = [await master(), await master()];
  connection.connect();
  leads(first);
  await waitFor('a connection', () => told.length > 0);
  leads(second);
  await waitFor('its end', () => told.length > 2);
  expect(told).toEqual([`connected ${first}`, 'changed', 'disconnected']);
});
