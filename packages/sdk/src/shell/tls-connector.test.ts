import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { Agent, request } from 'undici';
import { strangersCertificate, testCertificate, testKey } from '@dcos/testkit';
import { tlsConnector } from './tls-connector.ts';

const server = createServer({ cert: testCertificate, key: testKey }, (_request, response) => {
  response.setHeader('connection', 'close').end('here');
}).listen(0, '127.0.0.1');
await once(server, 'listening');
afterAll(() => void server.close());

test('each connection is made with the certificates of the moment', async () => {
  const tls = { ca: strangersCertificate };
  const dispatcher = new Agent({ connect: tlsConnector(tls) });
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ask = async (): Promise<string> => await (await request(url, { dispatcher })).body.text();
  await expect(ask()).rejects.toThrow(/certificate/);
  tls.ca = testCertificate;
  expect(await ask()).toBe('here');
  tls.ca = strangersCertificate;
  await expect(ask()).rejects.toThrow(/certificate/);
  await dispatcher.close();
});

test.each(['localhost', '127.0.0.1'])(
  'who is asked for %s is not looked at for whoever the request names as its host',
  async (host) => {
    const dispatcher = new Agent({ connect: tlsConnector({ ca: testCertificate }) });
    const url = `https://${host}:${(server.address() as AddressInfo).port}`;
    const { body } = await request(url, { dispatcher, headers: { host: 'router.example:8443' } });
    expect(await body.text()).toBe('here');
    await dispatcher.close();
  },
);
