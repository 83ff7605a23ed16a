/**
 * Requests whose answer the core decides. Each is answered exactly once: by a status, or by a stream.
 */

import type { FastifyReply } from '@dcos/http';
import type { Encoding } from '@dcos/wire';
import type { RequestId } from '../core/effects.ts';
import { refuse, sendEmpty } from './answers.ts';

export interface PendingRequest {
  readonly reply: FastifyReply;
  /** Encoding of a stream, if one is opened. */
  readonly encoding: Encoding;
}

export class PendingRequests {
  readonly #pending = new Map<RequestId, PendingRequest>();
  #next = 0;

  /** Requests that wait for their answer. */
  get size(): number {
    return this.#pending.size;
  }

  /** Keeps a request until it is answered. */
  add(request: PendingRequest): RequestId {
    const id = this.#next++;
    this.#pending.set(id, request);
    return id;
  }

  /** Looks at a request that waits. */
  get(id: RequestId): PendingRequest | undefined {
    return this.#pending.get(id);
  }

  /** The request, for a stream that answers it. */
  take(id: RequestId): PendingRequest | undefined {
    const request = this.#pending.get(id);
    this.#pending.delete(id);
    return request;
  }

  answer(id: RequestId, status: number, text: string | undefined): void {
    const request = this.take(id);
    if (request === undefined) return;
    if (text === undefined) sendEmpty(request.reply, status);
    else refuse(request.reply, status, text);
  }

  /** The master ends: nobody will answer these any more. */
  refuseAll(): void {
    for (const id of this.#pending.keys()) this.answer(id, 503, 'The master is shutting down');
  }
}
