/** What fake masters and agents share: a server on a free port, and tests that wait for what it has seen. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { encodingOfContentType, type Encoding } from '@dcos/wire';

/** A request as a whole. */
export interface FakeRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly encoding: Encoding;
  readonly body: Uint8Array;
}

export abstract class FakeServer {
  readonly #server: Server = createServer((request, response) => {
    void this.#handle(request, response);
  });
  #waiters: { readonly done: () => boolean; readonly resolve: () => void }[] = [];

  /** Answers a request, or opens a stream. */
  protected abstract answer(asked: FakeRequest): Promise<void> | void;

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve);
    });
    return this;
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
    await this.answer({ request, response, encoding, body: Buffer.concat(chunks) });
    const ready = this.#waiters.filter((waiter) => waiter.done());
    this.#waiters = this.#waiters.filter((waiter) => !ready.includes(waiter));
    for (const waiter of ready) waiter.resolve();
  }
}
