import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { temporaryDirectory } from '@dcos/testkit';
import type { Jar } from '@dcos/installer/release';
import { jarContent } from './jars.ts';

const CONTENT = Buffer.from('classes');
const jar: Jar = {
  group: 'org.example.parts',
  name: 'thing',
  version: '1.0',
  licence: 'MIT',
  sha256: createHash('sha256').update(CONTENT).digest('hex'),
};
const asked: string[] = [];
const server: Server = createServer(({ url = '' }, response) => {
  asked.push(url);
  if (url.includes('absent')) response.writeHead(404).end();
  else response.end(CONTENT);
});
let root: ReturnType<typeof temporaryDirectory>;

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  vi.stubEnv('DCOS_MAVEN_REPOSITORY', `http://127.0.0.1:${port}/maven`);
});
afterAll(() => {
  vi.unstubAllEnvs();
  server.close();
});
beforeEach(() => {
  root = temporaryDirectory('jars');
  asked.length = 0;
});
afterEach(() => root.remove());

test('a jar is fetched once', async () => {
  expect(await jarContent(root.path, jar)).toEqual(CONTENT);
  expect(await jarContent(root.path, jar)).toEqual(CONTENT);
  expect(asked).toEqual(['/maven/org/example/parts/thing/1.0/thing-1.0.jar']);
});

test('one that is not what the list says is refused, and not kept', async () => {
  const other = { ...jar, sha256: '00'.repeat(32) };
  await expect(jarContent(root.path, other)).rejects.toThrow(
    'thing-1.0.jar is another one than infra/zookeeper/jars.json says',
  );
  await expect(jarContent(root.path, other)).rejects.toThrow();
  expect(asked).toHaveLength(2);
});

test('one that is not there is told with its address', async () => {
  await expect(jarContent(root.path, { ...jar, name: 'absent' })).rejects.toThrow(
    /absent-1\.0\.jar cannot be fetched: HTTP 404/,
  );
});
