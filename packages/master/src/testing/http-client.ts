/**
 * A scheduler, an operator and an agent over real sockets, for tests of the master's shell.
 */

import { once } from 'node:events';
import {
  request,
  type Agent,
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from 'node:http';
import { WebSocket } from 'ws';
import { present } from '@dcos/base';
import {
  agentProtocol,
  createRecordDecoder,
  decode,
  decodeAs,
  encode,
  MEDIA_TYPES,
  type Encoding,
  type MessageType,
} from '@dcos/wire';
import { AGENT_CAPABILITIES } from './world.ts';

/** How long a test waits for something before it says what it has seen instead. */
const PATIENCE_MS = 10_000;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
}

export interface Sending {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Keeps the connection; each request has one of its own otherwise. */
  readonly agent?: Agent;
}

/** One request and its whole answer. */
export async function send(url: string, sending: Sending = {}): Promise<Answer> {
  const [response] = await begin(url, sending);
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const whole = Buffer.concat(chunks);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: whole,
    text: whole.toString(),
  };
}

async function begin(
  url: string,
  sending: Sending,
): Promise<readonly [IncomingMessage, ClientRequest]> {
  const { method = 'GET', headers = {}, body, agent = false } = sending;
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const outgoing = request(url, { method, headers: { ...headers, ...length }, agent });
  outgoing.end(body);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  outgoing.on('error', () => undefined);
  return [response, outgoing];
}

/** POST of a JSON value. */
export function postJson(
  url: string,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return send(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof value === 'string' ? value : JSON.stringify(value),
  });
}

/** Things that arrived, and a way to wait for one of them. */
export class Inbox<T> {
  readonly all: T[] = [];
  #waiting: (() => void)[] = [];
  #ended = false;

  push(item: T): void {
    this.all.push(item);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Resolves with the first item, seen or to come, that the test wants. */
  async find(what: string, wanted: (item: T) => boolean): Promise<T> {
    let next = 0;
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      for (; next < this.all.length; next++) {
        const item = this.all[next] as T;
        if (wanted(item)) return item;
      }
      if (this.#ended || Date.now() > deadline) {
        throw new Error(`no ${what} in ${JSON.stringify(this.all).slice(0, 4000)}`);
      }
      await this.#change(deadline);
    }
  }

  async untilEnd(): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    while (!this.#ended) {
      if (Date.now() > deadline) throw new Error('the stream did not end');
      await this.#change(deadline);
    }
  }

  #change(deadline: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(1, deadline - Date.now()));
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

export interface EventStream<T> {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly events: Inbox<T>;
  close(): void;
}

/** Subscribes; the events arrive in the inbox. */
export async function openStream<T>(
  url: string,
  call: Uint8Array | string,
  options: {
    readonly type: MessageType<T>;
    readonly encoding: Encoding;
    readonly headers?: Readonly<Record<string, string>>;
  },
): Promise<EventStream<T>> {
  const media = MEDIA_TYPES[options.encoding];
  const [response, outgoing] = await begin(url, {
    method: 'POST',
    headers: { 'content-type': media, accept: media, ...options.headers },
    body: call,
  });
  const events = new Inbox<T>();
  const decoder = createRecordDecoder();
  const text = new TextDecoder();
  response.on('data', (chunk: Buffer) => {
    // A refusal is text, not records.
    if (response.statusCode !== 200) return;
    for (const record of decoder.push(chunk)) {
      events.push(decodeAs(options.encoding, options.type, record, (bytes) => text.decode(bytes)));
    }
  });
  response.on('close', () => events.end());
  response.on('error', () => undefined);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    events,
    close: () => void outgoing.destroy(),
  };
}

export interface FakeAgent {
  readonly frames: Inbox<agentProtocol.ToAgent>;
  send(frame: agentProtocol.ToMaster): void;
  sendRaw(data: Uint8Array | string): void;
  close(): void;
}

/** Opens an agent's connection. */
export async function connectAgent(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<FakeAgent> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/api/agent`, {
    headers: { 'x-dcos-agent-protocol': '1', ...headers },
  });
  const frames = new Inbox<agentProtocol.ToAgent>();
  socket.on('message', (data: Buffer) =>
    frames.push(decode(agentProtocol.ToAgentType, new Uint8Array(data))),
  );
  socket.on('close', () => frames.end());
  await once(socket, 'open');
  return {
    frames,
    send: (frame) => socket.send(encode(agentProtocol.ToMasterType, frame)),
    sendRaw: (data) => socket.send(data),
    close: () => socket.terminate(),
  };
}

/** An agent that has registered, with capabilities of ours where the test does not say otherwise. */
export async function registerAgent(
  url: string,
  register: Partial<agentProtocol.Register> & Pick<agentProtocol.Register, 'agent_info'>,
): Promise<FakeAgent & { readonly id: string }> {
  const agent = await connectAgent(url);
  agent.send({
    type: 'REGISTER',
    register: {
      protocol: 1,
      version: '0.1.0',
      ip: '127.0.0.1',
      capabilities: AGENT_CAPABILITIES,
      ...register,
    },
  });
  const { registered } = await agent.frames.find('REGISTERED', ({ type }) => type === 'REGISTERED');
  return { ...agent, id: present(registered, 'registered').agent_id.value };
}
