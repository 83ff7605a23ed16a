/**
 * What of the agent can be lent: resources that tasks hold and do not use are offered a second time, as revocable ones.
 * Estimators and QoS controllers are the plug-in points of the original's modules; both are pure and are handed samples.
 *
 * `cpu-slack` lends half of the cpus that tasks were granted and have not used for a while, at most half of what the
 * agent has: a task that wakes up finds the rest idle, and low shares keep the guests out of its way.
 * `load` ends all guests while the load of the host is above a bound, as the original's controller of that name.
 * Source: mesos-kernel §5.10.
 */

import type { ContainerId } from '@dcos/base';
import type { Resource } from '@dcos/wire';

/** What one container was granted and has used so far. */
export interface ContainerSample {
  readonly id: ContainerId;
  /** Without revocable ones. */
  readonly cpus: number;
  /** Cpu time since its start. */
  readonly cpuSeconds: number;
}

/** All containers at one instant. */
export interface UsageSample {
  /** By a clock that nobody sets. */
  readonly monotonicMs: number;
  readonly containers: readonly ContainerSample[];
}

/** Says what can be lent in all, what is lent already included. */
export interface ResourceEstimator {
  estimate(sample: UsageSample): readonly Resource[];
}

export interface LoadAverages {
  readonly fiveMinutes: number;
  readonly fifteenMinutes: number;
}

/** Says which guests have to go. */
export interface QosController {
  correct(load: LoadAverages, guests: readonly ContainerId[]): readonly ContainerId[];
}

/** Rates of a container that count: the highest of them is what it needs. */
const RATES_KEPT = 4;
/** Part of the slack, and part of the agent's cpus, that is lent at most. */
const SLACK_PART = 0.5;
const TOTAL_PART = 0.5;
/** Estimates are in steps, so that noise does not change them. */
const STEPS_PER_CPU = 10;

/** Cpu time of a container up to the last sample, and how fast it was used before. */
interface History {
  readonly monotonicMs: number;
  readonly cpuSeconds: number;
  /** Cpus, newest last. */
  readonly rates: readonly number[];
}

/** Lends unused cpus of an agent that has `cpusTotal` of them. */
export function cpuSlackEstimator(cpusTotal: number): ResourceEstimator {
  let histories: ReadonlyMap<ContainerId, History> = new Map();
  return {
    estimate({ monotonicMs, containers }) {
      const next = new Map<ContainerId, History>();
      let slack = 0;
      for (const { id, cpus, cpuSeconds } of containers) {
        const history = historyWith(histories.get(id), monotonicMs, cpuSeconds);
        next.set(id, history);
        // What is not known for that long may be about to be used.
        if (history.rates.length < RATES_KEPT) continue;
        slack += Math.max(0, cpus - Math.max(...history.rates));
      }
      histories = next;
      const lent = Math.min(slack * SLACK_PART, cpusTotal * TOTAL_PART);
      const value = Math.floor(lent * STEPS_PER_CPU) / STEPS_PER_CPU;
      return value === 0
        ? []
        : [{ name: 'cpus', type: 'SCALAR', scalar: { value }, revocable: {} }];
    },
  };
}

function historyWith(
  before: History | undefined,
  monotonicMs: number,
  cpuSeconds: number,
): History {
  if (before === undefined || monotonicMs <= before.monotonicMs)
    return { monotonicMs, cpuSeconds, rates: before?.rates ?? [] };
  const seconds = (monotonicMs - before.monotonicMs) / 1000;
  const rate = Math.max(0, cpuSeconds - before.cpuSeconds) / seconds;
  return { monotonicMs, cpuSeconds, rates: [...before.rates, rate].slice(-RATES_KEPT) };
}

/** Ends all guests above either bound. */
export function loadController(bounds: Partial<LoadAverages>): QosController {
  const { fiveMinutes = Infinity, fifteenMinutes = Infinity } = bounds;
  return {
    correct: (load, guests) =>
      load.fiveMinutes > fiveMinutes || load.fifteenMinutes > fifteenMinutes ? guests : [],
  };
}
