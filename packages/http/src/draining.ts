/**
 * How a server comes to its end without cutting off whoever it is answering.
 *
 * Invariant: both ways end when their time is up, whatever clients do.
 */

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as NetServer } from 'node:net';
import { within } from './within.ts';

export interface Draining {
  /** See `HttpServer.drain`. */
  drain(timeMsMax: number): Promise<void>;
  /** See `HttpServer.settle`. */
  settle(timeMsMax: number): Promise<void>;
}

/** Counts what a server is answering, from now on. */
export function drainingOf(server: Server): Draining {
  let isDraining = false;
  let underWay = 0;
  const waiting: (() => void)[] = [];
  server.prependListener('request', (_request: IncomingMessage, response: ServerResponse) => {
    if (isDraining) response.setHeader('connection', 'close');
    underWay += 1;
    // Comes once the answer is handed over as a whole, or nobody is there to take it.
    response.once('close', () => {
      underWay -= 1;
      if (underWay === 0) for (const settled of waiting.splice(0)) settled();
    });
  });
  return {
    async drain(timeMsMax) {
      if (isDraining || !server.listening) return;
      isDraining = true;
      // That of an HTTP server would also end connections on which the next request may be on its way.
      const ended = new Promise<void>((resolve) =>
        NetServer.prototype.close.call(server, () => resolve()),
      );
      await within(ended, timeMsMax);
    },
    async settle(timeMsMax) {
      if (underWay === 0) return;
      await within(new Promise<void>((resolve) => void waiting.push(resolve)), timeMsMax);
    },
  };
}
