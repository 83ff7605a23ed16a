import { expect, test } from 'vitest';
import { createAllocator } from '@dcos/allocator';
import { seededRandom } from '@dcos/base';
import { AGENT_CAPABILITIES, frameworkInfo, resources, task, World } from '../testing/world.ts';
import { roleReadings } from './role-metrics.ts';

function measured() {
  const allocator = createAllocator({ random: seededRandom(1), allocationIntervalMs: 1000 });
  const world = new World({ allocator });
  const readings = (part: string): Readonly<Record<string, number>> =>
    Object.fromEntries(
      Object.entries(roleReadings(world.master.state, allocator))
        .filter(([name]) => name.includes(part))
        .map(([name, value]) => [name.slice(name.indexOf(part) + part.length), value]),
    );
  return { world, readings };
}

test('quota shows what it promises and allows, and what the role has with all below it', () => {
  const { world, readings } = measured();
  world.operator({
    type: 'UPDATE_QUOTA',
    update_quota: {
      force: true,
      quota_configs: [
        {
          role: 'dev',
          guarantees: { cpus: { value: 2 } },
          limits: { cpus: { value: 3 }, mem: { value: 2048 } },
        },
      ],
    },
  });
  const quota = (): Readonly<Record<string, number>> => readings('quota/roles/dev/resources/');
  expect(quota()).toEqual({
    'cpus/guarantee': 2,
    'cpus/limit': 3,
    'cpus/offered_or_allocated': 0,
    'cpus/consumed': 0,
    'mem/limit': 2048,
    'mem/offered_or_allocated': 0,
    'mem/consumed': 0,
  });
  const framework = world.subscribe(frameworkInfo({ roles: ['dev/a'] }));
  const agent = world.register({
    agent_info: {
      hostname: 'host',
      port: 5051,
      resources: [
        ...resources({ cpus: 4, mem: 4096 }),
        {
          name: 'cpus',
          type: 'SCALAR',
          scalar: { value: 0.5 },
          reservations: [{ type: 'STATIC', role: 'dev/b' }],
        },
      ],
    },
    capabilities: AGENT_CAPABILITIES,
  });
  world.settle();
  // Offered is as good as used; what is reserved counts as consumed whether it is used or not.
  expect(quota()).toMatchObject({ 'cpus/offered_or_allocated': 2.5, 'cpus/consumed': 0.5 });
  world.launch(framework, [task('t', agent)]);
  expect(quota()).toMatchObject({ 'cpus/consumed': 1.5, 'mem/consumed': 128 });
});

test('a role without quota shows what it consumes only', () => {
  const { world, readings } = measured();
  world.running();
  expect(readings('quota/roles/')).toEqual({
    '*/resources/cpus/consumed': 1,
    '*/resources/mem/consumed': 128,
  });
});

test('a role shows its share and its filters as long as somebody is subscribed to it', () => {
  const { world, readings } = measured();
  const { framework } = world.running();
  world.advance(1_000);
  expect(world.offersOf(framework)).toHaveLength(1);
  expect(readings('mesos/roles/')).toEqual({ '*/shares/dominant': 1 });
  world.call(framework, {
    type: 'DECLINE',
    decline: { offer_ids: world.offersOf(framework).map((value) => ({ value })) },
  });
  expect(readings('mesos/roles/')).toEqual({ '*/shares/dominant': 0.25 });
  expect(readings('offer_filters/roles/')).toEqual({ '*/active': 1 });
  world.call(framework, { type: 'TEARDOWN' });
  expect(readings('mesos/roles/')).toEqual({});
  expect(readings('offer_filters/roles/')).toEqual({});
});
