import { silentLogger } from '@dcos/base';
import { expect, test } from 'vitest';
import { createRedirectServer } from './redirect-server.ts';

const redirectOf = async (tlsPort: number, method: 'GET' | 'POST', host: string, url: string) => {
  const server = createRedirectServer({
    tlsPort,
    allowedHosts: ['10.0.0.1', 'master.mesos'],
    logger: silentLogger,
  });
  const { statusCode, headers } = await server.app.inject({ method, url, headers: { host } });
  return [statusCode, headers.location];
};

test.each([
  ['GET', '10.0.0.1', '/', 'https://10.0.0.1/'],
  ['GET', 'master.mesos:80', '/service/a/?b=c', 'https://master.mesos/service/a/?b=c'],
  ['POST', '10.0.0.1', '/service/marathon/v2/apps', 'https://10.0.0.1/service/marathon/v2/apps'],
] as const)('%s %s%s goes to TLS as it is', async (method, host, url, location) => {
  expect(await redirectOf(443, method, host, url)).toEqual([307, location]);
});

test('another port than that of HTTPS is named', async () => {
  expect(await redirectOf(8443, 'GET', '10.0.0.1:8080', '/x')).toEqual([
    307,
    'https://10.0.0.1:8443/x',
  ]);
});

test('nobody is sent to a host that the router does not serve', async () => {
  expect(await redirectOf(443, 'GET', 'evil.example', '/')).toEqual([403, undefined]);
});
