/** One line of a benchmark's table. */

export interface Row {
  readonly what: string;
  readonly unit: 'ms' | 'µs' | 'MB' | '/s' | 'exponent' | 'tasks' | 'rounds' | '%';
  readonly median: number;
  readonly least: number;
  readonly greatest: number;
  /** The budget of docs/budgets.md, or empty. */
  readonly budget: string;
}

/** Sums up samples; throws when there are none, since a figure without a measurement is none. */
export function row(
  what: string,
  unit: Row['unit'],
  samples: readonly number[],
  budget: string,
): Row {
  const sorted = [...samples].sort((left, right) => left - right);
  const [least] = sorted;
  const greatest = sorted.at(-1);
  const median = sorted[Math.floor(sorted.length / 2)];
  if (least === undefined || greatest === undefined || median === undefined) {
    throw new Error(`${what}: no samples`);
  }
  return { what, unit, median, least, greatest, budget };
}
