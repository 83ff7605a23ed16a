/**
 * `npm run sim -- --seed S --steps N`: one run, the same every time. With `--seeds K` it runs K seeds from S
 * on, with `--world masters` in the world of several masters over an ensemble. With `--explore` it goes through all orders of events of small clusters up to `--depth N`. Exit code 1
 * when an invariant was violated; the report then ends with the command that repeats it.
 */

import { parseArgs } from 'node:util';
import { explore } from './explore.ts';
import { simulateMasters } from './masters/masters-simulation.ts';
import { SCENARIOS } from './scenarios.ts';
import { simulate, type SimulationResult } from './simulation.ts';

const USAGE = `Usage: npm run sim -- [--world registry|masters] [--seed S] [--seeds K] [--steps N] [--no-faults] [--json]
       npm run sim -- --explore [--depth N] [--scenario NAME] [--json]
`;
/** From this many seeds on, a line sums up a part of them instead of one line for each. */
const SEEDS_LISTED_MAX = 50;
/** Lines of progress that a long run prints. */
const PROGRESS_LINES = 20;
/** Distinct states of one exploration; more do not fit into memory comfortably. */
const STATES_MAX = 2_000_000;
const REST_EVERY = 10;

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

/** Ways to run a seed, by the name of the world. */
const WORLDS = {
  registry: async (options: RunOptions) => simulate(options),
  masters: async (options: RunOptions) => await simulateMasters(options),
} as const;
type WorldName = keyof typeof WORLDS;

interface RunOptions {
  readonly seed: number;
  readonly steps: number;
  readonly faults: boolean;
}

function worldName(text: string): WorldName {
  if (text === 'registry' || text === 'masters') return text;
  process.stderr.write(`--world takes 'registry' or 'masters', not '${text}'\n${USAGE}`);
  return process.exit(2);
}

interface SeedOptions {
  readonly world: WorldName;
  readonly first: number;
  readonly count: number;
  readonly steps: number;
  readonly faults: boolean;
  readonly json: boolean;
}

/** Runs seeds one after the other. Returns the number of violations. */
async function runSeeds(options: SeedOptions): Promise<number> {
  const { world, first, count, steps, faults, json } = options;
  const progressEvery = Math.ceil(count / PROGRESS_LINES);
  let violations = 0;
  let stepsDone = 0;
  for (let done = 1; done <= count; done++) {
    const result = await WORLDS[world]({ seed: first + done - 1, steps, faults });
    const isViolated = result.violation !== undefined;
    if (isViolated) violations += 1;
    stepsDone += result.steps;
    if (json) {
      const { recentTrace: _trace, ...facts } = result;
      process.stdout.write(`${JSON.stringify(facts)}\n`);
      continue;
    }
    if (isViolated || count <= SEEDS_LISTED_MAX) reportOne(result);
    if (isViolated) {
      const where = world === 'registry' ? '' : ` --world ${world}`;
      reportViolation(result, `--steps ${steps}${where}${faults ? '' : ' --no-faults'}`);
    }
    if (count > SEEDS_LISTED_MAX && (done % progressEvery === 0 || done === count)) {
      process.stdout.write(
        `${done} of ${count} seeds, ${stepsDone} steps, ${violations} violations\n`,
      );
    }
  }
  return violations;
}

interface ExplorationOptions {
  readonly depth: number;
  /** All of them when absent. */
  readonly scenarioName: string | undefined;
  readonly json: boolean;
}

/** Explores the scenarios. Returns the number of violations. */
function runExploration({ depth, scenarioName, json }: ExplorationOptions): number {
  const chosen = SCENARIOS.filter(({ name }) => (scenarioName ?? name) === name);
  if (chosen.length === 0) {
    const names = SCENARIOS.map(({ name }) => `'${name}'`).join(', ');
    process.stderr.write(`--scenario takes one of ${names}, not '${scenarioName}'\n${USAGE}`);
    process.exit(2);
  }
  let violations = 0;
  for (const scenario of chosen) {
    const result = explore({ scenario, depth, statesMax: STATES_MAX, restEvery: REST_EVERY });
    const { states, transitions, schedules, rests, isComplete, violation } = result;
    if (violation !== undefined) violations += 1;
    if (json) {
      process.stdout.write(`${JSON.stringify(result)}\n`);
      continue;
    }
    const extent = isComplete ? 'all' : 'cut off, the first';
    process.stdout.write(
      `${scenario.name}, depth ${depth}: ${extent} ${states} states, ${transitions} transitions, ${schedules} schedules, ${rests} led to rest: ${violation === undefined ? 'ok' : `VIOLATION: ${violation.text}`}\n`,
    );
    if (violation === undefined) continue;
    for (const choice of violation.schedule) process.stdout.write(`    ${choice}\n`);
    process.stdout.write(
      `repeat it: npm run sim -- --explore --depth ${depth} --scenario '${scenario.name}'\n`,
    );
  }
  return violations;
}

const { values } = parseArgs({
  options: {
    world: { type: 'string', default: 'registry' },
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    steps: { type: 'string', default: '5000' },
    'no-faults': { type: 'boolean', default: false },
    explore: { type: 'boolean', default: false },
    depth: { type: 'string', default: '8' },
    scenario: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const violations = values.explore
  ? runExploration({
      depth: wholeNumber('depth', values.depth),
      scenarioName: values.scenario,
      json: values.json,
    })
  : await runSeeds({
      world: worldName(values.world),
      first: wholeNumber('seed', values.seed),
      count: wholeNumber('seeds', values.seeds),
      steps: wholeNumber('steps', values.steps),
      faults: !values['no-faults'],
      json: values.json,
    });
process.exitCode = violations === 0 ? 0 : 1;
