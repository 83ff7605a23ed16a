/**
 * `npm run bench -- <name>…`: measures what the README and the architecture give budgets for, on this
 * machine, and prints a table. Without a name it runs all. `--json` prints one object a row.
 */

import { benchmarkAgent } from './agent.ts';
import { benchmarkAllocation } from './allocation.ts';
import { benchmarkCommandLine } from './command-line.ts';
import { benchmarkDeploy } from './deploy.ts';
import { benchmarkFailover } from './failover.ts';
import { benchmarkInstaller } from './installer.ts';
import { benchmarkKernel } from './kernel.ts';
import { benchmarkNames } from './names.ts';
import { benchmarkMarathon } from './marathon.ts';
import { parseArguments } from './options.ts';
import { benchmarkRelease } from './release.ts';
import { benchmarkStart } from './start.ts';
import { benchmarkTasks } from './tasks.ts';
import type { Row } from './row.ts';

const BENCHMARKS: Readonly<Record<string, () => Promise<readonly Row[]>>> = {
  start: benchmarkStart,
  release: benchmarkRelease,
  deploy: benchmarkDeploy,
  names: benchmarkNames,
  'command-line': benchmarkCommandLine,
  allocation: benchmarkAllocation,
  kernel: benchmarkKernel,
  failover: benchmarkFailover,
  installer: benchmarkInstaller,
  marathon: benchmarkMarathon,
  tasks: benchmarkTasks,
  agent: benchmarkAgent,
};

const args = process.argv.slice(2);
const json = args.includes('--json');
const { names } = parseArguments(args);
const unknown = names.filter((name) => !(name in BENCHMARKS));
if (unknown.length > 0) {
  process.stderr.write(
    `unknown benchmark ${unknown.join(', ')}; there are ${Object.keys(BENCHMARKS).join(', ')}\n`,
  );
  process.exit(2);
}

const rows: Row[] = [];
for (const [name, benchmark] of Object.entries(BENCHMARKS)) {
  if (names.length > 0 && !names.includes(name)) continue;
  if (!json) process.stderr.write(`running ${name} …\n`);
  rows.push(...(await benchmark()));
}

if (json) {
  for (const row of rows) process.stdout.write(`${JSON.stringify(row)}\n`);
} else {
  const cells = rows.map((row) =>
    'unavailable' in row
      ? [row.what, 'not available', row.unavailable]
      : [
          row.what,
          `${format(row.median)} ${row.unit}`,
          `${format(row.least)} – ${format(row.greatest)}`,
          row.budget,
        ],
  );
  const table = [['what', 'median', 'range', 'budget'], ...cells];
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(...table.map((line) => line[column]?.length ?? 0)),
  );
  for (const line of table) {
    process.stdout.write(
      `${line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd()}\n`,
    );
  }
}

function format(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(1);
}
