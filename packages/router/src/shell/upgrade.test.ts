import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { refuseUpgrade } from './upgrade.ts';

test('a refused upgrade survives a client that resets', () => {
  const socket = new PassThrough();
  refuseUpgrade(socket, 404, 'not here');
  expect(() => socket.emit('error', new Error('read ECONNRESET'))).not.toThrow();
});
