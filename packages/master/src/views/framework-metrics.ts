/**
 * Metrics of each framework, `master/frameworks/<name>/<id>/…`. They come with the framework, all of them at
 * zero, and end with it. Source: the original's names.
 */

import type { Framework, MasterState } from '../core/state.ts';

const CALLS = [
  'subscribe',
  'teardown',
  'accept',
  'decline',
  'accept_inverse_offers',
  'decline_inverse_offers',
  'revive',
  'kill',
  'shutdown',
  'acknowledge',
  'acknowledge_operation_status',
  'reconcile',
  'reconcile_operations',
  'message',
  'request',
  'suppress',
  'update_framework',
] as const;

const EVENTS = [
  'subscribed',
  'offers',
  'inverse_offers',
  'rescind',
  'rescind_inverse_offer',
  'update',
  'update_operation_status',
  'message',
  'failure',
  'error',
  'heartbeat',
] as const;

const OPERATIONS = [
  'launch',
  'launch_group',
  'reserve',
  'unreserve',
  'create',
  'destroy',
  'grow_volume',
  'shrink_volume',
  'create_disk',
  'destroy_disk',
] as const;

/** `unknown` is a state that no task of ours has; the original shows it. */
const LIVE_STATES = [
  'staging',
  'starting',
  'running',
  'killing',
  'unreachable',
  'unknown',
] as const;

const END_STATES = [
  'finished',
  'failed',
  'killed',
  'lost',
  'error',
  'dropped',
  'gone',
  'gone_by_operator',
] as const;

/** Names that are there from the start. */
const ZEROS: readonly string[] = [
  'calls',
  ...CALLS.map((call) => `calls/${call}`),
  'events',
  ...EVENTS.map((event) => `events/${event}`),
  'operations',
  ...OPERATIONS.map((operation) => `operations/${operation}`),
  ...['sent', 'accepted', 'declined', 'rescinded'].map((what) => `offers/${what}`),
  ...LIVE_STATES.map((state) => `tasks/active/task_${state}`),
  ...END_STATES.map((state) => `tasks/terminal/task_${state}`),
];

/** Readings of all frameworks that have not ended. */
export function frameworkReadings(state: MasterState): Record<string, number> {
  const readings: Record<string, number> = {};
  for (const framework of state.frameworks.values()) addReadings(readings, framework);
  return readings;
}

function addReadings(readings: Record<string, number>, framework: Framework): void {
  const prefix = `master/frameworks/${encodeURIComponent(framework.info.name)}/${framework.id}`;
  readings[`${prefix}/subscribed`] = framework.streamId === undefined ? 0 : 1;
  for (const name of ZEROS) readings[`${prefix}/${name}`] = 0;
  for (const [name, value] of framework.counters) readings[`${prefix}/${name}`] = value;
  for (const records of [framework.tasks, framework.unreachableTasks]) {
    for (const { task } of records.values()) {
      const name = `${prefix}/tasks/active/${task.state.toLowerCase()}`;
      // One that has ended counts as such, though its end was not acknowledged yet.
      if (name in readings) readings[name] = (readings[name] ?? 0) + 1;
    }
  }
  for (const role of framework.roles) {
    readings[`${prefix}/roles/${role}/suppressed`] = framework.suppressedRoles.has(role) ? 1 : 0;
  }
}
