import { describe, expect, test } from 'vitest';
import { SchedulerWorld, type TestAgent } from './testing/scheduler-world.ts';

const A: TestAgent = { id: 'S0', hostname: 'a', cpus: 32 };
const WEB = { id: '/shop/web', cmd: 'serve', cpus: 0.1, mem: 32 };

function running(): SchedulerWorld {
  const world = new SchedulerWorld({ drainMs: 0 });
  world.subscribe();
  world.create(WEB);
  world.offer(A);
  world.runAll();
  return world;
}

describe('the event bus', () => {
  test('names the group of an app that is created', () => {
    const world = running();
    const event = world.events.find(({ eventType }) => eventType === 'group_change_success');
    expect(event?.data).toMatchObject({ groupId: '/shop' });
  });

  test('tells the end of an instance that is not replaced', () => {
    const world = running();
    world.events.splice(0);
    world.update('/shop/web', { instances: 0 });
    const [taskId = ''] = world.killed;
    world.status(taskId, 'TASK_KILLING');
    world.status(taskId, 'TASK_KILLED');
    const conditions = world.events
      .filter(({ eventType }) => eventType === 'instance_changed_event')
      .map(({ data }) => data.condition);
    expect(conditions).toEqual(['Killing', 'Killed']);
  });
});

describe('a framework that the master has removed', () => {
  test('leaves no instance behind that was about to stop', () => {
    const world = running();
    world.update('/shop/web', { instances: 0 });
    world.send({ kind: 'frameworkRemoved' });
    world.tasks.clear();
    expect(world.instances()).toEqual([]);
    expect(world.state.deployments.size).toBe(0);
  });
});
