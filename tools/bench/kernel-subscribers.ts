/** Operators who follow the master's event stream, and what it costs to tell all of them of many agents. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { newAgentFrame } from './kernel-agents.ts';
import { startBenchMaster } from './kernel-master.ts';
import { BenchPeer } from './kernel-peer.ts';
import { costOfTurns, Series } from './kernel-series.ts';
import type { Row } from './row.ts';

const SIZES = {
  small: [
    { subscribers: 50, agents: 1_000 },
    { subscribers: 200, agents: 1_000 },
  ],
  full: [
    { subscribers: 100, agents: 10_000 },
    { subscribers: 1_000, agents: 10_000 },
  ],
} as const;
/** Agents that register in one turn. */
const AGENTS_PER_TURN = 10;
const LAST = 'the-last-one.example';

const REQUEST = JSON.stringify({ type: 'SUBSCRIBE' });
const HEAD = [
  'POST /api/v1 HTTP/1.1',
  'host: 127.0.0.1',
  'content-type: application/json',
  `content-length: ${REQUEST.length}`,
  '',
  REQUEST,
].join('\r\n');

/** Subscribers that only look for the last event, so that their own cost is small. */
export class FakeSubscribers {
  readonly #sockets: { readonly socket: Socket; readonly sawLast: Promise<void> }[] = [];

  async subscribe(url: string, count: number): Promise<void> {
    for (let index = 0; index < count; index++) {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      socket.write(HEAD);
      await once(socket, 'data');
      const last = Promise.withResolvers<void>();
      let tail = Buffer.alloc(0);
      socket.on('data', (chunk: Buffer) => {
        // The text may be cut by the border of two chunks.
        const seam = Buffer.concat([tail, chunk.subarray(0, LAST.length)]);
        if (chunk.includes(LAST) || seam.includes(LAST)) last.resolve();
        tail = Buffer.from(chunk.subarray(-LAST.length));
      });
      socket.on('close', () => last.reject(new Error('a subscriber was cut off')));
      last.promise.catch(() => undefined);
      this.#sockets.push({ socket, sawLast: last.promise });
    }
  }

  async untilLast(): Promise<void> {
    await Promise.all(this.#sockets.map(({ sawLast }) => sawLast));
  }
}

export async function benchmarkSubscribers(full: boolean): Promise<readonly Row[]> {
  const series = new Series('events delivered to subscribers (events × subscribers)');
  for (const { subscribers, agents } of full ? SIZES.full : SIZES.small) {
    const master = await startBenchMaster();
    const peer = new BenchPeer();
    const { url } = master;
    await peer.run({ url, kind: 'subscribe', subscribers });
    const seen = peer.run({ url, kind: 'follow' });
    const cost = await costOfTurns(async () => {
      for (let agent = 0; agent < agents; agent++) {
        const frame = newAgentFrame(agent, agent === agents - 1 ? LAST : undefined);
        master.frame(agent, frame);
        if (agent % AGENTS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      await seen;
    });
    series.add(agents * subscribers, cost);
    await peer.close();
    await master.close();
  }
  return series.rows();
}
