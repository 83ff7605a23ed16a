import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { silentLogger } from '@dcos/base';
import { createHttpServer } from './http-server.ts';
import { stepDown, type SteppingDown } from './step-down.ts';

const never = async (): Promise<never> => await new Promise(() => undefined);

function recorded(parts: Partial<SteppingDown> = {}) {
  const order: string[] = [];
  const step =
    <T>(name: string, result: T) =>
    async (): Promise<T> => {
      order.push(name);
      return result;
    };
  const steps: SteppingDown = {
    server: { drain: step('drain', undefined), settle: step('settle', undefined) },
    finish: step('finish', undefined),
    release: step('release', undefined),
    succeeded: step('succeeded', true),
    ending: new AbortController().signal,
    ...parts,
  };
  return { order, steps };
}

test('what was taken is finished before the next one leads, and the server goes on until then', async () => {
  const { order, steps } = recorded();
  await stepDown(steps);
  expect(order).toEqual(['finish', 'release', 'succeeded', 'drain']);
});

test('where nobody can follow, nobody is waited for but those who are being answered', async () => {
  const { order, steps } = recorded({ succeeded: async () => false });
  await stepDown(steps);
  expect(order).toEqual(['finish', 'release', 'settle']);
});

test('what does not end does not keep the next one from leading', async () => {
  const { order, steps } = recorded({ finish: never, succeeded: never });
  await stepDown(steps, 50);
  expect(order).toEqual(['release', 'settle']);
});

test('a process that must end now takes no further step', async () => {
  const ending = new AbortController();
  const { order, steps } = recorded({ finish: never, ending: ending.signal });
  const steppedDown = stepDown(steps, 600_000);
  ending.abort();
  await steppedDown;
  expect(order).toEqual([]);
});

test('a big answer to a slow reader is handed over before a server that settles is closed', async () => {
  const bytes = 32 * 1024 * 1024;
  const server = createHttpServer({ logger: silentLogger });
  server.app.get('/', async (_request, reply) => await reply.send(Buffer.alloc(bytes)));
  const { url } = await server.listen({ host: '127.0.0.1', port: 0 });
  const asked = request(url, { agent: false }).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  let isClosed = false;
  const closed = server
    .settle(600_000)
    .then(async () => await server.close())
    .then(() => (isClosed = true));
  // More than the system holds for both sides: without a reader it does not end.
  await server.settle(20);
  expect(isClosed).toBe(false);
  expect((await buffer(answer)).length).toBe(bytes);
  await closed;
  // Nothing is being answered: nobody is waited for.
  await server.settle(600_000);
});
