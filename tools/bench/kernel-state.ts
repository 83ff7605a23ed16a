/**
 * What reading the whole state costs: until the last byte, in stalls of the event loop, and for `/health` of
 * those who ask meanwhile.
 */

import { MEDIA_TYPES } from '@dcos/wire';
import { BenchClient, type Load, type Timing } from './kernel-client.ts';
import {
  fillMaster,
  heldMegabytes,
  longestStallMs,
  startBenchMaster,
  type Fill,
} from './kernel-master.ts';
import { row, type Row } from './row.ts';

const READS = 5;
const POLLING_CLIENTS = 5;
const READS_PER_CLIENT = 3;
const QUANTILE = 0.99;

/** Agents, frameworks, tasks and completed tasks of each framework; the budget is for the last. */
const SMALL: readonly Fill[] = [
  { agents: 1_000, frameworks: 10, running: 1_000, completed: 1_000, labels: 2 },
];
const FULL: readonly Fill[] = [
  { agents: 1_000, frameworks: 10, running: 1_000, completed: 1_000, labels: 2 },
  { agents: 10_000, frameworks: 50, running: 1_000, completed: 1_000, labels: 2 },
  { agents: 10_000, frameworks: 100, running: 1_000, completed: 1_000, labels: 2 },
  { agents: 40_000, frameworks: 100, running: 1_000, completed: 1_000, labels: 2 },
];

const JSON_TYPE = MEDIA_TYPES.json;
const READINGS = [
  { what: '/state', path: '/state', accept: undefined },
  { what: 'GET_STATE JSON', path: '/api/v1', accept: JSON_TYPE },
  { what: 'GET_STATE protobuf', path: '/api/v1', accept: MEDIA_TYPES.protobuf },
] as const;

export async function benchmarkState(full: boolean): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const fill of full ? FULL : SMALL) rows.push(...(await benchmarkFill(fill)));
  return rows;
}

async function benchmarkFill(fill: Fill): Promise<readonly Row[]> {
  const beforeMegabytes = await heldMegabytes();
  const master = await startBenchMaster();
  await fillMaster(master, fill);
  const client = new BenchClient();
  const tasks = fill.frameworks * fill.running;
  const size = `${fill.agents} agents, ${tasks} tasks and as many completed`;
  const rows: Row[] = [
    row(`memory held, ${size}`, 'MB', [(await heldMegabytes()) - beforeMegabytes], ''),
  ];
  const budget = tasks === 100_000 && fill.agents === 10_000;
  try {
    for (const { what, path, accept } of READINGS) {
      const read = (times: number): Promise<Timing> =>
        client.run({ ...loadOf(master.url + path, accept), times });
      const timings: Timing[] = [];
      const coldStallMs = await longestStallMs(async () => timings.push(await read(1)));
      const stallMs = await longestStallMs(async () => timings.push(await read(READS)));
      const [first, later] = timings.map(({ elapsedMs }) => elapsedMs);
      rows.push(
        row(`${what}, first read, ${size}`, 'ms', first ?? [], budget ? '1500 ms' : ''),
        row(`${what}, later reads`, 'ms', later ?? [], budget ? '1500 ms' : ''),
        row(`${what}, longest stall`, 'ms', [coldStallMs, stallMs], budget ? '50 ms' : ''),
        row(`${what}, size`, 'MB', [(timings[1]?.bytes ?? 0) / 1e6], ''),
        row(
          `memory held with what was read`,
          'MB',
          [(await heldMegabytes()) - beforeMegabytes],
          '',
        ),
      );
    }
    rows.push(...(await benchmarkHealth(master.url, client, size, budget)));
  } finally {
    await client.close();
    await master.close();
  }
  return rows;
}

function loadOf(url: string, accept: string | undefined): Omit<Load, 'times'> {
  if (accept === undefined) return { url, method: 'GET' };
  const headers = { 'content-type': JSON_TYPE, accept };
  return { url, method: 'POST', headers, body: JSON.stringify({ type: 'GET_STATE' }) };
}

/** `/health` while clients poll `/state`. */
async function benchmarkHealth(
  url: string,
  prober: BenchClient,
  size: string,
  budget: boolean,
): Promise<readonly Row[]> {
  const clients = Array.from({ length: POLLING_CLIENTS }, () => new BenchClient());
  const polling = { is: true };
  const polls = Promise.all(
    clients.map((client) =>
      client.run({ url: `${url}/state`, method: 'GET', times: READS_PER_CLIENT }),
    ),
  ).finally(() => {
    polling.is = false;
  });
  const health: number[] = [];
  while (polling.is) {
    const { elapsedMs } = await prober.run({ url: `${url}/health`, method: 'GET', times: 10 });
    health.push(...elapsedMs);
  }
  const reads = (await polls).flatMap(({ elapsedMs }) => elapsedMs);
  for (const client of clients) await client.close();
  const sorted = [...health].sort((left, right) => left - right);
  const quantile = sorted[Math.floor(sorted.length * QUANTILE)] ?? 0;
  return [
    row(`/state with ${POLLING_CLIENTS} clients, ${size}`, 'ms', reads, ''),
    row('/health meanwhile', 'ms', health, ''),
    row('/health meanwhile, p99', 'ms', [quantile], budget ? '50 ms' : ''),
  ];
}
