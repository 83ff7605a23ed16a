/**
 * What a scheduler does with requests while it does not lead: it passes them on to the leader, and says so.
 *
 * Source: Marathon's leader proxy. Every path is passed on, also `/ping`; `/v2/events` is redirected, since a
 * stream through a standby would end with it. `X-Marathon-Via` names each scheduler on the way: one that finds
 * itself there answers 502. A leader that cannot be reached is 502 too, any other failure of passing on is 500.
 *
 * Invariant: an answer is marked as not taken only where nobody can have got the request.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, type Dispatcher } from 'undici';
import { endToEndHeaders, errorText, type Logger } from '@dcos/base';
import {
  markNotTaken,
  neverConnected,
  within,
  type ClientTls,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from '@dcos/http';
import { tlsConnector } from '@dcos/sdk';
import { send } from './request.ts';

const CONNECT_TIMEOUT_MS = 5_000;
/** Silence of the leader that ends a request. */
const READ_TIMEOUT_MS = 10_000;
const CONNECTIONS_MAX = 64;
/** How long, and after which pauses, a leader is looked for; a store without its servers answers when they are back. */
const LOOK_MS_MAX = 2_500;
const LOOK_INTERVAL_MS = 250;
const VIA = 'x-marathon-via';

export interface StandbyOptions {
  /** Whether this scheduler answers by itself. */
  readonly leads: () => boolean;
  /** `host:port` of whoever leads, as far as the store knows. */
  readonly leader: () => Promise<string | undefined>;
  /** `host:port` of this scheduler. */
  readonly own: () => string;
  /** Whether the schedulers serve HTTPS, and what this one shows them then. */
  readonly scheme: 'http' | 'https';
  readonly tls: ClientTls;
  readonly logger: Logger;
}

/** Passes requests on while this scheduler does not lead; must be added before the routes. */
export function addStandby(app: FastifyInstance, options: StandbyOptions): void {
  const upstream = new Agent({
    connect: tlsConnector(options.tls, CONNECT_TIMEOUT_MS),
    connections: CONNECTIONS_MAX,
    headersTimeout: READ_TIMEOUT_MS,
    bodyTimeout: READ_TIMEOUT_MS,
  });
  app.addHook('onClose', async () => await upstream.destroy());
  app.addHook('onRequest', async (request, reply) => {
    if (options.leads()) return;
    const leader = await settledLeader(options);
    if (leader === undefined) {
      if (!options.leads()) send(markNotTaken(reply), problem('there is no leader; try again'));
      return;
    }
    const url = `${options.scheme}://${leader}${request.url}`;
    if (request.url.split('?')[0] === '/v2/events') {
      await reply.redirect(url);
      return;
    }
    await passOn(request, reply, { upstream, leader, options });
  });
}

function problem(message: string, statusCode = 502) {
  return { statusCode, body: { message } };
}

/** Undefined when nobody else leads for as long as it is worth to wait, or this scheduler leads by then. */
async function settledLeader(options: StandbyOptions): Promise<string | undefined> {
  const deadlineMs = performance.now() + LOOK_MS_MAX;
  for (;;) {
    if (options.leads()) return undefined;
    const leftMs = deadlineMs - performance.now();
    if (leftMs <= 0) return undefined;
    const leader = await within(options.leader().catch(unknownLeader), leftMs);
    // A scheduler that was just elected loads its state before it leads.
    if (leader !== undefined && leader !== options.own()) return leader;
    await sleep(LOOK_INTERVAL_MS);
  }
}

/** A store that does not answer knows no leader either; it says in the log why. */
function unknownLeader(): undefined {
  return undefined;
}

interface Passage {
  readonly upstream: Agent;
  readonly leader: string;
  readonly options: StandbyOptions;
}

async function passOn(
  request: FastifyRequest,
  reply: FastifyReply,
  { upstream, leader, options }: Passage,
): Promise<void> {
  const via = `1.1 ${options.own()}`;
  const before = request.headers[VIA];
  const seen = before === undefined ? [] : [before].flat();
  if (seen.some((value) => value.split(',').some((one) => one.trim() === via))) {
    send(markNotTaken(reply), problem(`Detected proxying loop: ${[...seen, via].join(', ')}`));
    return;
  }
  const left = new AbortController();
  reply.raw.once('close', () => left.abort());
  let answer: Dispatcher.ResponseData;
  try {
    answer = await upstream.request({
      origin: `${options.scheme}://${leader}`,
      path: request.url,
      method: request.method,
      headers: passedHeaders(request, [...seen, via].join(', ')),
      body: hasBody(request) ? request.raw : null,
      signal: left.signal,
      responseHeaders: 'raw',
    });
  } catch (error) {
    // The client went away: nobody is left to tell.
    if (left.signal.aborted) return;
    const message = `the leader ${leader} does not answer: ${errorText(error)}`;
    options.logger.warn({ event: 'marathon.standby.failed', leader }, message);
    if (neverConnected(error)) send(markNotTaken(reply), problem(message));
    else send(reply, problem(message, 500));
    return;
  }
  // Asked for raw: a flat list of names and values.
  const raw = (answer.headers as unknown as readonly (Buffer | string)[]).map((part) =>
    typeof part === 'string' ? part : part.toString('latin1'),
  );
  reply.code(answer.statusCode);
  for (const [name, value] of endToEndHeaders(raw)) reply.header(name, value);
  reply.header(VIA, via);
  await reply.send(answer.body);
}

function passedHeaders(request: FastifyRequest, via: string): string[] {
  const headers: string[] = [];
  const forwarded: string[] = [];
  for (const [name, value] of endToEndHeaders(request.raw.rawHeaders)) {
    const lower = name.toLowerCase();
    if (lower === 'x-forwarded-for') forwarded.push(value);
    else if (lower !== 'host' && lower !== VIA) headers.push(name, value);
  }
  headers.push(VIA, via, 'x-forwarded-for', [...forwarded, request.ip].join(', '));
  return headers;
}

function hasBody({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
