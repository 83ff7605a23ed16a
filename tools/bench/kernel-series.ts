/** Costs of one kind of work at several sizes, and the power by which the cost of one object grows. */

import { longestStallMs } from './kernel-master.ts';
import { row, type Row } from './row.ts';

/** The clock of processor time goes in steps of some milliseconds; below this it says little. */
const PROCESSOR_MS_MIN = 20;

export interface Cost {
  readonly elapsedMs: number;
  /** Of this thread. */
  readonly processorMs: number;
  readonly stallMs?: number;
}

/** What something costs that takes no turn of the event loop. */
export function costOf(run: () => void): Cost {
  const before = process.threadCpuUsage();
  const startedMs = performance.now();
  run();
  const elapsedMs = performance.now() - startedMs;
  const { user, system } = process.threadCpuUsage(before);
  const processorMs = (user + system) / 1000;
  return { elapsedMs, processorMs: processorMs < PROCESSOR_MS_MIN ? elapsedMs : processorMs };
}

/** What something costs that happens elsewhere too; `run` may say how long it took as it was seen there. */
export async function costOfTurns(
  run: () => Promise<{ readonly elapsedMs: number } | void>,
): Promise<Cost> {
  const before = process.threadCpuUsage();
  const startedMs = performance.now();
  const seen: number[] = [];
  const stallMs = await longestStallMs(async () => {
    const answer = await run();
    seen.push(answer?.elapsedMs ?? performance.now() - startedMs);
  });
  const { user, system } = process.threadCpuUsage(before);
  return { elapsedMs: seen[0] ?? 0, processorMs: (user + system) / 1000, stallMs };
}

export class Series {
  readonly #what: string;
  readonly #costs: { readonly objects: number; readonly cost: Cost }[] = [];

  constructor(what: string) {
    this.#what = what;
  }

  add(objects: number, cost: Cost): void {
    this.#costs.push({ objects, cost });
  }

  rows(): readonly Row[] {
    const each = this.#costs.map(({ objects, cost }) => ({
      objects,
      microseconds: (cost.processorMs * 1000) / objects,
    }));
    const rows = this.#costs.flatMap(({ objects, cost: { elapsedMs, stallMs } }, index) => [
      row(`${this.#what}, ${objects}`, '/s', [objects / (elapsedMs / 1000)], ''),
      row('  processor time of each', 'µs', [each[index]?.microseconds ?? 0], ''),
      ...(stallMs === undefined ? [] : [row('  longest stall', 'ms', [stallMs], '')]),
    ]);
    const [first] = each;
    const last = each.at(-1);
    if (first === undefined || last === undefined || first === last) return rows;
    return [...rows, growth(first, last)];
  }
}

export interface CostOfEach {
  readonly objects: number;
  readonly microseconds: number;
}

/** The power of the number of objects by which the cost of one grows. */
export function growth(first: CostOfEach, last: CostOfEach): Row {
  const exponent =
    Math.log(last.microseconds / first.microseconds) / Math.log(last.objects / first.objects);
  return row('  growth of the cost of each', 'exponent', [exponent], '0');
}
