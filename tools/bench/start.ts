/** A start of the box until `ready`, and its memory then: first in a new folder, then again. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startBoxProcess, temporaryDirectory } from '@dcos/testkit';
import { row, type Row } from './row.ts';

const RUNS = 5;
/** What a start leaves behind for the collector settles within this time. */
const SETTLE_MS = 2000;

export async function benchmarkStart(): Promise<readonly Row[]> {
  const scratch = temporaryDirectory('bench-start');
  const readyMs: number[] = [];
  const residentMegabytes: number[] = [];
  const stopMs: number[] = [];
  try {
    for (let run = 0; run <= RUNS; run++) {
      const startedMs = performance.now();
      const box = await startBoxProcess(join(scratch.path, 'data'));
      const elapsedMs = performance.now() - startedMs;
      await sleep(SETTLE_MS);
      const resident = residentMegabytesOf(box.pid);
      const stoppingMs = performance.now();
      await box.stop('SIGINT');
      // The first start makes the folder and the compile cache: it is not the one that the budget is for.
      if (run === 0) continue;
      readyMs.push(elapsedMs);
      residentMegabytes.push(resident);
      stopMs.push(performance.now() - stoppingMs);
    }
  } finally {
    scratch.remove();
  }
  return [
    row('start of the box until ready', 'ms', readyMs, '3000 ms'),
    row('memory of the box when ready', 'MB', residentMegabytes, '250 MB'),
    row('stop of an idle box', 'ms', stopMs, ''),
  ];
}

function residentMegabytesOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
}
