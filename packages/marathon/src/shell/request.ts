/** What routes read out of requests, and how they answer. */

import type { FastifyReply, FastifyRequest } from '@dcos/http';
import type { JsonValue } from '@dcos/base';
import { bodyText, NOBODY_LEADS, NOT_TAKEN_HEADER, sendJson } from '@dcos/http';
import type { Reply } from '../core/index.ts';

/** Thrown by a route to answer at once. */
export class Answer extends Error {
  override readonly name = 'Answer';
  readonly reply: Reply;

  constructor(reply: Reply) {
    super(`answered ${reply.statusCode}`);
    this.reply = reply;
  }

  /** For the server, which takes an error without one for a failure of its own. */
  get statusCode(): number {
    return this.reply.statusCode;
  }
}

/** Ends the request with an error in the shape of the API. */
export function refuse(statusCode: number, message: string): never {
  throw new Answer({ statusCode, body: { message } });
}

/** What a scheduler answers that takes nothing: 503, and that nothing was done. */
export function notTaken(message: string): Reply {
  return { statusCode: 503, body: { message }, headers: { [NOT_TAKEN_HEADER]: NOBODY_LEADS } };
}

/** The parameters after the question mark. */
export function queryOf(request: FastifyRequest): URLSearchParams {
  const start = request.url.indexOf('?');
  return new URLSearchParams(start < 0 ? '' : request.url.slice(start + 1));
}

/** A switch in the query; given without a value it is on. */
export function flagOf(query: URLSearchParams, name: string, fallback = false): boolean {
  const value = query.get(name);
  if (value === null) return fallback;
  return value === '' || value.toLowerCase() === 'true';
}

/** The decoded path after a prefix, without slashes at its end; 400 when it cannot be decoded. */
export function pathAfter(request: FastifyRequest, prefix: string): string {
  const end = request.url.indexOf('?');
  const path = end < 0 ? request.url : request.url.slice(0, end);
  try {
    return decodeURIComponent(path.slice(prefix.length)).replace(/\/+$/, '');
  } catch {
    return refuse(400, 'the path is not properly encoded');
  }
}

/** Who asked and for what, for the event bus. */
export function originOf(request: FastifyRequest): {
  readonly clientIp: string;
  readonly uri: string;
} {
  return { clientIp: request.ip, uri: request.url };
}

export function bodyOf(request: FastifyRequest): string {
  return bodyText(request.body);
}

/** Answers with what the core or a view made. */
export function send(reply: FastifyReply, answer: Reply): FastifyReply {
  for (const [name, value] of Object.entries(answer.headers ?? {})) reply.header(name, value);
  if (answer.body === undefined) return reply.code(answer.statusCode).send();
  return sendJson(reply, answer.statusCode, answer.body);
}

export function ok(body: JsonValue): Reply {
  return { statusCode: 200, body };
}
