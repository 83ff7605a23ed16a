/**
 * An agent of one endpoint for tests of executors: it opens event streams on SUBSCRIBE, records calls, and
 * refuses or breaks what the test wants.
 */

import type { ServerResponse } from 'node:http';
import { decodeAs, encodeAs, encodeRecord, executor, MEDIA_TYPES, type Encoding } from '@dcos/wire';
import { FakeServer, type FakeRequest } from './fake-server.ts';

export interface ExecutorStream {
  send(event: executor.Event): void;
  end(): void;
}

export class FakeAgent extends FakeServer {
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

  static start(): Promise<FakeAgent> {
    return new FakeAgent().listen();
  }

  protected answer({ request, response, encoding, body }: FakeRequest): void {
    const call = decodeAs(encoding, executor.CallType, body, (bytes) =>
      new TextDecoder().decode(bytes),
    );
    this.authorizations.push(request.headers.authorization);
    if (call.type === 'SUBSCRIBE') this.#subscribe(call, response, encoding);
    else {
      this.calls.push(call);
      response.writeHead(this.onCall?.(call) ?? 202).end();
    }
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
