import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { bodyOf, BodyTooLarge, REPLAY_BYTES_MAX } from './request-body.ts';

const CHUNKED = { 'transfer-encoding': 'chunked' };
const KIB = 1024;

/** A request with a body that comes in pieces of these many bytes, each with its own number in it. */
function request(sizes: readonly number[], headers: Record<string, string>): IncomingMessage {
  const pieces = sizes.map((size, index) => Buffer.alloc(size, index));
  return Object.assign(Readable.from(pieces), { headers }) as unknown as IncomingMessage;
}

async function bytesOf(body: Readable | Buffer | null): Promise<Buffer> {
  if (body === null || body instanceof Buffer) return body ?? Buffer.alloc(0);
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

describe('the body on its way', () => {
  const half = REPLAY_BYTES_MAX / 2;
  test.each([
    ['none', [], {}, true, 'none'],
    ['small, of known length', [3, 4], { 'content-length': '7' }, true, 'held'],
    ['small, of unknown length', [3, 4], CHUNKED, true, 'held'],
    ['as large as may be held', [half, half], CHUNKED, true, 'held'],
    ['larger, of unknown length', [half, half, 1, 70 * KIB], CHUNKED, true, 'stream'],
    ['larger', [half, half, 1], { 'content-length': `${half + half + 1}` }, true, 'stream'],
    ['for one that has no successor', [3], { 'content-length': '3' }, false, 'stream'],
  ] as const)('%s', async (_what, sizes, headers, followsLeader, expected) => {
    const body = await bodyOf(request(sizes, headers), { followsLeader }, 2 * REPLAY_BYTES_MAX);
    const kind = body === null ? 'none' : body instanceof Buffer ? 'held' : 'stream';
    expect(kind).toBe(expected);
    const whole = Buffer.concat(sizes.map((size, index) => Buffer.alloc(size, index)));
    expect((await bytesOf(body)).equals(whole)).toBe(true);
  });

  test.each([
    ['of known length', [10], { 'content-length': '10' }, true],
    ['held', [5, 5], CHUNKED, true],
    ['streamed', [5, 5], CHUNKED, false],
  ] as const)('over its limit, %s', async (_what, sizes, headers, followsLeader) => {
    const sent = bodyOf(request(sizes, headers), { followsLeader }, 9).then(bytesOf);
    await expect(sent).rejects.toThrow(BodyTooLarge);
  });

  test('over its limit behind what was held', async () => {
    const sizes = [REPLAY_BYTES_MAX, 1, KIB];
    const body = await bodyOf(
      request(sizes, CHUNKED),
      { followsLeader: true },
      REPLAY_BYTES_MAX + 9,
    );
    expect(body).toBeInstanceOf(Readable);
    await expect(bytesOf(body)).rejects.toThrow(BodyTooLarge);
  });
});
