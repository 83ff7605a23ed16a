/**
 * A framework as a stranger would write it: the v1 scheduler API over `node:http`, in JSON or in protobuf by
 * another library than ours. It shares no code with the master that it speaks to.
 */

import { request, type IncomingMessage } from 'node:http';
import { loadRoot } from '@dcos/wire/testing/independent-root';
import { waitFor } from '@dcos/testkit';

// Messages are plain objects: a stranger has no types of ours.
export type Plain = { readonly [field: string]: PlainValue };
export type PlainValue =
  | string
  | number
  | boolean
  | Uint8Array
  | Plain
  | readonly PlainValue[]
  | undefined;

export interface RawCodec {
  readonly mediaType: string;
  readonly encode: (call: Plain) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => Plain;
}

export const jsonCodec: RawCodec = {
  mediaType: 'application/json',
  encode: (call) => Buffer.from(JSON.stringify(call)),
  decode: (bytes) => JSON.parse(Buffer.from(bytes).toString()) as Plain,
};

/** Protobuf as protobufjs writes and reads it. */
export function protobufCodec(): RawCodec {
  const root = loadRoot();
  const call = root.lookupType('mesos.v1.scheduler.Call');
  const event = root.lookupType('mesos.v1.scheduler.Event');
  return {
    mediaType: 'application/x-protobuf',
    encode: (message) => call.encode(call.fromObject(message)).finish(),
    decode: (bytes) => event.toObject(event.decode(bytes), { enums: String, longs: Number }),
  };
}

/** The value at a path such as `offers.offers.0`; undefined when there is none. */
export function at(value: PlainValue, path: string): PlainValue {
  let inner: PlainValue = value;
  for (const step of path.split('.')) {
    if (typeof inner !== 'object' || inner instanceof Uint8Array) return undefined;
    inner = (inner as Plain)[step];
  }
  return inner;
}

/** One subscription and the calls made on it. */
export class RawStream {
  readonly events: Plain[] = [];
  readonly status: number;
  readonly streamId: string;
  ended = false;
  readonly #url: string;
  readonly #codec: RawCodec;
  #left: Buffer = Buffer.alloc(0);

  private constructor(url: string, codec: RawCodec, response: IncomingMessage) {
    this.#url = url;
    this.#codec = codec;
    this.status = response.statusCode ?? 0;
    this.streamId = String(response.headers['mesos-stream-id']);
    response.on('data', (chunk: Buffer) => this.#take(chunk));
    response.on('close', () => (this.ended = true));
  }

  static async subscribe(url: string, codec: RawCodec, call: Plain): Promise<RawStream> {
    return new RawStream(url, codec, await post(url, codec, call));
  }

  /** Acknowledges every update of this stream, once, until the returned function is called. */
  acknowledgeAll(): () => void {
    let next = 0;
    const timer = setInterval(() => {
      for (; next < this.events.length; next++) {
        const status = at(this.events[next], 'update.status') as Plain | undefined;
        if (status?.['uuid'] === undefined) continue;
        const { agent_id, task_id, uuid } = status;
        // What a master that ends did not take is sent again, by whichever comes next.
        this.call({ type: 'ACKNOWLEDGE', acknowledge: { agent_id, task_id, uuid } }).catch(
          () => undefined,
        );
      }
    }, 10);
    return () => clearInterval(timer);
  }

  /** Makes a call for this framework. Resolves with the status. */
  async call(call: Plain): Promise<number> {
    const response = await post(
      this.#url,
      this.#codec,
      { framework_id: at(this.events[0], 'subscribed.framework_id'), ...call },
      this.streamId,
    );
    response.resume();
    return response.statusCode ?? 0;
  }

  /** The first event that the test wants, seen or to come. */
  async event(what: string, wanted: (event: Plain) => boolean): Promise<Plain> {
    return await waitFor(what, () => this.events.find(wanted));
  }

  /** A record is its length in decimal digits, a line feed, and so many bytes. */
  #take(chunk: Buffer): void {
    this.#left = Buffer.concat([this.#left, chunk]);
    for (;;) {
      const lineFeed = this.#left.indexOf('\n');
      if (lineFeed < 0) return;
      const end = lineFeed + 1 + Number(this.#left.toString('latin1', 0, lineFeed));
      if (this.#left.length < end) return;
      this.events.push(this.#codec.decode(this.#left.subarray(lineFeed + 1, end)));
      this.#left = this.#left.subarray(end);
    }
  }
}

function post(
  url: string,
  codec: RawCodec,
  call: Plain,
  streamId?: string,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const body = codec.encode(call);
    const outgoing = request(`${url}/api/v1/scheduler`, {
      method: 'POST',
      agent: false,
      headers: {
        'content-type': codec.mediaType,
        accept: codec.mediaType,
        'content-length': body.length,
        ...(streamId !== undefined && { 'mesos-stream-id': streamId }),
      },
    });
    outgoing.on('response', resolve);
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
