/**
 * The body of a request on its way to an upstream: held where it may have to be sent again, else a stream.
 *
 * Invariant: nothing beyond the limit goes on, and never more than `REPLAY_BYTES_MAX` is held.
 */

import type { IncomingMessage } from 'node:http';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ProxyTarget } from '../core/route.ts';

/** Bodies up to this size are held, where a change of the leader may make a second sending necessary. */
export const REPLAY_BYTES_MAX = 4 * 2 ** 20;

/** What a client sends beyond the limit of its route. */
export class BodyTooLarge extends Error {
  constructor(bytesMax: number) {
    super(`the body is larger than ${bytesMax} bytes`);
  }
}

/**
 * None, all of it where it may be sent twice, or a stream that ends at the limit.
 * @throws BodyTooLarge
 */
export async function bodyOf(
  request: IncomingMessage,
  target: Pick<ProxyTarget, 'followsLeader'>,
  bytesMax: number,
): Promise<Readable | Buffer | null> {
  const length = Number(request.headers['content-length'] ?? 0);
  if (length === 0 && request.headers['transfer-encoding'] === undefined) return null;
  if (length > bytesMax) throw new BodyTooLarge(bytesMax);
  if (!target.followsLeader || length > REPLAY_BYTES_MAX) return limited(request, bytesMax);
  return await heldOrStream(request, bytesMax);
}

/** A body of unknown length may turn out too long to be held: then what came is sent, and the rest after it. */
async function heldOrStream(
  request: IncomingMessage,
  bytesMax: number,
): Promise<Readable | Buffer> {
  const chunks: Buffer[] = [];
  let seen = 0;
  const rest = request[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  while (seen <= REPLAY_BYTES_MAX) {
    const { done, value } = await rest.next();
    if (done === true) return Buffer.concat(chunks);
    chunks.push(value);
    seen += value.length;
    if (seen > bytesMax) throw new BodyTooLarge(bytesMax);
  }
  const whole = async function* (): AsyncGenerator<Buffer> {
    yield* chunks;
    yield* { [Symbol.asyncIterator]: () => rest };
  };
  return limited(Readable.from(whole(), { objectMode: false }), bytesMax);
}

function limited(source: Readable, bytesMax: number): Readable {
  let seen = 0;
  const limit = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length;
      if (seen > bytesMax) done(new BodyTooLarge(bytesMax));
      else done(null, chunk);
    },
  });
  // A failure of either side destroys the other; the upstream request reports it.
  pipeline(source, limit).catch(() => undefined);
  return limit;
}
