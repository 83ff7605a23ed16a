/** Benchmarks with several areas: all of them, or those that `--area=<name>` names; `--full` for the great sizes. */

import { parseArguments } from './options.ts';
import type { Row } from './row.ts';

export type Area = (full: boolean) => Promise<readonly Row[]>;

export async function runAreas(areas: Readonly<Record<string, Area>>): Promise<readonly Row[]> {
  const full = process.argv.includes('--full');
  const chosen = parseArguments(process.argv.slice(2)).values.get('--area') ?? [];
  const unknown = chosen.filter((name) => !(name in areas));
  if (unknown.length > 0) {
    throw new Error(
      `unknown area ${unknown.join(', ')}; there are ${Object.keys(areas).join(', ')}`,
    );
  }
  const rows: Row[] = [];
  for (const [name, area] of Object.entries(areas)) {
    if (chosen.length === 0 || chosen.includes(name)) rows.push(...(await area(full)));
  }
  return rows;
}
