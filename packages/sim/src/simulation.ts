/**
 * One run: a cluster, faults from the seed, checkers after every step, then a quiet time without faults after
 * which nothing may be left unsaid.
 */

import { checkQuiet, type Verdict } from './checkers.ts';
import { createChecker } from './cluster-checker.ts';
import { createCluster, type ClusterPlan, type Cores } from './cluster.ts';
import { injectFaults } from './faults.ts';
import { createWorld, type World } from './world.ts';

/** With the cores of all parts; the real ones when absent. */
export interface SimulationOptions extends Cores {
  readonly seed: number;
  /** Events of the world before the quiet time begins. */
  readonly steps: number;
  /** No crashes, breaks or stalls; delays and lost calls remain. */
  readonly faults: boolean;
}

export interface SimulationResult {
  readonly seed: number;
  readonly steps: number;
  /** Equal for equal options, on every machine. */
  readonly traceHash: string;
  readonly violation: string | undefined;
  readonly recentTrace: readonly string[];
  readonly tasksLaunched: number;
  readonly updatesSeen: number;
  readonly faultsInjected: number;
}

/** Virtual time after the last fault in which all must come to rest; longer than the longest retry. */
const QUIET_MS = 240_000;
/** Steps of the quiet time at most; more means that it does not come to rest. */
const QUIET_STEPS_MAX = 100_000;

/** Runs one seed to its end or to the first violation. */
export function simulate(options: SimulationOptions): SimulationResult {
  const world = createWorld(options.seed);
  const cluster = createCluster(world, planOf(world), options);
  const check = createChecker(world, cluster);
  let injected = 0;
  let faulty = options.faults;
  if (faulty) {
    cluster.console.begin(() => faulty);
    injectFaults(world, cluster, () => {
      if (faulty) injected += 1;
      return faulty;
    });
  }

  let steps = 0;
  let violation: Verdict;
  const run = (until: () => boolean): void => {
    while (violation === undefined && !until()) {
      if (!world.step()) violation = 'nothing is queued any more';
      steps += 1;
      violation ??= check();
    }
  };
  run(() => steps >= options.steps);
  if (violation === undefined) {
    world.trace('the faults stop');
    faulty = false;
    for (const { partition } of [...cluster.agents, ...cluster.frameworks, ...cluster.operators])
      partition.heal();
    for (const framework of cluster.frameworks) framework.quiesce();
    const quietUntil = world.now() + QUIET_MS;
    run(() => world.now() >= quietUntil || steps >= options.steps + QUIET_STEPS_MAX);
    violation ??= checkQuiet(
      cluster.agents,
      cluster.frameworks,
      cluster.console.everTakenDown.size > 0,
      cluster.master.core()?.state,
    );
  }
  return {
    seed: options.seed,
    steps,
    traceHash: world.traceHash(),
    violation,
    recentTrace: world.recentTrace(),
    tasksLaunched: cluster.frameworks.reduce((sum, framework) => sum + framework.launched.size, 0),
    updatesSeen: cluster.frameworks.reduce((sum, framework) => sum + framework.seen.length, 0),
    faultsInjected: injected,
  };
}

function planOf(world: World): ClusterPlan {
  return {
    agents: world.between(2, 4),
    operators: 1,
    frameworks: Array.from({ length: world.between(1, 3) }, (_, index) => ({
      name: `framework${index}`,
      role: world.pick(['web', 'batch', 'web/front']) ?? 'web',
      tasksMax: world.between(1, 8),
      changesRoles: world.chance(0.4),
      groups: world.chance(0.7),
      operates: world.chance(0.7) ? ('sometimes' as const) : ('never' as const),
    })),
  };
}
