/**
 * Passes requests on and answers back, as streams in both directions.
 *
 * Invariants: what a client sends or an upstream answers is never held as a whole (small bodies that may
 * have to be sent again excepted); a side that does not read holds the other one back; a client that
 * leaves ends the upstream request; a body over its limit is cut off.
 */

import { isIPv6 } from 'node:net';
import { rootCertificates, TLSSocket } from 'node:tls';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, type Dispatcher } from 'undici';
import { errorText, type Logger } from '@dcos/base';
import type { ClientTls } from '@dcos/http';
import { tlsConnector, type TlsOptions } from '@dcos/sdk';
import { requestHeaders, responseHeaders } from '../core/headers.ts';
import type { ProxyTarget } from '../core/route.ts';
import { sendProblem } from './answer.ts';
import { isNotTaken, leaderOf, mayGoToNext, rawHeaders } from './next-leader.ts';
import { bodyOf, BodyTooLarge } from './request-body.ts';

/** How often the next leader is looked for. */
const LEADER_POLL_MS = 100;
/** Redirects from one to another that are followed. */
const LEADER_REDIRECTS_MAX = 3;

export interface ProxyOptions {
  readonly connectMsMax: number;
  readonly leaderMsMax: number;
  readonly answerMsMax: number;
  readonly requestBytesMax: number;
  readonly serviceRequestBytesMax: number;
  readonly logger: Logger;
  /** For masters and agents. */
  readonly tls: ClientTls;
}

/** The system's authorities and those of the cluster, which may be renewed; without any, the system's alone. */
function trustBeside(tls: ClientTls): TlsOptions {
  if (tls.ca === undefined) return {};
  let own: string | undefined;
  let all = '';
  return {
    get ca() {
      if (tls.ca !== undefined && tls.ca !== own) {
        own = tls.ca;
        all = [...rootCertificates, own].join('\n');
      }
      return all;
    },
  };
}

/** What goes to the upstream. */
interface Outgoing {
  readonly target: ProxyTarget;
  readonly headers: string[];
  readonly body: Readable | Buffer | null;
}

interface Waiting {
  readonly signal: AbortSignal;
  readonly targetNow: () => ProxyTarget;
}

/** Whether it can be sent once more, and where it goes may have changed since. */
function isRepeatable({ target, body }: Outgoing): boolean {
  return target.followsLeader && (body === null || body instanceof Buffer);
}

/** Whether an answer goes to the client, since it was taken or there is no time to try again. */
function isFinal(
  answer: Dispatcher.ResponseData,
  {
    leader,
    redirects,
    isLast,
  }: {
    readonly leader: string | undefined;
    readonly redirects: number;
    readonly isLast: boolean;
  },
): boolean {
  if (leader === undefined) return isLast || !isNotTaken(answer);
  return isLast && redirects === LEADER_REDIRECTS_MAX;
}

export class Proxy {
  readonly #options: ProxyOptions;
  /** To masters, agents and Mesos-DNS. */
  readonly cluster: Agent;
  /** Whom services may have their certificates from. */
  readonly serviceTrust: TlsOptions;
  readonly #services: Agent;

  constructor(options: ProxyOptions) {
    this.#options = options;
    const { tls, connectMsMax } = options;
    const common = {
      pipelining: 1,
      headersTimeout: options.answerMsMax,
      // Event streams are silent for long; the client's leaving ends them.
      bodyTimeout: 0,
    };
    this.cluster = new Agent({ ...common, connect: tlsConnector(tls, connectMsMax) });
    // Services are whatever tasks are: our certificate is none of their business.
    this.serviceTrust = trustBeside(tls);
    this.#services = new Agent({
      ...common,
      connect: tlsConnector(this.serviceTrust, connectMsMax),
    });
  }

  async close(): Promise<void> {
    await Promise.all([this.cluster.destroy(), this.#services.destroy()]);
  }

  /**
   * Answers the request with what the upstream says.
   * @param targetNow where it would go by now; asked when a leader has ended.
   */
  async forward(
    request: IncomingMessage,
    response: ServerResponse,
    target: ProxyTarget,
    targetNow: () => ProxyTarget = () => target,
  ): Promise<void> {
    const bytesMax = target.isService
      ? this.#options.serviceRequestBytesMax
      : this.#options.requestBytesMax;
    const aborted = new AbortController();
    response.once('close', () => aborted.abort());
    try {
      const body = await bodyOf(request, target, bytesMax);
      const headers = requestHeaders(request.rawHeaders, clientOf(request, target));
      const first = { target, headers, body };
      await this.#exchange(request, response, first, { signal: aborted.signal, targetNow });
    } catch (error) {
      this.#failed(request, response, target, error);
    }
  }

  /**
   * While no leader has taken the request it is held, for a bounded time, and goes to the next one: also while two send
   * it to one another, of which one has not heard of the other yet.
   */
  async #exchange(
    request: IncomingMessage,
    response: ServerResponse,
    first: Outgoing,
    { signal, targetNow }: Waiting,
  ): Promise<void> {
    const deadlineMs = performance.now() + this.#options.leaderMsMax;
    let outgoing = first;
    let redirects = 0;
    for (;;) {
      const isLast = performance.now() >= deadlineMs || !isRepeatable(outgoing);
      const answer = await this.#askReachable(request, outgoing, { signal, isLast });
      const leader = answer && leaderOf(answer, outgoing.target);
      if (answer !== undefined && isFinal(answer, { leader, redirects, isLast })) {
        await passOn(answer, response, outgoing.target);
        return;
      }
      await answer?.body.dump();
      if (leader !== undefined && !isRepeatable(outgoing)) {
        sendProblem(
          request,
          response,
          503,
          'the leading master has changed; send the request again',
        );
        return;
      }
      if (leader !== undefined && redirects < LEADER_REDIRECTS_MAX) {
        redirects += 1;
        outgoing = { ...outgoing, target: { ...outgoing.target, origin: leader } };
      } else {
        await sleep(LEADER_POLL_MS, undefined, { signal });
        redirects = 0;
        outgoing = { ...outgoing, target: targetNow() };
      }
    }
  }

  /** Undefined where nobody can have taken the request, and there is time to try again. */
  async #askReachable(
    request: IncomingMessage,
    outgoing: Outgoing,
    { signal, isLast }: { readonly signal: AbortSignal; readonly isLast: boolean },
  ): Promise<Dispatcher.ResponseData | undefined> {
    try {
      return await this.#ask(request, outgoing, signal);
    } catch (error) {
      if (isLast || !mayGoToNext(request, error)) throw error;
      return undefined;
    }
  }

  #ask(
    request: IncomingMessage,
    { target, headers, body }: Outgoing,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const upstreams = target.isService ? this.#services : this.cluster;
    return upstreams.request({
      origin: target.origin,
      path: target.target,
      method: request.method ?? 'GET',
      headers,
      body,
      signal,
      responseHeaders: 'raw',
    });
  }

  #failed(
    request: IncomingMessage,
    response: ServerResponse,
    target: ProxyTarget,
    error: unknown,
  ): void {
    // The client went away: nobody is left to tell.
    if (response.destroyed) return;
    if (error instanceof BodyTooLarge) {
      sendProblem(request, response, 413, error.message);
      return;
    }
    const problem = `${target.origin} does not answer: ${errorText(error)}`;
    this.#options.logger.warn(
      { event: 'upstream.failed', origin: target.origin, problem },
      problem,
    );
    const timedOut = error instanceof Error && error.name === 'HeadersTimeoutError';
    sendProblem(request, response, timedOut ? 504 : 502, problem);
  }
}

export function clientOf(request: IncomingMessage, target: ProxyTarget) {
  return {
    clientIp: request.socket.remoteAddress ?? '',
    protocol: request.socket instanceof TLSSocket ? ('https' as const) : ('http' as const),
    host: request.headers.host ?? '',
    drop: target.dropHeaders,
  };
}

async function passOn(
  answer: Dispatcher.ResponseData,
  response: ServerResponse,
  target: ProxyTarget,
): Promise<void> {
  const rule = { upstreamOrigin: target.origin, prefix: target.prefix };
  response.writeHead(answer.statusCode, responseHeaders(rawHeaders(answer), rule));
  // Streams may be silent after their head: it leaves at once.
  response.flushHeaders();
  await pipeline(answer.body, response);
}

/** The authority of an origin for sockets: host without brackets, and port. */
export function authorityOf(origin: string): { readonly host: string; readonly port: number } {
  const url = new URL(origin);
  const host = url.hostname.replaceAll(/^\[|\]$/g, '');
  const port = Number(url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : url.port);
  return { host: isIPv6(host) ? host : url.hostname, port };
}
