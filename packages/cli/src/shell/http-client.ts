/**
 * Requests to a cluster: token, time limit, bounded bodies, and errors that say what to do. Nothing
 * is retried.
 */

import type { IncomingHttpHeaders } from 'node:http';

import { OperationError } from '@dcos/base';
import type { JsonValue } from '@dcos/base';
import { describeFailure } from '../core/http-failure.ts';
import { cliError } from './errors.ts';
import { exchange } from './http-transport.ts';
import type { TransportReply, TransportSecurity } from './http-transport.ts';

export interface HttpClientOptions {
  /** Sent as `Authorization: token=…`; nothing is sent for an empty one. */
  readonly token: string;
  /** 0 for no limit. */
  readonly timeoutMs: number;
  readonly security: TransportSecurity;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What to do about a certificate that is not trusted, where no configuration can be changed. */
  readonly trustHint?: string;
  /** Told of every request and answer; `bodies` asks for their text, too. */
  readonly trace?: { readonly bodies: boolean; readonly line: (text: string) => void } | undefined;
}

export interface RequestOptions {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly json?: JsonValue;
  /** Bytes, or a stream of them, in place of `json`; `headers` say what they are. */
  readonly bytes?: Uint8Array | AsyncIterable<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Statuses besides 2xx that are answers, not failures. */
  readonly accept?: readonly number[];
  readonly signal?: AbortSignal;
  /** Leaves the token away. */
  readonly anonymous?: boolean;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The address that answered, after redirects. */
  readonly url: string;
  readonly body: string;
}

/** Bytes of an answer that is read as a whole; the state of a big cluster has a tenth of it. */
const replyBytesMax = 500 * 1024 * 1024;
const userAgent = 'dcos-cli/0.1.0';

export class HttpClient {
  readonly #options: HttpClientOptions;

  constructor(options: HttpClientOptions) {
    this.#options = options;
  }

  /** Reads the whole answer. @throws OperationError with a code of errors.ts */
  async request(url: string, options: RequestOptions = {}): Promise<Reply> {
    const signal = this.#deadline(options.signal);
    const response = await this.#send(url, options, signal);
    const body = await readBody(response, options, signal);
    this.#trace(2, () => body);
    const { status, headers } = response;
    const reply = { status, headers, url: response.url, body };
    if (!isAccepted(status, options)) throw failure(reply, options);
    return reply;
  }

  /** The JSON document of an answer. @throws OperationError with a code of errors.ts */
  async json(url: string, options: RequestOptions = {}): Promise<JsonValue> {
    const headers = { accept: 'application/json', ...options.headers };
    const reply = await this.request(url, { ...options, headers });
    return parseReply(reply, options.method ?? 'GET');
  }

  /** Starts reading an answer that has no end; the time limit covers its head only. */
  async stream(url: string, options: RequestOptions = {}): Promise<TransportReply> {
    const response = await this.#send(url, options, options.signal);
    if (isAccepted(response.status, options)) return response;
    const { status, headers } = response;
    const body = await readBody(response, options, options.signal);
    throw failure({ status, headers, url, body }, options);
  }

  async #send(
    url: string,
    options: RequestOptions,
    signal: AbortSignal | undefined,
  ): Promise<TransportReply> {
    const method = options.method ?? 'GET';
    const target = withQuery(url, options.query);
    this.#trace(1, () => `> ${method} ${target}`);
    if (options.json !== undefined) this.#trace(2, () => JSON.stringify(options.json));
    try {
      const response = await exchange({
        method,
        url: target,
        headers: this.#headers(options),
        security: this.#options.security,
        environment: this.#options.environment,
        ...(options.json === undefined ? {} : { body: JSON.stringify(options.json) }),
        ...(options.bytes === undefined ? {} : { body: options.bytes }),
        ...(signal === undefined ? {} : { signal }),
      });
      this.#trace(1, () => `< ${response.status} ${response.statusText}`);
      return response;
    } catch (error) {
      const reason: unknown = signal?.aborted === true ? signal.reason : error;
      throw connectionError(reason, target, { ...options, trustHint: this.#options.trustHint });
    }
  }

  #headers(options: RequestOptions): Record<string, string> {
    const { token } = this.#options;
    return {
      'user-agent': userAgent,
      ...(options.json === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === '' || options.anonymous === true ? {} : { authorization: `token=${token}` }),
      ...options.headers,
    };
  }

  #deadline(signal: AbortSignal | undefined): AbortSignal | undefined {
    const { timeoutMs } = this.#options;
    const signals = [
      ...(signal === undefined ? [] : [signal]),
      ...(timeoutMs === 0 ? [] : [AbortSignal.timeout(timeoutMs)]),
    ];
    return signals.length === 0 ? undefined : AbortSignal.any(signals);
  }

  #trace(level: 1 | 2, text: () => string): void {
    const { trace } = this.#options;
    if (trace !== undefined && (level === 1 || trace.bodies)) trace.line(text());
  }
}

/** Adds query parameters; undefined ones are left away. */
export function withQuery(url: string, query: RequestOptions['query']): string {
  const pairs = Object.entries(query ?? {}).flatMap(([name, value]) =>
    value === undefined ? [] : [`${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`],
  );
  if (pairs.length === 0) return url;
  return `${url}${url.includes('?') ? '&' : '?'}${pairs.join('&')}`;
}

/** The JSON of an answer. @throws OperationError CLI_BAD_REPLY */
export function parseReply(reply: Reply, method: string): JsonValue {
  try {
    return JSON.parse(reply.body) as JsonValue;
  } catch (error) {
    const text = `${method} ${reply.url} answered something that is no JSON. Is it a DC/OS cluster?`;
    throw cliError('CLI_BAD_REPLY', text, { cause: error });
  }
}

function isAccepted(status: number, options: RequestOptions): boolean {
  return (status >= 200 && status < 300) || (options.accept ?? []).includes(status);
}

function failure(reply: Reply, options: RequestOptions): OperationError {
  const text = describeFailure({
    status: reply.status,
    method: options.method ?? 'GET',
    url: reply.url,
    body: reply.body,
  });
  return cliError('CLI_HTTP_STATUS', text, { status: reply.status });
}

async function readBody(
  response: TransportReply,
  options: RequestOptions,
  signal: AbortSignal | undefined,
): Promise<string> {
  const { url } = response;
  const announced = Number(response.headers['content-length'] ?? 0);
  if (options.method !== 'HEAD' && announced > replyBytesMax) throw tooLarge(url);
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of response.body as AsyncIterable<Buffer>) {
      bytes += piece.byteLength;
      if (bytes > replyBytesMax) throw tooLarge(url);
      pieces.push(piece);
    }
  } catch (error) {
    if (error instanceof OperationError) throw error;
    throw connectionError(signal?.aborted === true ? signal.reason : error, url, options);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function tooLarge(url: string): OperationError {
  return cliError('CLI_BAD_REPLY', `${url} answered more than ${replyBytesMax} bytes`);
}

const configureTrust =
  'Set core.ssl_verify to the path of a file with the certificate authority, ' +
  'or to false to connect without verification:\n' +
  '    dcos config set core.ssl_verify <path or false>';

function connectionError(
  error: unknown,
  url: string,
  options: Pick<RequestOptions, 'signal'> & { readonly trustHint?: string | undefined },
): OperationError {
  if (options.signal?.aborted === true) {
    return cliError('CLI_REFUSED', 'interrupted', { cause: error });
  }
  const origin = URL.canParse(url) ? new URL(url).origin : url;
  if (error instanceof Error && error.name === 'TimeoutError') {
    const hint = 'Raise the limit with "dcos config set core.timeout <seconds>".';
    return cliError('CLI_TIMEOUT', `${origin} did not answer in time. ${hint}`);
  }
  const reason = reasonOf(error);
  if (isCertificateReason(reason)) {
    return cliError(
      isAuthorityReason(reason) ? 'CLI_UNTRUSTED' : 'CLI_UNREACHABLE',
      `the certificate of ${origin} is not trusted (${reason}).\n${options.trustHint ?? configureTrust}`,
    );
  }
  return cliError('CLI_UNREACHABLE', `could not connect to ${origin}: ${reason}`);
}

function isCertificateReason(reason: string): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS/.test(reason);
}

/** Another authority would mend these, and neither a certificate that has expired nor one of another host. */
function isAuthorityReason(reason: string): boolean {
  return /SELF_SIGNED|UNABLE_TO_GET_ISSUER|UNABLE_TO_VERIFY/.test(reason);
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused. Is the cluster running?',
  ECONNRESET: 'the connection was closed by the other side',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the name of the host could not be resolved',
  EHOSTUNREACH: 'the host is unreachable',
  ETIMEDOUT: 'no connection within 10 seconds',
  EPIPE: 'the connection broke',
};

function reasonOf(error: unknown): string {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string') return reasons[at.code] ?? at.code;
    if (at.cause === undefined) return at.message;
  }
  return String(error);
}
