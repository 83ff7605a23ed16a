/**
 * `npm run sim -- --seed S --steps N`: one run, the same every time. With `--seeds K` it runs K seeds from S
 * on. Exit code 1 when an invariant was violated; the report then ends with the command that repeats it.
 */

import { parseArgs } from 'node:util';
import { simulate } from './simulation.ts';

const USAGE = 'Usage: npm run sim -- [--seed S] [--seeds K] [--steps N] [--no-faults] [--json]\n';

function wholeNumber(name: string, text: string): number {
  if (!/^\d+$/.test(text) || Number(text) > 2 ** 32 - 1) {
    process.stderr.write(`--${name} takes a whole number, not '${text}'\n${USAGE}`);
    process.exit(2);
  }
  return Number(text);
}

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    steps: { type: 'string', default: '5000' },
    'no-faults': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const first = wholeNumber('seed', values.seed);
const count = wholeNumber('seeds', values.seeds);
const steps = wholeNumber('steps', values.steps);
let violations = 0;
for (let seed = first; seed < first + count; seed++) {
  const result = simulate({ seed, steps, faults: !values['no-faults'] });
  if (result.violation !== undefined) violations += 1;
  if (values.json) {
    const { recentTrace: _trace, ...facts } = result;
    process.stdout.write(`${JSON.stringify(facts)}\n`);
    continue;
  }
  const outcome = result.violation === undefined ? 'ok' : `VIOLATION: ${result.violation}`;
  process.stdout.write(
    `seed ${seed}: ${result.steps} steps, ${result.faultsInjected} faults, ${result.tasksLaunched} tasks, ${result.updatesSeen} updates, trace ${result.traceHash}: ${outcome}\n`,
  );
  if (result.violation !== undefined) {
    for (const line of result.recentTrace) process.stdout.write(`    ${line}\n`);
    process.stdout.write(`repeat it: npm run sim -- --seed ${seed} --steps ${steps}\n`);
  }
}
process.exitCode = violations === 0 ? 0 : 1;
