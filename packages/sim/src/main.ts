/**
 * `npm run sim -- --seed S --steps N`: one run, the same every time. With `--seeds K` it runs K seeds from S
 * on. Exit code 1 when an invariant was violated; the report then ends with the command that repeats it.
 */

import { parseArgs } from 'node:util';
import { simulate, type SimulationResult } from './simulation.ts';

const USAGE = 'Usage: npm run sim -- [--seed S] [--seeds K] [--steps N] [--no-faults] [--json]\n';
/** From this many seeds on, a line sums up a part of them instead of one line for each. */
const SEEDS_LISTED_MAX = 50;
/** Lines of progress that a long run prints. */
const PROGRESS_LINES = 20;

function wholeNumber(name: string, text: string): number {
  if (!/^\d+$/.test(text) || Number(text) > 2 ** 32 - 1) {
    process.stderr.write(`--${name} takes a whole number, not '${text}'\n${USAGE}`);
    process.exit(2);
  }
  return Number(text);
}

function reportOne(result: SimulationResult): void {
  const outcome = result.violation === undefined ? 'ok' : `VIOLATION: ${result.violation}`;
  process.stdout.write(
    `seed ${result.seed}: ${result.steps} steps, ${result.faultsInjected} faults, ${result.tasksLaunched} tasks, ${result.updatesSeen} updates, trace ${result.traceHash}: ${outcome}\n`,
  );
}

function reportViolation(result: SimulationResult, options: string): void {
  for (const line of result.recentTrace) process.stdout.write(`    ${line}\n`);
  process.stdout.write(`repeat it: npm run sim -- --seed ${result.seed} ${options}\n`);
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
const faults = !values['no-faults'];
const repeatOptions = `--steps ${steps}${faults ? '' : ' --no-faults'}`;
const progressEvery = Math.ceil(count / PROGRESS_LINES);
let violations = 0;
let stepsDone = 0;
for (let done = 1; done <= count; done++) {
  const result = simulate({ seed: first + done - 1, steps, faults });
  const isViolated = result.violation !== undefined;
  if (isViolated) violations += 1;
  stepsDone += result.steps;
  if (values.json) {
    const { recentTrace: _trace, ...facts } = result;
    process.stdout.write(`${JSON.stringify(facts)}\n`);
    continue;
  }
  if (isViolated || count <= SEEDS_LISTED_MAX) reportOne(result);
  if (isViolated) reportViolation(result, repeatOptions);
  if (count > SEEDS_LISTED_MAX && (done % progressEvery === 0 || done === count)) {
    process.stdout.write(
      `${done} of ${count} seeds, ${stepsDone} steps, ${violations} violations\n`,
    );
  }
}
process.exitCode = violations === 0 ? 0 : 1;
