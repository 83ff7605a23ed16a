/**
 * The master's metrics by the original's names, read from the state when somebody asks.
 */

import type { Allocator } from '@dcos/allocator';
import type { JsonValue } from '@dcos/base';
import { Resources } from '@dcos/resources';
import type { Metrics } from '@dcos/telemetry';
import type { Agent, MasterState } from '../core/state.ts';
import { frameworkReadings } from './framework-metrics.ts';
import {
  liveOperations,
  OPERATION_COUNTERS,
  registerOperationGauges,
} from './operation-metrics.ts';
import { roleReadings } from './role-metrics.ts';

const SCALARS = ['cpus', 'gpus', 'mem', 'disk'] as const;
const LIVE_STATES = ['staging', 'starting', 'running', 'killing', 'unreachable'] as const;

/** Counters that are shown from the start; others appear at their first use. */
export const COUNTERS: readonly string[] = [
  ...['finished', 'failed', 'killed', 'lost', 'error', 'dropped', 'gone', 'gone_by_operator'].map(
    (state) => `master/tasks_${state}`,
  ),
  ...[
    'slave_registrations',
    'slave_reregistrations',
    'slave_removals',
    'recovery_slave_removals',
  ].map((name) => `master/${name}`),
  ...['unhealthy', 'unregistered', 'registered'].map(
    (reason) => `master/slave_removals/reason_${reason}`,
  ),
  ...['scheduled', 'completed', 'canceled'].flatMap((step) => [
    `master/slave_shutdowns_${step}`,
    `master/slave_unreachable_${step}`,
  ]),
  ...[
    'register_framework',
    'reregister_framework',
    'unregister_framework',
    'deactivate_framework',
    'kill_task',
    'status_update_acknowledgement',
    'resource_request',
    'launch_tasks',
    'decline_offers',
    'revive_offers',
    'suppress_offers',
    'reconcile_tasks',
    'reconcile_operations',
    'framework_to_executor',
    'operation_status_update_acknowledgement',
    'executor_to_framework',
    'register_slave',
    'reregister_slave',
    'unregister_slave',
    'status_update',
    'operation_status_update',
    'exited_executor',
    'update_slave',
    'authenticate',
  ].map((name) => `master/messages_${name}`),
  ...[
    'framework_to_executor_messages',
    'executor_to_framework_messages',
    'status_updates',
    'status_update_acknowledgements',
    'operation_status_updates',
    'operation_status_update_acknowledgements',
  ].flatMap((name) => [`master/valid_${name}`, `master/invalid_${name}`]),
  ...OPERATION_COUNTERS,
  'master/dropped_messages',
  'master/http_cache_hits',
  'allocator/mesos/allocation_runs',
];

interface Totals {
  readonly total: Resources;
  readonly used: Resources;
  readonly offered: Resources;
  readonly tasks: ReadonlyMap<string, number>;
}

export interface MasterMetrics {
  snapshot(): Readonly<Record<string, number>>;
  prometheus(): Promise<string>;
}

/** What the shell says for the metrics. */
interface ShellReadings {
  readonly uptimeSeconds: () => number;
  readonly subscribers: () => number;
  /** Whether each framework has metrics of its own. */
  readonly perFramework: boolean;
  /** Calls of each principal. */
  readonly principals: () => Readonly<Record<string, number>>;
}

/**
 * Registers the master's metrics. Those of frameworks and roles are in the snapshot only: names with ids in
 * them would grow without bound in a time series database.
 */
export function createMasterMetrics(
  metrics: Metrics,
  { state, allocator }: { readonly state: MasterState; readonly allocator: Allocator },
  shell: ShellReadings,
): MasterMetrics {
  // One reading of the state serves all gauges of a snapshot.
  let totals = totalsOf(state);
  let operations = liveOperations(state);
  metrics.gauge('master/uptime_secs', shell.uptimeSeconds);
  metrics.gauge('master/elected', () => 1);
  metrics.gauge('master/operator_event_stream_subscribers', shell.subscribers);
  registerResources(metrics, () => totals);
  registerCounts(metrics, state);
  registerOperationGauges(metrics, () => operations);
  for (const name of LIVE_STATES) {
    metrics.gauge(
      `master/tasks_${name}`,
      () => totals.tasks.get(`TASK_${name.toUpperCase()}`) ?? 0,
    );
  }
  metrics.gauge('registrar/log/recovered', () => 1);
  for (const name of COUNTERS) metrics.counter(name);
  const refresh = (): void => {
    totals = totalsOf(state);
    operations = liveOperations(state);
    for (const [name, value] of state.counters) {
      const counter = metrics.counter(name);
      counter.increment(value - counter.value);
    }
  };
  return {
    snapshot() {
      refresh();
      return {
        ...metrics.snapshot(),
        ...(shell.perFramework && frameworkReadings(state)),
        ...roleReadings(state, allocator),
        ...shell.principals(),
      };
    },
    prometheus() {
      refresh();
      return metrics.prometheus();
    },
  };
}

function registerResources(metrics: Metrics, totals: () => Totals): void {
  for (const name of SCALARS) {
    for (const kind of ['', '_revocable'] as const) {
      const part = (resources: Resources): number =>
        (kind === '' ? resources.nonRevocable() : resources.revocable()).scalarMilli(name) / 1000;
      metrics.gauge(`master/${name}${kind}_total`, () => part(totals().total));
      metrics.gauge(`master/${name}${kind}_used`, () => part(totals().used));
      metrics.gauge(`master/${name}${kind}_percent`, () => {
        const total = part(totals().total);
        return total === 0 ? 0 : part(totals().used) / total;
      });
    }
    if (name === 'gpus') continue;
    metrics.gauge(
      `allocator/mesos/resources/${name}/offered_or_allocated`,
      () => (totals().used.scalarMilli(name) + totals().offered.scalarMilli(name)) / 1000,
    );
    metrics.gauge(
      `allocator/mesos/resources/${name}/total`,
      () => totals().total.scalarMilli(name) / 1000,
    );
  }
}

function registerCounts(metrics: Metrics, state: MasterState): void {
  const isConnected = ({ connection }: Agent): boolean => connection !== undefined;
  const isActive = (agent: Agent): boolean => isConnected(agent) && agent.policy === undefined;
  const agents = (wanted: (agent: Agent) => boolean): number =>
    [...state.agents.values()].filter(wanted).length;
  metrics.gauge('master/slaves_connected', () => agents(isConnected));
  metrics.gauge('master/slaves_disconnected', () => agents((agent) => !isConnected(agent)));
  metrics.gauge('master/slaves_active', () => agents(isActive));
  metrics.gauge('master/slaves_inactive', () => agents((agent) => !isActive(agent)));
  metrics.gauge('master/slaves_unreachable', () => state.unreachableAgents.size);
  const frameworks = (wanted: 'connected' | 'active', is: boolean): number =>
    [...state.frameworks.values()].filter(
      (framework) =>
        (wanted === 'active' ? framework.active : framework.streamId !== undefined) === is,
    ).length;
  metrics.gauge('master/frameworks_connected', () => frameworks('connected', true));
  metrics.gauge('master/frameworks_disconnected', () => frameworks('connected', false));
  metrics.gauge('master/frameworks_active', () => frameworks('active', true));
  metrics.gauge('master/frameworks_inactive', () => frameworks('active', false));
  metrics.gauge('master/outstanding_offers', () => state.offers.size);
}

function totalsOf(state: MasterState): Totals {
  let total = Resources.empty;
  let used = Resources.empty;
  let offered = Resources.empty;
  const tasks = new Map<string, number>();
  for (const agent of state.agents.values()) {
    // Ports are left out: they are nobody's metric and make sums over agents slow.
    total = total.add(agent.total.filter(({ type }) => type === 'SCALAR'));
    used = used.add(agent.used.total().filter(({ type }) => type === 'SCALAR'));
    offered = offered.add(agent.offered.total().filter(({ type }) => type === 'SCALAR'));
  }
  for (const framework of state.frameworks.values()) {
    for (const records of [framework.tasks, framework.unreachableTasks]) {
      for (const { task } of records.values())
        tasks.set(task.state, (tasks.get(task.state) ?? 0) + 1);
    }
  }
  return { total, used, offered, tasks };
}

/** The flat object of `/metrics/snapshot`, ordered by name. */
export function metricsObject(readings: Readonly<Record<string, number>>): {
  readonly [name: string]: JsonValue;
} {
  return Object.fromEntries(
    Object.entries(readings).sort(([left], [right]) => (left < right ? -1 : 1)),
  );
}
