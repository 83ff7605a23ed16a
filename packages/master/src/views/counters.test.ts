/** Every counter of the master moves when what it counts happens, and nothing that is shown never moves. */

import { expect, test } from 'vitest';
import type { masterApi, scheduler, TaskState } from '@dcos/wire';
import { applied, operate, RESERVE, scene } from '../testing/operations-scene.ts';
import {
  frameworkInfo,
  resources,
  task,
  uuidOf,
  World,
  type TestAgent,
  type TestFramework,
} from '../testing/world.ts';
import { COUNTERS } from './metrics.ts';

/** Zero for ever, as there is nothing to count. */
const NEVER: ReadonlySet<string> = new Set([
  // The old message protocol.
  'master/messages_deactivate_framework',
  'master/messages_authenticate',
  // The original's own leftovers.
  'master/slave_shutdowns_scheduled',
  'master/slave_shutdowns_completed',
  'master/slave_shutdowns_canceled',
  // Answers are made for each reader; what is dear in them is kept with the messages.
  'master/http_cache_hits',
]);

const silent = (world: World): void => void world.advance(90_000);

function end(state: TaskState): (world: World) => void {
  return (world) => {
    const { framework, agent } = world.running();
    world.update(agent, framework, 't', state, 2);
  };
}

function operator(call: masterApi.Call): (world: World) => void {
  return (world) => void world.operator(call);
}

function call(body: Omit<scheduler.Call, 'framework_id'>): (world: World) => void {
  return (world) => void world.call(world.subscribe(), body);
}

function markGone(world: World, agent: TestAgent): void {
  operator({ type: 'MARK_AGENT_GONE', mark_agent_gone: { agent_id: { value: agent.id } } })(world);
}

function acknowledgeUnknown(world: World): void {
  const { framework, agent } = world.running();
  world.handle({ kind: 'agentClosed', connection: agent.connection });
  world.acknowledge(agent, framework, 't', 1);
}

function message(world: World, framework: TestFramework, agent: TestAgent): void {
  world.call(framework, {
    type: 'MESSAGE',
    message: {
      agent_id: { value: agent.id },
      executor_id: { value: 'e' },
      data: new Uint8Array(),
    },
  });
}

const executorMessage = (world: World, framework: string, agent: TestAgent): void =>
  void world.frame(agent.connection, {
    type: 'EXECUTOR_MESSAGE',
    executor_message: {
      framework_id: { value: framework },
      executor_id: { value: 'e' },
      data: new Uint8Array(),
    },
  });

const ROWS: readonly (readonly [names: string, drive: (world: World) => void])[] = [
  ['slave_registrations messages_register_slave', (world) => void world.register()],
  [
    'slave_reregistrations messages_reregister_slave',
    (world) => {
      const { id } = world.register();
      world.register({ agent_info: { id: { value: id }, hostname: 'host', port: 5051 } });
    },
  ],
  [
    'slave_removals slave_removals/reason_registered',
    (world) => {
      const { connection } = world.register();
      world.handle({ kind: 'agentClosed', connection });
      world.register({ agent_info: { hostname: 'host', port: 5051 } });
    },
  ],
  [
    'slave_removals slave_removals/reason_unregistered messages_unregister_slave',
    (world) => {
      const { connection } = world.register();
      world.frame(connection, { type: 'UNREGISTER', unregister: {} });
    },
  ],
  [
    'slave_removals slave_removals/reason_unhealthy slave_unreachable_scheduled slave_unreachable_completed',
    (world) => {
      world.register();
      silent(world);
    },
  ],
  [
    'messages_update_slave',
    (world) => {
      const { connection } = world.register();
      world.frame(connection, {
        type: 'RESOURCES_CHANGED',
        resources_changed: { total_resources: resources({ cpus: 8 }) },
      });
    },
  ],
  ['dropped_messages', (world) => void world.frame(99, { type: 'PONG' })],
  ['messages_register_framework', (world) => void world.subscribe()],
  [
    'messages_reregister_framework',
    (world) => void world.subscribe(frameworkInfo({ id: { value: 'own' } })),
  ],
  ['messages_unregister_framework', call({ type: 'TEARDOWN' })],
  ['messages_kill_task', call({ type: 'KILL', kill: { task_id: { value: 't' } } })],
  ['messages_resource_request', call({ type: 'REQUEST', request: { requests: [] } })],
  ['messages_decline_offers', call({ type: 'DECLINE', decline: { offer_ids: [] } })],
  ['messages_revive_offers', call({ type: 'REVIVE' })],
  ['messages_suppress_offers', call({ type: 'SUPPRESS' })],
  ['messages_reconcile_tasks', call({ type: 'RECONCILE', reconcile: { tasks: [] } })],
  [
    'messages_reconcile_operations',
    call({ type: 'RECONCILE_OPERATIONS', reconcile_operations: { operations: [] } }),
  ],
  [
    'messages_launch_tasks messages_status_update valid_status_updates ' +
      'messages_status_update_acknowledgement valid_status_update_acknowledgements',
    (world) => void world.running(),
  ],
  ['invalid_status_update_acknowledgements', acknowledgeUnknown],
  [
    'invalid_status_updates',
    (world) => {
      const { framework, agent } = world.running();
      world.call(framework, { type: 'TEARDOWN' });
      world.update(agent, framework, 't', 'TASK_KILLED', 2);
    },
  ],
  [
    'messages_framework_to_executor valid_framework_to_executor_messages',
    (world) => message(world, world.subscribe(), world.register()),
  ],
  [
    'invalid_framework_to_executor_messages',
    (world) => message(world, world.subscribe(), { id: 'nobody', connection: 0 }),
  ],
  [
    'messages_executor_to_framework valid_executor_to_framework_messages',
    (world) => executorMessage(world, world.subscribe().id, world.register()),
  ],
  [
    'invalid_executor_to_framework_messages',
    (world) => executorMessage(world, 'nobody', world.register()),
  ],
  [
    'messages_exited_executor',
    (world) =>
      void world.frame(world.register().connection, {
        type: 'EXECUTOR_EXITED',
        executor_exited: {
          framework_id: { value: 'nobody' },
          executor_id: { value: 'e' },
          status: 0,
        },
      }),
  ],
  ['tasks_finished', end('TASK_FINISHED')],
  ['tasks_failed', end('TASK_FAILED')],
  ['tasks_killed', end('TASK_KILLED')],
  ['tasks_lost', end('TASK_LOST')],
  [
    'tasks_error',
    (world) => {
      const framework = world.subscribe();
      world.register();
      world.settle();
      world.launch(framework, [task('t', { id: 'other', connection: 0 })]);
    },
  ],
  [
    'tasks_dropped',
    (world) => {
      const framework = world.subscribe();
      const agent = world.register();
      world.launch(framework, [task('t', agent)], ['no-offer']);
    },
  ],
  [
    'tasks_gone',
    (world) => {
      const { agent } = world.running();
      world.frame(agent.connection, { type: 'UNREGISTER', unregister: {} });
    },
  ],
  ['tasks_gone_by_operator', (world) => markGone(world, world.running().agent)],
];

test.each(ROWS)('%s', (names, drive) => {
  const world = new World();
  drive(world);
  const { counters } = world.master.state;
  const read = names.split(' ').map((name) => [name, counters.get(`master/${name}`) ?? 0]);
  expect(read).toEqual(names.split(' ').map((name) => [name, 1]));
});

/** Operations, whose scene is another one. */
const OPERATION_ROWS: readonly (readonly [names: string, drive: () => World])[] = [
  [
    'operations/reserve/finished operations/finished messages_operation_status_update ' +
      'valid_operation_status_updates',
    () => {
      const set = scene();
      const [frame] = applied(operate(set, [RESERVE]), set.agent);
      set.world.frame(set.agent.connection, {
        type: 'OPERATION_UPDATE',
        operation_update: {
          operation_uuid: frame?.operation_uuid ?? new Uint8Array(),
          status: { state: 'OPERATION_FINISHED', uuid: { value: uuidOf(1) } },
        },
      });
      return set.world;
    },
  ],
  [
    'invalid_operation_status_updates',
    () => {
      const { world, agent } = scene();
      world.frame(agent.connection, {
        type: 'OPERATION_UPDATE',
        operation_update: {
          operation_uuid: uuidOf(9),
          status: { state: 'OPERATION_FINISHED', uuid: { value: uuidOf(1) } },
        },
      });
      return world;
    },
  ],
  [
    'messages_operation_status_update_acknowledgement invalid_operation_status_update_acknowledgements',
    () => {
      const { world, framework, agent } = scene();
      world.call(framework, {
        type: 'ACKNOWLEDGE_OPERATION_STATUS',
        acknowledge_operation_status: {
          agent_id: { value: agent.id },
          uuid: uuidOf(1),
          operation_id: { value: 'nothing' },
        },
      });
      return world;
    },
  ],
  [
    'valid_operation_status_update_acknowledgements',
    () => {
      const set = scene();
      const [frame] = applied(operate(set, [{ ...RESERVE, id: { value: 'op' } }]), set.agent);
      set.world.frame(set.agent.connection, {
        type: 'OPERATION_UPDATE',
        operation_update: {
          framework_id: { value: set.framework.id },
          operation_uuid: frame?.operation_uuid ?? new Uint8Array(),
          status: {
            operation_id: { value: 'op' },
            state: 'OPERATION_FINISHED',
            uuid: { value: uuidOf(1) },
          },
        },
      });
      set.world.call(set.framework, {
        type: 'ACKNOWLEDGE_OPERATION_STATUS',
        acknowledge_operation_status: {
          agent_id: { value: set.agent.id },
          uuid: uuidOf(1),
          operation_id: { value: 'op' },
        },
      });
      return set.world;
    },
  ],
];

test.each(OPERATION_ROWS)('%s', (names, drive) => {
  const { counters } = drive().master.state;
  const read = names.split(' ').map((name) => [name, counters.get(`master/${name}`) ?? 0]);
  expect(read).toEqual(names.split(' ').map((name) => [name, 1]));
});

test('LAUNCH without tasks is an old way to decline', () => {
  const world = new World();
  const framework = world.subscribe();
  world.register();
  world.settle();
  world.launch(framework, []);
  const { counters } = world.master.state;
  expect(counters.get('master/messages_decline_offers')).toBe(1);
  expect(counters.get('master/messages_launch_tasks')).toBeUndefined();
});

test('no counter is shown that no row moves', () => {
  const moved = new Set([...ROWS, ...OPERATION_ROWS].flatMap(([names]) => names.split(' ')));
  // Ends of operations are counted in one place, by type and state; failovers have a test of their own.
  const elsewhere = /^(operations\/|recovery_slave_removals$|slave_unreachable_canceled$)/;
  const still = COUNTERS.filter(
    (name) =>
      name.startsWith('master/') &&
      !NEVER.has(name) &&
      !moved.has(name.slice('master/'.length)) &&
      !elsewhere.test(name.slice('master/'.length)),
  );
  expect(still).toEqual([]);
});
