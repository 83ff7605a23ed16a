import { describe, expect, test } from 'vitest';
import type { JsonObject } from '@dcos/base';
import {
  applyMasterEvent,
  emptyClusterState,
  FINISHED_TASKS_MAX,
  isActiveState,
} from './cluster-state.ts';
import { mergeStaleness, stalenessOf } from './marathon-events.ts';
import {
  appendSample,
  coversLastMinute,
  failuresLastMinute,
  sampleOf,
  SAMPLES_MAX,
} from './samples.ts';
import type { Sample } from './samples.ts';
import { appIdOfTask, isOutdated } from './task-names.ts';

function added(id: string, state = 'TASK_STAGING'): JsonObject {
  return {
    type: 'TASK_ADDED',
    task_added: {
      task: {
        name: 'web.shop',
        task_id: { value: id },
        framework_id: { value: 'f' },
        agent_id: { value: 'a' },
        state,
        resources: [
          { name: 'cpus', type: 'SCALAR', scalar: { value: 0.2 } },
          { name: 'cpus', type: 'SCALAR', scalar: { value: 0.3 } },
          { name: 'ports', type: 'RANGES', ranges: { range: [{ begin: 1, end: 2 }] } },
        ],
      },
    },
  };
}

function updated(id: string, state: string, more: JsonObject = {}): JsonObject {
  return {
    type: 'TASK_UPDATED',
    task_updated: { state, status: { task_id: { value: id }, state, timestamp: 10, ...more } },
  };
}

describe("the master's event stream", () => {
  test('a task is added and follows its updates', () => {
    const state = emptyClusterState();
    applyMasterEvent(state, added('t1'));
    const stale = applyMasterEvent(state, updated('t1', 'TASK_RUNNING', { healthy: true }));
    expect(stale).toContain('tasks');
    expect(state.tasks.get('t1')).toMatchObject({
      state: 'TASK_RUNNING',
      cpus: 0.5,
      healthy: true,
      updatedMs: 10_000,
      agentId: 'a',
    });
    expect(state.revision).toBe(2);
  });

  test('a fresh snapshot replaces everything', () => {
    const state = emptyClusterState();
    applyMasterEvent(state, added('old'));
    applyMasterEvent(state, { type: 'SUBSCRIBED', subscribed: { get_state: {} } });
    expect(state.tasks.size).toBe(0);
  });

  test('heartbeats and unknown events change nothing', () => {
    const state = emptyClusterState();
    expect(applyMasterEvent(state, { type: 'HEARTBEAT' })).toEqual([]);
    expect(applyMasterEvent(state, { type: 'SOMETHING_NEW' })).toEqual([]);
    expect(applyMasterEvent(state, updated('unknown', 'TASK_RUNNING'))).toContain('tasks');
    expect(state.tasks.size).toBe(0);
  });

  test('finished tasks are bounded, running ones are never dropped', () => {
    const state = emptyClusterState();
    applyMasterEvent(state, added('runs', 'TASK_RUNNING'));
    for (let index = 0; index < FINISHED_TASKS_MAX + 50; index += 1) {
      applyMasterEvent(state, added(`t${index}`, 'TASK_FINISHED'));
    }
    expect(state.tasks.has('runs')).toBe(true);
    expect(state.tasks.has('t0')).toBe(false);
    expect(state.tasks.size).toBe(FINISHED_TASKS_MAX + 1);
  });

  test('unreachable tasks hold no resources', () => {
    expect(isActiveState('TASK_RUNNING')).toBe(true);
    expect(isActiveState('TASK_UNREACHABLE')).toBe(false);
    expect(isActiveState('TASK_FAILED')).toBe(false);
  });
});

describe("Marathon's events", () => {
  test('a status update touches its app and the queue, not the list', () => {
    expect(
      stalenessOf('status_update_event', { appId: '/web', taskStatus: 'TASK_RUNNING' }),
    ).toEqual({ appIds: ['/web'], appList: false, deployments: false, queue: true });
  });

  test('a health change touches its app only', () => {
    expect(stalenessOf('instance_health_changed_event', { runSpecId: '/web' })).toEqual({
      appIds: ['/web'],
      appList: false,
      deployments: false,
      queue: false,
    });
  });

  test('a deployment touches the apps of its plan; one that stops apps touches the list', () => {
    const plan = (action: string): JsonObject => ({
      plan: { steps: [{ actions: [{ action, app: '/web' }] }] },
    });
    expect(stalenessOf('deployment_success', plan('ScaleApplication'))).toMatchObject({
      appIds: ['/web'],
      appList: false,
    });
    expect(stalenessOf('deployment_success', plan('StopApplication')).appList).toBe(true);
  });

  test('a changed group touches the list, an unknown event nothing', () => {
    expect(stalenessOf('group_change_success', { groupId: '/' }).appList).toBe(true);
    expect(stalenessOf('event_stream_attached', { remoteAddress: 'x' })).toEqual({
      appIds: [],
      appList: false,
      deployments: false,
      queue: false,
    });
  });

  test('what several events touch is joined without repetition', () => {
    const one = stalenessOf('status_update_event', { appId: '/web' });
    const two = stalenessOf('group_change_success', { groupId: '/' });
    expect(mergeStaleness(mergeStaleness(one, one), two)).toEqual({
      appIds: ['/web'],
      appList: true,
      deployments: true,
      queue: true,
    });
  });
});

describe('samples', () => {
  const sample = (timeMs: number, failuresTotal: number): Sample => ({
    ...sampleOf({}, timeMs),
    failuresTotal,
  });

  test('percentages come from used and total, an empty cluster is zero', () => {
    expect(sampleOf({ 'master/cpus_used': 1, 'master/cpus_total': 4 }, 0).cpusPercent).toBe(25);
    expect(sampleOf({}, 0).memPercent).toBe(0);
  });

  test('the series is bounded and in order', () => {
    let series: readonly Sample[] = [];
    for (let index = 0; index < SAMPLES_MAX + 5; index += 1) {
      series = appendSample(series, sample(index, 0));
    }
    expect(series.length).toBe(SAMPLES_MAX);
    expect(appendSample(series, sample(3, 0))).toBe(series);
  });

  test('failures of the last minute; a restarted master counts as none', () => {
    const series = [sample(0, 5), sample(30_000, 7), sample(70_000, 8), sample(80_000, 0)];
    expect(failuresLastMinute(series)).toBe(3);
  });

  test('a count is of the last minute once the samples reach back that far', () => {
    expect(coversLastMinute([])).toBe(false);
    expect(coversLastMinute([sample(0, 5), sample(59_000, 7)])).toBe(false);
    expect(coversLastMinute([sample(0, 5), sample(59_000, 7), sample(61_000, 7)])).toBe(true);
  });
});

test("Marathon's task names lead back to the app", () => {
  expect(appIdOfTask({ id: 'x', name: 'web.shop' })).toBe('/shop/web');
  expect(appIdOfTask({ id: 'x', name: 'oinker' })).toBe('/oinker');
});

test.each([
  ['prod_db_redis.x.instance-53b9ff38-e4f6-11f1-bfdc-a3b6dd828b53._app.1', '/prod/db/redis.x'],
  ['web.instance-53b9ff38-e4f6-11f1-bfdc-a3b6dd828b53.nginx', '/web'],
  ['web.v2.53b9ff38-e4f6-11f1-bfdc-a3b6dd828b53', '/web.v2'],
])('the task id %s tells %s, dots and all', (id, appId) => {
  expect(appIdOfTask({ id, name: 'not.looked.at' })).toBe(appId);
});

test('scaling leaves instances current, a new configuration makes them outdated', () => {
  const [first, second] = ['2026-11-20T15:15:43.828Z', '2026-11-20T15:22:34.858Z'];
  const scaled = { version: second, versionInfo: { lastConfigChangeAt: first } };
  expect(isOutdated({ version: first }, scaled)).toBe(false);
  const changed = { version: second, versionInfo: { lastConfigChangeAt: second } };
  expect(isOutdated({ version: first }, changed)).toBe(true);
  expect(isOutdated({ version: second }, changed)).toBe(false);
  expect(isOutdated({ version: first }, { version: second })).toBe(true);
});
