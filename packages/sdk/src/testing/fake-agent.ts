/**
 * An agent of one endpoint for tests of executors: it opens event streams on SUBSCRIBE, records calls, and
 * refuses or breaks what the test wants.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  decodeAs,
  encodeAs,
  encodeRecord,
  encodingOfContentType,
  executor,
  MEDIA_TYPES,
  type Encoding,
} from '@dcos/wire';

export interface ExecutorStream {
  send(event: executor.Event): void;
  end(): void;
}

export class FakeAgent {
  /** Calls other than SUBSCRIBE, in order of arrival. */
  readonly calls: executor.Call[] = [];
  readonly subscribes: executor.Call[] = [];
  readonly streams: ExecutorStream[] = [];
  readonly authorizations: (string | undefined)[] = [];
  /** Status codes of the next SUBSCRIBEs that get no stream. */
  readonly refusals: number[] = [];
  /** Status of a call; 202 when absent. */
  onCall: ((call: executor.Call) => number) | undefined;
  onStream: ((stream: ExecutorStream) => void) | undefined;
  readonly #server: Server;
  #waiters: { readonly done: () => boolean; readonly resolve: () => void }[] = [];

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      void this.#handle(request, response);
    });
  }

  static async start(): Promise<FakeAgent> {
    const server = createServer();
    const agent = new FakeAgent(server);
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    return agent;
  }

  /** `host:port`, as in `MESOS_AGENT_ENDPOINT`. */
  get endpoint(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves as soon as the condition holds; it is looked at after every request. */
  async until(done: () => boolean): Promise<void> {
    if (done()) return;
    await new Promise<void>((resolve) => {
      this.#waiters.push({ done, resolve });
    });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const encoding = encodingOfContentType(request.headers['content-type'] ?? '') ?? 'json';
    const body = Buffer.concat(chunks);
    const call = decodeAs(encoding, executor.CallType, body, (bytes) =>
      new TextDecoder().decode(bytes),
    );
    this.authorizations.push(request.headers.authorization);
    if (call.type === 'SUBSCRIBE') this.#subscribe(call, response, encoding);
    else {
      this.calls.push(call);
      response.writeHead(this.onCall?.(call) ?? 202).end();
    }
    const ready = this.#waiters.filter((waiter) => waiter.done());
    this.#waiters = this.#waiters.filter((waiter) => !ready.includes(waiter));
    for (const waiter of ready) waiter.resolve();
  }

  #subscribe(call: executor.Call, response: ServerResponse, encoding: Encoding): void {
    const refusal = this.refusals.shift();
    if (refusal !== undefined) {
      response.writeHead(refusal).end();
      return;
    }
    response.writeHead(200, { 'content-type': MEDIA_TYPES[encoding] });
    response.flushHeaders();
    const stream: ExecutorStream = {
      send: (event) =>
        void response.write(encodeRecord(encodeAs(encoding, executor.EventType, event))),
      end: () => void response.end(),
    };
    this.subscribes.push(call);
    this.streams.push(stream);
    this.onStream?.(stream);
  }
}
