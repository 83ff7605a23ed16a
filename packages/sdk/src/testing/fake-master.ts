/**
 * A master of two endpoints for tests: it opens event streams on SUBSCRIBE, records every call, and
 * does on request what masters do to clients: redirect, refuse, break a stream, fall silent.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  decodeAs,
  encodeAs,
  encodeRecord,
  masterApi,
  MEDIA_TYPES,
  scheduler,
  type Encoding,
} from '@dcos/wire';
import { FakeServer, type FakeRequest } from './fake-server.ts';

export interface FakeAnswer {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface FakeStream {
  readonly encoding: Encoding;
  readonly streamId: string;
  /** Sends one event. */
  send(event: scheduler.Event): void;
  sendOperator(event: masterApi.Event): void;
  end(): void;
}

export class FakeMaster extends FakeServer {
  /** Calls other than SUBSCRIBE, in order of arrival. */
  readonly calls: { readonly call: scheduler.Call; readonly streamId: string | undefined }[] = [];
  readonly subscribes: scheduler.Call[] = [];
  readonly streams: FakeStream[] = [];
  /** What the next SUBSCRIBE is answered with instead of a stream. */
  readonly refusals: FakeAnswer[] = [];
  /** Decides about calls; 202 when absent. */
  onCall: ((call: scheduler.Call) => FakeAnswer | Promise<FakeAnswer>) | undefined;
  /** What an operator call is answered with. */
  onOperatorCall: ((call: masterApi.Call) => masterApi.Response) | undefined;
  onStream: ((stream: FakeStream) => void) | undefined;
  readonly #text = new TextDecoder();

  static start(): Promise<FakeMaster> {
    return new FakeMaster().listen();
  }

  get url(): string {
    return `http://${this.endpoint}`;
  }

  protected async answer({ request, response, encoding, body }: FakeRequest): Promise<void> {
    if (request.url === '/api/v1/scheduler')
      await this.#schedulerCall(request, response, encoding, body);
    else this.#operatorCall(response, encoding, body);
  }

  async #schedulerCall(
    request: IncomingMessage,
    response: ServerResponse,
    encoding: Encoding,
    body: Uint8Array,
  ): Promise<void> {
    const call = decodeAs(encoding, scheduler.CallType, body, (bytes) => this.#text.decode(bytes));
    if (call.type === 'SUBSCRIBE') {
      this.subscribes.push(call);
      this.#subscribe(response, encoding);
      return;
    }
    const streamId = request.headers['mesos-stream-id'];
    this.calls.push({ call, streamId: Array.isArray(streamId) ? streamId[0] : streamId });
    send(response, (await this.onCall?.(call)) ?? { status: 202 });
  }

  #operatorCall(response: ServerResponse, encoding: Encoding, body: Uint8Array): void {
    const call = decodeAs(encoding, masterApi.CallType, body, (bytes) => this.#text.decode(bytes));
    if (call.type === 'SUBSCRIBE') {
      this.#subscribe(response, encoding);
      return;
    }
    const answer = this.onOperatorCall?.(call);
    if (answer === undefined) send(response, { status: 501, body: 'not here' });
    else {
      response.writeHead(200, { 'content-type': MEDIA_TYPES[encoding] });
      response.end(encodeAs(encoding, masterApi.ResponseType, answer));
    }
  }

  #subscribe(response: ServerResponse, encoding: Encoding): void {
    const refusal = this.refusals.shift();
    if (refusal !== undefined) {
      send(response, refusal);
      return;
    }
    const streamId = `stream-${this.streams.length + 1}`;
    response.writeHead(200, { 'content-type': MEDIA_TYPES[encoding], 'mesos-stream-id': streamId });
    response.flushHeaders();
    const stream: FakeStream = {
      encoding,
      streamId,
      send: (event) =>
        void response.write(encodeRecord(encodeAs(encoding, scheduler.EventType, event))),
      sendOperator: (event) =>
        void response.write(encodeRecord(encodeAs(encoding, masterApi.EventType, event))),
      end: () => void response.end(),
    };
    this.streams.push(stream);
    this.onStream?.(stream);
  }
}

function send(response: ServerResponse, answer: FakeAnswer): void {
  response.writeHead(answer.status, { 'content-type': 'text/plain', ...answer.headers });
  response.end(answer.body ?? '');
}
