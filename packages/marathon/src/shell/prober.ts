/**
 * Makes health and readiness probes: HTTP, HTTPS and TCP. Any certificate is accepted, redirects are
 * answers like any other. At most a bound of probes run at once, the others wait for their turn; the
 * time-out counts from the moment at which a probe begins.
 */

import { connect } from 'node:net';
import { Agent, request, type Dispatcher } from 'undici';
import { errorText } from '@dcos/base';
import type { Probe, ProbeAnswer } from '../core/index.ts';

/** Bytes of a body that are read; readiness results show no more. */
const BODY_BYTES_MAX = 10_000;

export class Prober {
  readonly #concurrencyMax: number;
  readonly #agent: Agent;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(options: { readonly concurrencyMax: number }) {
    this.#concurrencyMax = options.concurrencyMax;
    // A new connection for each probe: one that was kept open says nothing about who would get in now.
    this.#agent = new Agent({ pipelining: 0, connect: { rejectUnauthorized: false } });
  }

  /** Makes a probe. Never rejects: a failure is an answer. */
  async probe(probe: Probe): Promise<ProbeAnswer> {
    if (this.#running >= this.#concurrencyMax) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running += 1;
    try {
      return probe.protocol === 'TCP' ? await probeTcp(probe) : await this.#probeHttp(probe);
    } catch (error) {
      return { kind: 'failed', cause: failureText(error, probe) };
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #probeHttp(probe: Probe): Promise<ProbeAnswer> {
    const host = probe.host.includes(':') ? `[${probe.host}]` : probe.host;
    const path = probe.path.startsWith('/') ? probe.path : `/${probe.path}`;
    const url = `${probe.protocol.toLowerCase()}://${host}:${probe.port}${path}`;
    const response = await request(url, {
      dispatcher: this.#agent,
      method: 'GET',
      headers: { connection: 'close', 'user-agent': 'marathon-health-check' },
      signal: AbortSignal.timeout(probe.timeoutMs),
      reset: true,
    });
    const status = response.statusCode;
    if (probe.purpose === 'health') {
      response.body.on('error', () => undefined);
      response.body.destroy();
      return { kind: 'status', status };
    }
    const contentType = response.headers['content-type'];
    return {
      kind: 'status',
      status,
      contentType: typeof contentType === 'string' ? contentType : '',
      body: await readBody(response),
    };
  }
}

async function readBody(response: Dispatcher.ResponseData): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    if (!(chunk instanceof Buffer)) continue;
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= BODY_BYTES_MAX) break;
  }
  return Buffer.concat(chunks).subarray(0, BODY_BYTES_MAX).toString('utf8');
}

async function probeTcp(probe: Probe): Promise<ProbeAnswer> {
  return await new Promise<ProbeAnswer>((resolve) => {
    const socket = connect({ host: probe.host, port: probe.port });
    const finish = (answer: ProbeAnswer): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(probe.timeoutMs, () => finish({ kind: 'failed', cause: timeoutText(probe) }));
    socket.once('connect', () => finish({ kind: 'connected' }));
    socket.once('error', (error) => finish({ kind: 'failed', cause: errorText(error) }));
  });
}

function failureText(error: unknown, probe: Probe): string {
  if (error instanceof Error && error.name === 'TimeoutError') return timeoutText(probe);
  return errorText(error);
}

function timeoutText(probe: Probe): string {
  return `no answer from ${probe.host}:${probe.port} within ${probe.timeoutMs} ms`;
}
