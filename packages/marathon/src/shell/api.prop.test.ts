/**
 * Whatever a client sends: no answer is a 500, and a request that is refused changes nothing.
 */

import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { request } from 'undici';
import { silentLogger } from '@dcos/base';
import { openMemoryStore, type Store } from '@dcos/store';
import { arbitraryRequest, TEST_BODY_BYTES_MAX } from '../testing/arbitrary-request.ts';
import { FakeMaster } from '../testing/fake-master.ts';
import { marathonConfigSchema } from './config.ts';
import { startMarathon, type RunningMarathon } from './start-marathon.ts';

/** Requests of one run of the test; a run takes about two seconds. */
const REQUESTS = 800;
let store: Store;
let marathon: RunningMarathon;

beforeEach(async () => {
  store = openMemoryStore();
  const master = new FakeMaster([
    { id: 'S0', hostname: '127.0.0.11', cpus: 64, mem: 65_536, ports: [31_000, 31_999] },
  ]);
  const config = marathonConfigSchema.parse({ httpPort: 0, bodyBytesMax: TEST_BODY_BYTES_MAX });
  marathon = await startMarathon(config, { logger: silentLogger, store, connect: master.connect });
  await marathon.leading;
  await send('POST', '/v2/apps', '{"id":"/base","cmd":"sleep 1000","instances":0}');
});

afterEach(async () => {
  await marathon.close();
  await store.close();
});

async function send(
  method: string,
  url: string,
  text?: string,
  type = 'application/json',
): Promise<{ readonly status: number; readonly text: string }> {
  const response = await request(`${marathon.url}${url}`, {
    method: method as 'GET',
    headers: {
      ...(type === '' ? {} : { 'content-type': type }),
      accept: 'application/json',
    },
    ...(text === undefined ? {} : { body: text }),
  });
  return { status: response.statusCode, text: await response.body.text() };
}

/** The definitions, without what instances that come up change meanwhile. */
async function definitions(): Promise<string> {
  const { text } = await send('GET', '/v2/apps');
  const { apps } = JSON.parse(text) as { readonly apps: readonly Record<string, unknown>[] };
  return JSON.stringify(
    apps.map((one) => Object.entries(one).filter(([key]) => !/^(?:tasks|deployments)/.test(key))),
  );
}

test('any request is answered, refused ones change nothing', async () => {
  let known = await definitions();
  await fc.assert(
    fc.asyncProperty(arbitraryRequest, async (one) => {
      const hasBody = one.method !== 'GET' && one.method !== 'HEAD';
      const answer = await send(
        one.method,
        `${one.path}${one.query}`,
        hasBody ? one.body : undefined,
        one.contentType,
      );
      if (answer.status >= 500) expect(answer, JSON.stringify(one)).toMatchObject({ status: 501 });
      if (answer.status >= 400 && one.method !== 'HEAD') {
        const { message } = JSON.parse(answer.text) as { readonly message?: unknown };
        expect(typeof message, answer.text).toBe('string');
      }
      if (!hasBody && answer.status === 200) return;
      const now = await definitions();
      if (answer.status >= 400) expect(now).toBe(known);
      known = now;
    }),
    { numRuns: REQUESTS, endOnFailure: true },
  );
}, 60_000);
