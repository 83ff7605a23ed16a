/**
 * Stands between the installer and EC2, counts the calls, and ends the process that makes them at one of them: before it
 * is carried out, or after it was and before the answer comes back. All on loopback.
 */

import { once } from 'node:events';
import {
  createServer,
  request,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Ec2Moment {
  /** Which call: the first of this name, or the one of this index, from 0 on. */
  readonly at: string | number;
  readonly when: 'before' | 'after';
}

interface Watch {
  readonly moment: Ec2Moment;
  readonly kill: AbortController;
  readonly calls: string[];
}

export class Ec2Gate {
  readonly #target: URL;
  readonly #server: Server;
  #watch: Watch | undefined;

  private constructor(target: URL) {
    this.#target = target;
    this.#server = createServer((incoming, response) => {
      this.#passes(incoming, response).catch(() => response.destroy());
    });
  }

  static async open(endpoint: string): Promise<Ec2Gate> {
    const gate = new Ec2Gate(new URL(endpoint));
    gate.#server.listen(0, '127.0.0.1');
    await once(gate.#server, 'listening');
    return gate;
  }

  get endpoint(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  /** @returns what ends the next process at that moment, and the names of its calls as far as it comes. */
  watch(moment: Ec2Moment): {
    readonly killedBy: AbortSignal;
    readonly calls: readonly string[];
  } {
    const watch = { moment, kill: new AbortController(), calls: [] };
    this.#watch = watch;
    return { killedBy: watch.kill.signal, calls: watch.calls };
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #passes(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bytesOf(incoming);
    const watch = this.#comesTo(new URLSearchParams(body.toString()).get('Action') ?? '');
    const end = (): void => {
      watch?.kill.abort();
      response.destroy();
    };
    if (watch?.moment.when === 'before') return end();
    const answer = await this.#forward(incoming, body);
    const answered = await bytesOf(answer);
    if (watch !== undefined) return end();
    response.writeHead(answer.statusCode ?? 502, answer.headers).end(answered);
  }

  /** Counts a call; gives the watch when its moment has come. What is under way beside it still gets through. */
  #comesTo(action: string): Watch | undefined {
    const watch = this.#watch;
    if (watch === undefined) return undefined;
    const index = watch.calls.push(action) - 1;
    if (watch.moment.at !== index && watch.moment.at !== action) return undefined;
    this.#watch = undefined;
    return watch;
  }

  async #forward(
    { method, url, headers }: IncomingMessage,
    body: Buffer,
  ): Promise<IncomingMessage> {
    const outgoing = request(new URL(url ?? '/', this.#target), { method, headers });
    outgoing.end(body);
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    return answer;
  }
}

async function bytesOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
