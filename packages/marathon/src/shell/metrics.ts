/** The scheduler's figures under the original's names. */

import type { Instant } from '@dcos/base';
import type { Metrics } from '@dcos/telemetry';
import { countGroups, countInstances, type MarathonState } from '../core/index.ts';

const PREFIX = 'marathon.';

/** Registers every figure; they are read when somebody asks. */
export function registerMetrics(metrics: Metrics, state: MarathonState, startedAt: Instant): void {
  const gauge = (name: string, read: () => number): void => metrics.gauge(`${PREFIX}${name}`, read);
  const { counters } = state;
  gauge('apps.active.gauge', () => state.history.appCount);
  gauge('pods.active.gauge', () => 0);
  gauge('groups.active.gauge', () => countGroups(state));
  gauge('deployments.active.gauge', () => state.deployments.size);
  gauge('instances.running.gauge', () => countInstances(state).running);
  gauge('instances.staged.gauge', () => countInstances(state).staged);
  gauge('instances.inflight-kills.gauge', () => state.kills.size - state.killsWaiting.size);
  gauge('deployments.counter', () => counters.deployments);
  gauge('deployments.dismissed.counter', () => counters.deploymentsDismissed);
  gauge('tasks.launched.counter', () => counters.tasksLaunched);
  gauge('mesos.offers.incoming.counter', () => counters.offersProcessed);
  gauge('mesos.offers.used.counter', () => counters.offersUsed);
  gauge('mesos.offers.declined.counter', () => counters.offersDeclined);
  gauge('mesos.calls.revive.counter', () => counters.revives);
  gauge('mesos.calls.suppress.counter', () => counters.suppresses);
  gauge('mesos.offer-operations.launch.counter', () => counters.tasksLaunched);
  for (const name of TASK_UPDATES) {
    gauge(`mesos.task-updates.${name}.counter`, () => counters.statusUpdates.get(name) ?? 0);
  }
  const uptime = (): number => (Date.now() - startedAt) / 1000;
  gauge('uptime.gauge.seconds', uptime);
  gauge('leadership.duration.gauge.seconds', uptime);
  gauge('jvm.memory.heap.used.gauge.bytes', () => process.memoryUsage().heapUsed);
  gauge('jvm.threads.active.gauge', () => 1);
}

const TASK_UPDATES = [
  'task_staging',
  'task_starting',
  'task_running',
  'task_killing',
  'task_finished',
  'task_failed',
  'task_killed',
  'task_error',
  'task_lost',
  'task_dropped',
  'task_unreachable',
  'task_gone',
  'task_gone_by_operator',
  'task_unknown',
];
