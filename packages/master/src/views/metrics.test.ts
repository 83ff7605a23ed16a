import { createMetrics } from '@dcos/telemetry';
import { createAllocator } from '@dcos/allocator';
import { seededRandom } from '@dcos/base';
import { expect, test } from 'vitest';
import { frameworkInfo, operatorEventsOf, resources, task, World } from '../testing/world.ts';
import { createMasterMetrics } from './metrics.ts';

function measured({ perFramework = true } = {}) {
  const allocator = createAllocator({ random: seededRandom(1), allocationIntervalMs: 1000 });
  const world = new World({ allocator });
  const metrics = createMasterMetrics(
    createMetrics(),
    { state: world.master.state, allocator },
    { uptimeSeconds: () => 0, subscribers: () => 0, perFramework, principals: () => ({}) },
  );
  return { world, metrics };
}

test('calls, events, offers, operations and ends are counted for each framework while it lives', () => {
  const { world, metrics } = measured();
  const framework = world.subscribe();
  const agent = world.register();
  world.settle();
  const invalid = task('bad', { id: 'other', connection: 0 });
  world.launch(framework, [task('t', agent), invalid]);
  world.update(agent, framework, 't', 'TASK_FAILED', 1);
  world.settle();
  world.call(framework, {
    type: 'DECLINE',
    decline: { offer_ids: world.offersOf(framework).map((value) => ({ value })) },
  });
  const prefix = `master/frameworks/test/${framework.id}/`;
  const own = (): Record<string, number> =>
    Object.fromEntries(
      Object.entries(metrics.snapshot())
        .filter(([name, value]) => name.startsWith(prefix) && value !== 0)
        .map(([name, value]) => [name.slice(prefix.length), value]),
    );
  expect(own()).toEqual({
    subscribed: 1,
    calls: 3,
    'calls/subscribe': 1,
    'calls/accept': 1,
    'calls/decline': 1,
    events: 6,
    'events/subscribed': 1,
    'events/heartbeat': 1,
    'events/offers': 2,
    'events/update': 2,
    'offers/sent': 2,
    'offers/accepted': 1,
    'offers/declined': 1,
    operations: 1,
    'operations/launch': 1,
    'tasks/terminal/task_error': 1,
    'tasks/terminal/task_failed': 1,
  });
  world.call(framework, { type: 'TEARDOWN' });
  expect(own()).toEqual({});
});

test('an agent that says goodbye is out of the registry, counted, and told of', () => {
  const { world, metrics } = measured();
  const agent = world.register();
  const effects = world.frame(agent.connection, { type: 'UNREGISTER', unregister: {} });
  expect([...world.registry.keys()]).toEqual([]);
  expect(operatorEventsOf(effects)).toContain('AGENT_REMOVED');
  expect(metrics.snapshot()).toMatchObject({
    'master/slave_removals': 1,
    'master/slave_removals/reason_unregistered': 1,
    'master/slaves_connected': 0,
  });
});

test('operations are counted while they are under way and when they have ended', () => {
  const { world, metrics } = measured();
  const framework = world.subscribe(frameworkInfo({ roles: ['dev'], principal: 'ops' }));
  const agent = world.register();
  world.settle();
  const reserve = resources({ cpus: 1 }).map((resource) => ({
    ...resource,
    reservations: [{ type: 'DYNAMIC', role: 'dev', principal: 'ops' }] as const,
  }));
  const readings = (): Record<string, number> =>
    Object.fromEntries(
      Object.entries(metrics.snapshot()).filter(
        ([name, value]) => name.startsWith('master/operations/') && value !== 0,
      ),
    );
  expect(metrics.snapshot()).toMatchObject({ 'master/operations/reserve/finished': 0 });
  world.call(framework, {
    type: 'ACCEPT',
    accept: {
      offer_ids: world.offersOf(framework).map((value) => ({ value })),
      operations: [{ type: 'RESERVE', reserve: { resources: reserve } }],
    },
  });
  expect(readings()).toEqual({
    'master/operations/total': 1,
    'master/operations/pending': 1,
    'master/operations/reserve/total': 1,
    'master/operations/reserve/pending': 1,
  });
  world.frame(agent.connection, { type: 'UNREGISTER', unregister: {} });
  expect(readings()).toEqual({
    'master/operations/dropped': 1,
    'master/operations/reserve/dropped': 1,
  });
});

test('an agent that operators deactivated is connected, but not active', () => {
  const { world, metrics } = measured();
  const agent = world.register();
  const kinds = ['connected', 'disconnected', 'active', 'inactive'] as const;
  const counts = (): readonly (number | undefined)[] => {
    const readings = metrics.snapshot();
    return kinds.map((kind) => readings[`master/slaves_${kind}`]);
  };
  expect(counts()).toEqual([1, 0, 1, 0]);
  world.operator({
    type: 'DEACTIVATE_AGENT',
    deactivate_agent: { agent_id: { value: agent.id } },
  });
  expect(counts()).toEqual([1, 0, 0, 1]);
  world.handle({ kind: 'agentClosed', connection: agent.connection });
  expect(counts()).toEqual([0, 1, 0, 1]);
});

test('metrics of each framework can be switched off', () => {
  const { world, metrics } = measured({ perFramework: false });
  world.subscribe();
  const names = Object.keys(metrics.snapshot());
  expect(names.filter((name) => name.startsWith('master/frameworks/'))).toEqual([]);
  expect(names).toContain('allocator/mesos/roles/*/shares/dominant');
});
