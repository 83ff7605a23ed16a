import { expect, test } from 'vitest';
import {
  eventsOf,
  framesOf,
  frameworkInfo,
  operatorEventsOf,
  statusesOf,
  task,
  taskState,
  World,
} from '../testing/world.ts';

test('a task goes from subscription to its acknowledged end', () => {
  const world = new World();
  const framework = world.subscribe();
  expect(framework.id).toBe('m-0000');
  const agent = world.register();
  expect(agent.id).toBe('m-S0');
  const offered = eventsOf(world.settle(), framework.streamId);
  expect(offered.map(({ type }) => type)).toEqual(['OFFERS']);
  expect(offered[0]?.offers?.offers?.[0]).toMatchObject({
    id: { value: 'm-O0' },
    agent_id: { value: agent.id },
    allocation_info: { role: '*' },
    url: { path: '/slave(1)' },
  });

  const launched = world.launch(framework, [task('t', agent)]);
  expect(launched.status).toBe(202);
  expect(framesOf(launched.effects, agent.connection)).toMatchObject([
    {
      type: 'RUN_TASK',
      run_task: {
        task: { task_id: { value: 't' }, resources: [{ allocation_info: { role: '*' } }, {}] },
      },
    },
  ]);
  expect(operatorEventsOf(launched.effects)).toEqual(['TASK_ADDED']);
  expect(taskState(world, 't')).toBe('TASK_STAGING');

  expect(statusesOf(world.update(agent, framework, 't', 'TASK_RUNNING', 1), framework)).toEqual([
    { task: 't', state: 'TASK_RUNNING', reason: undefined },
  ]);
  expect(
    framesOf(world.acknowledge(agent, framework, 't', 1).effects, agent.connection),
  ).toMatchObject([{ type: 'ACKNOWLEDGE', acknowledge: { task_id: { value: 't' } } }]);

  world.update(agent, framework, 't', 'TASK_FINISHED', 2);
  expect(taskState(world, 't')).toBe('TASK_FINISHED');
  world.acknowledge(agent, framework, 't', 2);
  expect(taskState(world, 't')).toBeUndefined();
  const [left] = world.master.snapshot().frameworks;
  expect(left?.completedTasks).toEqual([{ taskId: 't', state: 'TASK_FINISHED' }]);
  const [books] = world.master.snapshot().agents;
  expect(books?.used).toEqual([]);
});

test('an agent hears that it is registered only behind the write of its record', () => {
  const world = new World();
  world.register();
  const kinds = world.effects.map((effect) =>
    effect.kind === 'sendToAgent' ? effect.frame.type : effect.kind,
  );
  expect(kinds.indexOf('persist')).toBeLessThan(kinds.indexOf('REGISTERED'));
  expect(kinds).toContain('persist');
  expect([...world.registry.keys()]).toEqual(['master/agents/m-S0']);
});

test('a framework hears its id only behind the write of its record', () => {
  const world = new World();
  world.subscribe(frameworkInfo());
  const kinds = world.effects.map((effect) =>
    effect.kind === 'sendToFramework' ? effect.event.type : effect.kind,
  );
  expect(kinds.indexOf('persist')).toBeLessThan(kinds.indexOf('SUBSCRIBED'));
  expect([...world.registry.keys()]).toEqual(['master/frameworks/m-0000']);
});
