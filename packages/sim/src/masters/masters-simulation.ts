/**
 * One run with several masters: they stand for election over a simulated ensemble, die, freeze and are cut off, as do the
 * servers of the ensemble; checkers after every step, then a quiet time without faults after which nothing may be
 * left unsaid.
 *
 * The real election, store and client are made of promises, which the world waits for after every step: nothing
 * in them but the world's own events takes time, so a seed gives the same run byte for byte here, too.
 */

import type { Verdict } from '../checkers.ts';
import { createChecker } from '../cluster-checker.ts';
import type { SimulationResult } from '../simulation.ts';
import { createWorld } from '../world.ts';
import { createMastersCluster, type MastersCores } from './masters-cluster.ts';
import { injectMasterFaults } from './masters-faults.ts';
import { settle } from './settle.ts';

/** With the cores and seams of all parts; the real ones when absent. */
export interface MastersOptions extends MastersCores {
  readonly seed: number;
  /** Events of the world before the quiet time begins. */
  readonly steps: number;
  readonly faults: boolean;
}

/** Virtual time after the last fault in which all must come to rest; longer than the longest retry. */
const QUIET_MS = 240_000;
/** How often it is looked whether all is at rest. */
const LOOK_EVERY_MS = 5_000;
const QUIET_STEPS_MAX = 100_000;

/** Runs one seed to its end or to the first violation. */
export async function simulateMasters(options: MastersOptions): Promise<SimulationResult> {
  const world = createWorld(options.seed);
  const cluster = createMastersCluster(world, options);
  const check = createChecker(world, cluster);
  let injected = 0;
  let faulty = options.faults;
  if (faulty) {
    cluster.console.begin(() => faulty);
    injectMasterFaults(world, cluster, () => {
      if (faulty) injected += 1;
      return faulty;
    });
  }

  let steps = 0;
  /** Runs until then, or to the first violation. */
  const run = async (until: () => boolean): Promise<Verdict> => {
    let violation: Verdict;
    while (violation === undefined && !until()) {
      if (!world.step()) violation = 'nothing is queued any more';
      await settle();
      steps += 1;
      violation ??= check() ?? cluster.check();
    }
    return violation;
  };
  /** Runs until all is at rest, or should be. */
  const comeToRest = async (): Promise<Verdict> => {
    const quietUntil = world.now() + QUIET_MS;
    const stepsMax = steps + QUIET_STEPS_MAX;
    for (;;) {
      const lookAt = world.now() + LOOK_EVERY_MS;
      const violation = await run(() => world.now() >= lookAt || steps >= stepsMax);
      if (violation !== undefined) return violation;
      const unrest = cluster.checkRest();
      if (unrest === undefined || world.now() >= quietUntil || steps >= stepsMax) return unrest;
    }
  };
  let violation = await run(() => steps >= options.steps);
  if (violation === undefined) {
    world.trace('the faults stop');
    faulty = false;
    cluster.heal();
    for (const framework of cluster.frameworks) framework.quiesce();
    violation = await comeToRest();
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
