/**
 * The names of the original's metrics, against ours: a table of all that it has, and what was recorded with
 * it. Every name that ours has not is in a list here, with its reason.
 */

import { describe, expect, test } from 'vitest';
import { recordings, recordingsFacility } from '@dcos/testkit';
import { scheduler, type masterApi } from '@dcos/wire';
import { openStream, postJson, registerAgent, send } from '../testing/http-client.ts';
import { closeAfterTest, startTestMaster } from '../testing/running-master.ts';
import { frameworkInfo, resources } from '../testing/world.ts';
import type { RunningMaster } from './start-master.ts';

/** Names that ours has not. */
const ABSENT: ReadonlyMap<string, string> = new Map([
  [
    'registrar/log/ensemble_size',
    'the registry is in the store, whose replicas are its own affair',
  ],
  [
    'allocator/mesos/quota/roles//resources/cpus/consumed',
    'the root of the tree of roles, which is nobody’s role: a slip of the original',
  ],
  [
    'allocator/mesos/quota/roles//resources/mem/consumed',
    'the root of the tree of roles, which is nobody’s role: a slip of the original',
  ],
]);

const each = (prefix: string, names: string): readonly string[] =>
  names.split(' ').map((name) => `${prefix}${name}`);
const across = (prefixes: readonly string[], suffixes: readonly string[]): readonly string[] =>
  prefixes.flatMap((prefix) => suffixes.map((suffix) => `${prefix}${suffix}`));

const WINDOW = ['', ...each('/', 'count min max p50 p90 p95 p99 p999 p9999')];
const ENDS = 'finished failed killed lost error dropped gone gone_by_operator';
const OPERATION_STATES =
  'total pending recovering unreachable finished failed error dropped gone_by_operator';
const MESSAGES =
  'register_framework reregister_framework unregister_framework deactivate_framework kill_task ' +
  'status_update_acknowledgement resource_request launch_tasks decline_offers revive_offers ' +
  'suppress_offers reconcile_tasks reconcile_operations framework_to_executor ' +
  'operation_status_update_acknowledgement executor_to_framework register_slave reregister_slave ' +
  'unregister_slave status_update operation_status_update exited_executor update_slave authenticate';

/** Names that a master has from the start, or from its first run and write on. */
const MASTER: readonly string[] = [
  ...each('master/', 'uptime_secs elected outstanding_offers dropped_messages http_cache_hits'),
  ...across(each('master/', 'cpus gpus mem disk'), [
    ...each('_', 'total used percent'),
    ...each('_revocable_', 'total used percent'),
  ]),
  ...each('master/slaves_', 'connected disconnected active inactive unreachable'),
  ...each('master/slave_', 'registrations reregistrations removals'),
  ...each('master/slave_removals/reason_', 'unhealthy unregistered registered'),
  ...across(
    ['master/slave_shutdowns_', 'master/slave_unreachable_'],
    ['scheduled', 'completed', 'canceled'],
  ),
  'master/recovery_slave_removals',
  ...each('master/frameworks_', 'connected disconnected active inactive'),
  ...each('master/tasks_', `staging starting running killing unreachable ${ENDS}`),
  ...each('master/operations/', OPERATION_STATES),
  ...across(
    each(
      'master/operations/',
      'reserve unreserve create destroy grow_volume shrink_volume create_disk destroy_disk',
    ),
    each('/', OPERATION_STATES),
  ),
  ...each('master/messages_', MESSAGES),
  ...across(
    ['master/valid_', 'master/invalid_'],
    [
      'framework_to_executor_messages',
      'executor_to_framework_messages',
      'status_updates',
      'status_update_acknowledgements',
      'operation_status_updates',
      'operation_status_update_acknowledgements',
    ],
  ),
  ...each('master/event_queue_', 'messages dispatches http_requests'),
  'master/operator_event_stream_subscribers',
  ...each('registrar/', 'queued_operations registry_size_bytes state_fetch_ms'),
  ...across(['registrar/state_store_ms'], WINDOW),
  ...each('registrar/log/', 'recovered ensemble_size'),
  'allocator/mesos/allocation_runs',
  ...across(
    ['allocator/mesos/allocation_run_ms', 'allocator/mesos/allocation_run_latency_ms'],
    WINDOW,
  ),
  'allocator/mesos/event_queue_dispatches',
  'allocator/event_queue_dispatches',
  ...across(each('allocator/mesos/resources/', 'cpus mem disk'), [
    '/total',
    '/offered_or_allocated',
  ]),
  'system/cpus_total',
  ...each('system/load_', '1min 5min 15min'),
  ...each('system/mem_', 'total_bytes free_bytes'),
];

const FRAMEWORK: readonly string[] = [
  'subscribed',
  'calls',
  ...each(
    'calls/',
    'subscribe teardown accept decline accept_inverse_offers decline_inverse_offers revive kill ' +
      'shutdown acknowledge acknowledge_operation_status reconcile reconcile_operations message ' +
      'request suppress update_framework',
  ),
  'events',
  ...each(
    'events/',
    'subscribed offers inverse_offers rescind rescind_inverse_offer update update_operation_status ' +
      'message failure error heartbeat',
  ),
  ...each('offers/', 'sent accepted declined rescinded'),
  'operations',
  ...each(
    'operations/',
    'launch launch_group reserve unreserve create destroy grow_volume shrink_volume create_disk ' +
      'destroy_disk',
  ),
  ...each('tasks/active/task_', 'staging starting running killing unreachable'),
  ...each('tasks/terminal/task_', ENDS),
  'roles/dev/suppressed',
];

const ROLE: readonly string[] = [
  'allocator/mesos/roles/dev/shares/dominant',
  'allocator/mesos/offer_filters/roles/dev/active',
  ...each(
    'allocator/mesos/quota/roles/dev/resources/cpus/',
    'guarantee limit offered_or_allocated',
  ),
];

async function readings(master: RunningMaster): Promise<Readonly<Record<string, number>>> {
  const answer = await send(`${master.url}/metrics/snapshot`);
  expect(answer.headers['content-type']).toBe('application/json');
  return JSON.parse(answer.text) as Record<string, number>;
}

/** A master that has done something of everything: an agent, a framework of role `dev`, quota for it. */
async function busyMaster(): Promise<{ readonly master: RunningMaster; readonly prefix: string }> {
  const master = await startTestMaster();
  closeAfterTest(
    await registerAgent(master.url, {
      agent_info: { hostname: 'host', port: 5051, resources: resources({ cpus: 4, mem: 4096 }) },
    }),
  );
  const quota: masterApi.Call = {
    type: 'UPDATE_QUOTA',
    update_quota: {
      quota_configs: [
        {
          role: 'dev',
          guarantees: { cpus: { value: 1 } },
          limits: { cpus: { value: 2 }, mem: { value: 1024 } },
        },
      ],
    },
  };
  expect((await postJson(`${master.url}/api/v1`, quota)).status).toBe(200);
  const stream = closeAfterTest(
    await openStream(
      `${master.url}/api/v1/scheduler`,
      JSON.stringify({
        type: 'SUBSCRIBE',
        subscribe: { framework_info: frameworkInfo({ name: 'a b', roles: ['dev'] }) },
      }),
      { type: scheduler.EventType, encoding: 'json' },
    ),
  );
  const { subscribed } = await stream.events.find(
    'SUBSCRIBED',
    ({ type }) => type === 'SUBSCRIBED',
  );
  await stream.events.find('OFFERS', ({ type }) => type === 'OFFERS');
  const id = subscribed?.framework_id.value ?? '';
  return { master, prefix: `master/frameworks/a%20b/${id}/` };
}

test('every name of the original is there, in both answers, with numbers that were measured', async () => {
  const { master, prefix } = await busyMaster();
  const ours = await readings(master);
  const wanted = [...MASTER, ...FRAMEWORK.map((name) => prefix + name), ...ROLE];
  expect(wanted.filter((name) => !(name in ours) && !ABSENT.has(name))).toEqual([]);
  expect(Object.values(ours).every((value) => Number.isFinite(value))).toBe(true);
  expect(ours).toMatchObject({
    'master/elected': 1,
    'master/slaves_active': 1,
    'master/cpus_total': 4,
    'allocator/mesos/quota/roles/dev/resources/cpus/guarantee': 1,
    'allocator/mesos/quota/roles/dev/resources/cpus/limit': 2,
    'allocator/mesos/quota/roles/dev/resources/cpus/offered_or_allocated': 2,
    'allocator/mesos/quota/roles/dev/resources/cpus/consumed': 0,
    [`${prefix}calls/subscribe`]: 1,
    [`${prefix}calls/accept`]: 0,
    [`${prefix}events/offers`]: 1,
  });
  const answer = await postJson(`${master.url}/api/v1`, { type: 'GET_METRICS' });
  const { get_metrics: shown } = JSON.parse(answer.text) as masterApi.Response;
  const names = new Set(shown?.metrics?.map(({ name }) => name));
  expect(Object.keys(ours).filter((name) => !names.has(name))).toEqual([]);
});

test('sizes and times of the registry and the allocator are those of what was done', async () => {
  const master = await startTestMaster();
  const empty = await readings(master);
  expect(empty['registrar/registry_size_bytes']).toBe(0);
  expect(empty).not.toHaveProperty('registrar/state_store_ms');
  const weight = { role: 'dev', weight: 2 };
  await postJson(`${master.url}/api/v1`, {
    type: 'UPDATE_WEIGHTS',
    update_weights: { weight_infos: [weight] },
  });
  const after = await readings(master);
  const record = ['master/weights/dev', JSON.stringify({ weight: 2 })];
  expect(after['registrar/registry_size_bytes']).toBe(record.join('').length);
  expect(after['registrar/state_store_ms/count']).toBe(1);
  expect(after['registrar/queued_operations']).toBe(0);
  const text = (await send(`${master.url}/metrics`)).text;
  expect(text).toContain(`registrar_registry_size_bytes ${record.join('').length}`);
  expect(text).toContain('registrar_state_store_ms_count 1');
});

describe(`recorded with the original${recordingsFacility.note}`, () => {
  test.skipIf(!recordingsFacility.available).for([
    ['snapshots/0-no-agent', 'metrics-snapshot'],
    ['snapshots/1-idle/master-v0', 'metrics-snapshot'],
    ['snapshots/2-running/master-v0', 'metrics-snapshot'],
    ['scheduler', '3-after-teardown-metrics'],
  ] as const)('%s: ours has every name', async ([folder, name]) => {
    const recorded = recordings(folder).find((recording) => recording.name === name);
    const theirs = Object.keys(JSON.parse(recorded?.answer ?? '{}') as object);
    expect(theirs.length).toBeGreaterThan(200);
    const { master, prefix } = await busyMaster();
    const ours = await readings(master);
    const missing = theirs
      // The ends of tasks by source and reason come with the first task that ends so.
      .filter((theirName) => !theirName.startsWith('master/task_'))
      .map((theirName) =>
        theirName
          .replace(/^master\/frameworks\/[^/]+\/[^/]+\//, prefix)
          .replace('roles/*/', 'roles/dev/'),
      )
      .filter((theirName) => !(theirName in ours) && !ABSENT.has(theirName));
    expect(missing).toEqual([]);
  });
});
