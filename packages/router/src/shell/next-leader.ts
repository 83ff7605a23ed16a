/**
 * What of an upstream's answer, or of its silence, means that another one leads by now or will.
 *
 * Invariant: a request that may have been taken, and that changes something, is never sent a second time.
 */

import type { IncomingMessage } from 'node:http';
import type { Dispatcher } from 'undici';
import { neverConnected, NOT_TAKEN_HEADER } from '@dcos/http';
import type { ProxyTarget } from '../core/route.ts';

/** What masters answer (307), and Marathons for their event streams (302). */
const LEADER_REDIRECTS: ReadonlySet<number> = new Set([302, 307]);
/** Of connections that end before a byte of the answer; the request may have been taken. */
const BROKEN: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

/** Whether a request that failed may go to the next leader. */
export function mayGoToNext({ method }: Pick<IncomingMessage, 'method'>, error: unknown): boolean {
  if (neverConnected(error)) return true;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return (method === 'GET' || method === 'HEAD') && BROKEN.has(code);
}

/** Whether nobody has taken the request, since nobody leads. */
export function isNotTaken(answer: Dispatcher.ResponseData): boolean {
  return rawHeader(answer, NOT_TAKEN_HEADER) !== undefined;
}

/** The origin of the one that leads, as the answer of one that does not tells it. */
export function leaderOf(answer: Dispatcher.ResponseData, target: ProxyTarget): string | undefined {
  if (!target.followsLeader || !LEADER_REDIRECTS.has(answer.statusCode)) return undefined;
  const location = rawHeader(answer, 'location') ?? '';
  const match = /^(?:(https?):)?\/\/([^/?#\s]+)/i.exec(location);
  if (match === null) return undefined;
  const own = target.origin.startsWith('https:') ? 'https' : 'http';
  const scheme = match[1]?.toLowerCase() ?? own;
  // A redirect never leads out of TLS.
  if (own === 'https' && scheme !== own) return undefined;
  const origin = `${scheme}://${match[2] ?? ''}`;
  return origin === target.origin ? undefined : origin;
}

/** Names and values of an answer that was asked for raw, one after another. */
export function rawHeaders(answer: Dispatcher.ResponseData): string[] {
  const list = answer.headers as unknown as readonly (Buffer | string)[];
  return list.map((part) => (typeof part === 'string' ? part : part.toString('latin1')));
}

function rawHeader(answer: Dispatcher.ResponseData, name: string): string | undefined {
  const list = rawHeaders(answer);
  const at = list.findIndex((part, index) => index % 2 === 0 && part.toLowerCase() === name);
  return at === -1 ? undefined : list[at + 1];
}
