/**
 * `npm run fuzz -- --minutes M --seed S --rate R`: random input against a running master. Exit code 1 when
 * something was violated.
 */

import { parseArgs } from 'node:util';
import { fuzz, type FuzzResult } from './fuzzer.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    rate: { type: 'string', default: '300' },
  },
});

function positive(name: keyof typeof values): number {
  const number = Number(values[name]);
  if (!Number.isFinite(number) || number <= 0) {
    process.stderr.write(`--${name} takes a number above 0\n`);
    process.exit(2);
  }
  return number;
}

function line({
  seed,
  actions,
  checks,
  kinds,
  statuses,
  heapGrowthBytes,
  violation,
}: FuzzResult): string {
  const counts = [...statuses].sort(([left], [right]) => left - right);
  const growth = (heapGrowthBytes / 2 ** 20).toFixed(1);
  const outcome = violation === undefined ? 'ok' : `VIOLATION: ${violation}`;
  return `seed ${seed}: ${actions} actions, ${kinds} kinds of requests, ${checks} checks, heap ${growth} MiB, answers ${counts.map((pair) => pair.join('×')).join(' ')}: ${outcome}\n`;
}

const result = await fuzz({
  seed: Math.floor(positive('seed')),
  durationMs: positive('minutes') * 60_000,
  rateMax: positive('rate'),
  progress: (sofar) => process.stdout.write(line(sofar)),
});
process.stdout.write(line(result));
process.exitCode = result.violation === undefined ? 0 : 1;
