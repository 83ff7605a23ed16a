/** One line of a benchmark's table: a figure, or why there is none on this machine. */

export type Row = Figure | Gap;

export interface Gap {
  readonly what: string;
  readonly unavailable: string;
}

export interface Figure {
  readonly what: string;
  readonly unit: 's' | 'ms' | 'µs' | 'MB' | '/s' | 'exponent' | 'tasks' | 'rounds' | 'hosts' | '%';
  readonly median: number;
  readonly least: number;
  readonly greatest: number;
  /** The budget of docs/budgets.md, or empty. */
  readonly budget: string;
}

/** Sums up samples; throws when there are none, since a figure without a measurement is none. */
export function row(
  what: string,
  unit: Figure['unit'],
  samples: readonly number[],
  budget: string,
): Figure {
  const sorted = [...samples].sort((left, right) => left - right);
  const [least] = sorted;
  const greatest = sorted.at(-1);
  const median = sorted[Math.floor(sorted.length / 2)];
  if (least === undefined || greatest === undefined || median === undefined) {
    throw new Error(`${what}: no samples`);
  }
  return { what, unit, median, least, greatest, budget };
}

/** The value that a share of the samples does not exceed. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((left, right) => left - right);
  const value = sorted[Math.ceil(sorted.length * share) - 1];
  if (value === undefined) throw new Error('no samples');
  return value;
}
