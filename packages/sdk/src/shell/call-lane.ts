/**
 * One keep-alive connection to the leading master on which calls are sent strictly in order, the next
 * one when the one before was answered. Pipelining is not used on purpose: after a broken connection
 * nobody could say which of the pipelined calls took effect, and sending an ACCEPT twice loses tasks.
 *
 * Invariants: a call is sent at most once; calls are answered in the order they were made.
 */

import { Client } from 'undici';
import { errorText, OperationError } from '@dcos/base';
import type { TlsOptions } from '../tls.ts';
import { tlsConnector } from './tls-connector.ts';

export interface LaneOptions {
  readonly origin: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Time for the whole answer to one call. */
  readonly answerMsMax: number;
  /** Calls that may wait, the one under way included. */
  readonly callsWaitingMax: number;
  readonly answerBytesMax: number;
  readonly tls: TlsOptions | undefined;
}

export interface LaneAnswer {
  readonly status: number;
  readonly body: Uint8Array;
}

export class CallLane {
  readonly #options: LaneOptions;
  readonly #client: Client;
  #waiting = 0;
  #closedBecause: string | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#client = new Client(options.origin, {
      pipelining: 1,
      headersTimeout: options.answerMsMax,
      bodyTimeout: options.answerMsMax,
      maxResponseSize: options.answerBytesMax,
      ...(options.tls !== undefined && { connect: tlsConnector(options.tls) }),
    });
  }

  /**
   * Sends a call after those before it.
   * @throws OperationError `SDK_QUEUE_FULL` (retry later), `SDK_DISCONNECTED` (retry later; the call may
   *   have taken effect).
   */
  async post(body: Uint8Array): Promise<LaneAnswer> {
    const { path, headers, callsWaitingMax } = this.#options;
    if (this.#waiting >= callsWaitingMax) {
      throw new OperationError(
        'SDK_QUEUE_FULL',
        `${callsWaitingMax} calls are waiting for the master`,
        {
          retry: 'later',
        },
      );
    }
    this.#waiting++;
    try {
      const answer = await this.#client.request({
        method: 'POST',
        path,
        headers: { ...headers },
        body,
      });
      return { status: answer.statusCode, body: await answer.body.bytes() };
    } catch (error) {
      const reason = this.#closedBecause ?? errorText(error);
      throw new OperationError('SDK_DISCONNECTED', `the call was not answered: ${reason}`, {
        retry: 'later',
        cause: error,
      });
    } finally {
      this.#waiting--;
    }
  }

  /** Gives up the connection; calls that wait fail with `SDK_DISCONNECTED`. */
  close(reason: string): void {
    if (this.#closedBecause !== undefined) return;
    this.#closedBecause = reason;
    void this.#client.destroy(new Error(reason));
  }
}
