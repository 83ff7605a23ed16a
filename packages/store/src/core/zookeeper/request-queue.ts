/**
 * Requests of a session: first those that were sent and wait for their answer, then those that wait for a
 * connection, all in the order of their numbers.
 *
 * Invariant: an answer is only taken for the oldest request that was sent; the server answers in order.
 */

import { JuteError } from './jute.ts';
import type { Operation } from './operations.ts';

export interface Request {
  /** The caller's name for it. */
  readonly id: number;
  readonly xid: number;
  readonly operation: Operation;
  readonly frame: Uint8Array;
  readonly submittedMs: number;
}

export interface SentRequest extends Request {
  readonly sentMs: number;
}

export class RequestQueue {
  readonly #sent = new Map<number, SentRequest>();
  readonly #waiting = new Map<number, Request>();
  #bytes = 0;

  /** Requests without an answer. */
  get size(): number {
    return this.#sent.size + this.#waiting.size;
  }

  /** Bytes of their frames. */
  get bytes(): number {
    return this.#bytes;
  }

  /** When the oldest request that was not sent was handed in. */
  get waitingSinceMs(): number | undefined {
    return first(this.#waiting)?.submittedMs;
  }

  push(request: Request): void {
    this.#waiting.set(request.xid, request);
    this.#bytes += request.frame.length;
  }

  /** Takes what waits as sent, in order. */
  send(nowMs: number): readonly SentRequest[] {
    const requests = [...this.#waiting.values()].map((request) => ({ ...request, sentMs: nowMs }));
    this.#waiting.clear();
    for (const request of requests) this.#sent.set(request.xid, request);
    return requests;
  }

  /** The request that an answer is for. Throws {@link JuteError} when it is not the next one. */
  answered(xid: number): SentRequest {
    const request = first(this.#sent);
    if (request?.xid !== xid) {
      throw new JuteError(`an answer to ${xid}, expected ${request?.xid ?? 'none'}`);
    }
    this.#remove(this.#sent, request);
    return request;
  }

  /** Takes out what was sent: nobody will answer it. */
  takeSent(): readonly SentRequest[] {
    return this.#take(this.#sent, () => true);
  }

  /** Takes out what waits, all of it or what waits since such a time. */
  takeWaiting(isWanted: (sinceMs: number) => boolean = () => true): readonly Request[] {
    return this.#take(this.#waiting, ({ submittedMs }) => isWanted(submittedMs));
  }

  #take<T extends Request>(from: Map<number, T>, wanted: (request: T) => boolean): readonly T[] {
    const taken = [...from.values()].filter(wanted);
    for (const request of taken) this.#remove(from, request);
    return taken;
  }

  #remove<T extends Request>(from: Map<number, T>, request: T): void {
    from.delete(request.xid);
    this.#bytes -= request.frame.length;
  }
}

function first<T>(map: ReadonlyMap<number, T>): T | undefined {
  for (const value of map.values()) return value;
  return undefined;
}
