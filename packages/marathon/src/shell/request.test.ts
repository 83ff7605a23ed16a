import { expect, test } from 'vitest';
import { silentLogger } from '@dcos/base';
import { createHttpServer } from '@dcos/http';
import { Answer, send } from './request.ts';

test.each([
  [404, 0],
  [422, 0],
  [503, 1],
])('an answer of %i is %i errors in the log', async (statusCode, errors) => {
  const logged: unknown[] = [];
  const server = createHttpServer({
    logger: { ...silentLogger, error: (fields: unknown) => void logged.push(fields) },
    respondError: (reply, { error }) => void (error instanceof Answer && send(reply, error.reply)),
  });
  server.app.get('/', () => {
    throw new Answer({ statusCode, body: { message: 'why' } });
  });
  const answer = await server.app.inject('/');
  expect([answer.statusCode, answer.json()]).toEqual([statusCode, { message: 'why' }]);
  expect(logged).toHaveLength(errors);
  await server.close();
});
