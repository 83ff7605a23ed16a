import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Docker from 'dockerode';
import { afterEach, describe, expect, test } from 'vitest';
import { HOST_IMAGE } from '../../config/schema.ts';
import { ensureHostImage } from './host-image.ts';

const BASE = 'debian:bookworm-slim';
let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** An engine that knows these images, and tells this of a build; what it was asked for is in `asked`. */
async function engineWith(
  images: readonly string[],
  said: readonly object[],
  { status = 200, isBuilt = false } = {},
) {
  const known = [...images];
  const asked: URL[] = [];
  server = createServer((request, response) => {
    request.resume();
    request.once('end', () => {
      const url = new URL(request.url ?? '', 'http://engine');
      asked.push(url);
      const name = decodeURIComponent(/\/images\/(.+)\/json$/.exec(url.pathname)?.[1] ?? '');
      if (url.pathname.endsWith('/build')) {
        if (isBuilt) known.push(HOST_IMAGE);
        response.writeHead(status).end(said.map((each) => `${JSON.stringify(each)}\r\n`).join(''));
      } else if (known.includes(name)) response.end('{}');
      else response.writeHead(404).end('{"message":"no such image"}');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { engine: new Docker({ host: '127.0.0.1', port, protocol: 'http' }), asked };
}

const builds = (asked: readonly URL[]): readonly URL[] =>
  asked.filter(({ pathname }) => pathname.endsWith('/build'));

describe('the image of hosts', () => {
  test('is left alone when it is there', async () => {
    const { engine, asked } = await engineWith([HOST_IMAGE], []);
    await ensureHostImage(engine, { image: HOST_IMAGE, baseImage: BASE }, () => undefined);
    expect(builds(asked)).toEqual([]);
  });

  test('is built when it is missing, step by step', async () => {
    const said = [{ stream: 'Step 1/3 : FROM x\n' }, { stream: 'noise\n' }, { stream: 'Step 2/3' }];
    const { engine, asked } = await engineWith([], said, { isBuilt: true });
    const progress: string[] = [];
    await ensureHostImage(engine, { image: HOST_IMAGE, baseImage: BASE }, (text) =>
      progress.push(text),
    );
    expect(progress).toEqual([
      `image ${HOST_IMAGE}: build from ${BASE}, which may take some minutes`,
      `image ${HOST_IMAGE}: Step 1/3 : FROM x`,
      `image ${HOST_IMAGE}: Step 2/3`,
    ]);
    const [build] = builds(asked).map(({ searchParams }) => searchParams);
    expect(build?.get('t')).toBe(HOST_IMAGE);
    expect(build?.get('target')).toBe('host');
    expect(JSON.parse(build?.get('buildargs') ?? '')).toEqual({ BASE });
  });

  test.each<[what: string, said: readonly object[], status: number, reason: string]>([
    ['by a step', [{ stream: 'E: nothing there' }, { error: 'returned 100' }], 200, 'returned 100'],
    ['by the engine', [{ message: 'no access to the base' }], 404, 'no access to the base'],
    ['by an engine that ends', [{ stream: 'Step 1/3 : FROM x' }], 200, 'the engine ended'],
  ])('that cannot be built, %s, is told with what to do', async (_what, said, status, reason) => {
    const { engine } = await engineWith([], said, { status });
    const failure = ensureHostImage(
      engine,
      { image: HOST_IMAGE, baseImage: BASE },
      () => undefined,
    );
    await expect(failure).rejects.toThrow(reason);
    await expect(failure).rejects.toThrow(/tools\/images\/debian-image\.mjs/);
    await expect(failure).rejects.toMatchObject({ code: 'DOCKER_IMAGE_UNBUILT' });
  });

  test('that an operator has named is never built', async () => {
    const { engine, asked } = await engineWith([], []);
    const failure = ensureHostImage(engine, { image: 'own:1', baseImage: BASE }, () => undefined);
    await expect(failure).rejects.toMatchObject({ code: 'DOCKER_IMAGE_MISSING' });
    expect(builds(asked)).toEqual([]);
  });
});
