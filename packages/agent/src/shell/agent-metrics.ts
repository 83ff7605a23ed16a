/** The agent's metrics under the original's names. Source: mesos-metrics, part B. */

import { addHostGauges, createMetrics, type Metrics } from '@dcos/telemetry';
import type { Resource, TaskState } from '@dcos/wire';
import { isTerminal, type AgentSnapshot } from '../core/index.ts';
import type { FetcherFigures } from './fetcher/fetcher.ts';
import type { ProjectFigures } from './project-ids.ts';

export interface AgentMetricsInput {
  readonly snapshot: () => AgentSnapshot;
  readonly total: readonly Resource[];
  readonly startedAt: number;
  /** What the fetcher did and keeps. */
  readonly fetcher: () => FetcherFigures;
  /** Of the file system, where disk quotas are its. */
  readonly projects: (() => ProjectFigures) | undefined;
  readonly now: () => number;
}

const LIVE_STATES: readonly TaskState[] = [
  'TASK_STAGING',
  'TASK_STARTING',
  'TASK_RUNNING',
  'TASK_KILLING',
];
const ENDED_STATES: readonly TaskState[] = [
  'TASK_FINISHED',
  'TASK_FAILED',
  'TASK_KILLED',
  'TASK_LOST',
  'TASK_GONE',
];

/** Registers all gauges; counts of ended tasks go back as far as the agent remembers. */
export function agentMetrics(input: AgentMetricsInput): Metrics {
  const metrics = createMetrics();
  const { snapshot } = input;
  const count = (state: TaskState): number => {
    const { live, completed } = snapshot();
    return [...live, ...completed].filter((task) => task.state === state).length;
  };
  const used = (name: string, isRevocable: boolean): number =>
    amount(
      snapshot()
        .live.filter((task) => !isTerminal(task.state))
        .flatMap((task) => task.info.resources ?? [])
        .filter(({ revocable }) => (revocable !== undefined) === isRevocable),
      name,
    );
  const gauges = (name: string, isRevocable: boolean, total: () => number): void => {
    const prefix = `slave/${name}${isRevocable ? '_revocable' : ''}`;
    metrics.gauge(`${prefix}_total`, total);
    metrics.gauge(`${prefix}_used`, () => used(name, isRevocable));
    metrics.gauge(`${prefix}_percent`, () =>
      total() === 0 ? 0 : used(name, isRevocable) / total(),
    );
  };
  const fetcher = (name: string, of: (figures: FetcherFigures) => number): void =>
    metrics.gauge(`containerizer/fetcher/${name}`, () => of(input.fetcher()));
  fetcher('task_fetches_succeeded', ({ succeeded }) => succeeded);
  fetcher('task_fetches_failed', ({ failed }) => failed);
  fetcher('cache_size_total_bytes', ({ cacheBytesMax }) => cacheBytesMax);
  fetcher('cache_size_used_bytes', ({ cacheBytesUsed }) => cacheBytesUsed);
  const { projects } = input;
  if (projects !== undefined) {
    metrics.gauge('containerizer/mesos/disk/project_ids_total', () => projects().total);
    metrics.gauge('containerizer/mesos/disk/project_ids_free', () => projects().free);
  }
  metrics.gauge('slave/uptime_secs', () => (input.now() - input.startedAt) / 1000);
  metrics.gauge('slave/registered', () => (snapshot().phase === 'registered' ? 1 : 0));
  metrics.gauge(
    'slave/frameworks_active',
    () => new Set(snapshot().live.map((task) => task.frameworkId)).size,
  );
  metrics.gauge('slave/executors_running', () => count('TASK_RUNNING') + count('TASK_STARTING'));
  metrics.gauge('slave/executors_registering', () => count('TASK_STAGING'));
  metrics.gauge('slave/executors_terminating', () => count('TASK_KILLING'));
  metrics.gauge('slave/executors_terminated', () => snapshot().completed.length);
  for (const name of ['cpus', 'gpus', 'mem', 'disk']) {
    const total = amount(input.total, name);
    gauges(name, false, () => total);
    gauges(name, true, () => amount(snapshot().revocable.toWire(), name));
  }
  for (const state of [...LIVE_STATES, ...ENDED_STATES]) {
    metrics.gauge(`slave/${state.toLowerCase().replace('task_', 'tasks_')}`, () => count(state));
  }
  addHostGauges(metrics);
  return metrics;
}

function amount(resources: readonly Resource[], name: string): number {
  const milli = resources.reduce(
    (sum, resource) =>
      resource.name === name ? sum + Math.round((resource.scalar?.value ?? 0) * 1000) : sum,
    0,
  );
  return milli / 1000;
}
