/** LAUNCH_GROUP, and LAUNCH of tasks that bring an executor. */

import { describe, expect, test } from 'vitest';
import type { ExecutorInfo, Offer_Operation, Resource, TaskInfo } from '@dcos/wire';
import { eventsOf, framesOf, resources, task, World, type TestAgent } from '../testing/world.ts';
import type { offered } from '../testing/launch-scene.ts';
import { operate } from '../testing/launch-scene.ts';

const POD: ExecutorInfo = {
  type: 'DEFAULT',
  executor_id: { value: 'pod' },
  resources: [
    ...resources({ cpus: 0.1, mem: 32 }),
    { name: 'disk', type: 'SCALAR', scalar: { value: 10 } },
  ],
};
const CUSTOM: ExecutorInfo = {
  type: 'CUSTOM',
  executor_id: { value: 'custom' },
  command: { value: './run' },
  resources: resources({ cpus: 0.5, mem: 64 }),
};

const VOLUME: Resource = {
  name: 'disk',
  type: 'SCALAR',
  scalar: { value: 10 },
  reservations: [{ type: 'DYNAMIC', role: 'dev' }],
  disk: { persistence: { id: 'v' }, volume: { mode: 'RW', container_path: 'data' } },
};

function ownCgroups(id: string, agent: TestAgent): TaskInfo {
  return task(id, agent, { container: { type: 'MESOS', linux_info: { share_cgroups: false } } });
}

/** Like `offered`, with disk, which executors of groups need. */
function offeredWithDisk(): ReturnType<typeof offered> {
  const world = new World();
  const framework = world.subscribe();
  const agent = world.register({
    agent_info: {
      hostname: 'host',
      port: 5051,
      resources: resources({ cpus: 4, mem: 4096, disk: 1000 }),
    },
  });
  world.settle();
  return { world, framework, agent };
}

function group(
  executor: ExecutorInfo,
  tasks: readonly TaskInfo[],
  more: Partial<Offer_Operation> = {},
): Offer_Operation {
  return { type: 'LAUNCH_GROUP', launch_group: { executor, task_group: { tasks } }, ...more };
}

function customTask(id: string, agent: TestAgent, executor = CUSTOM): TaskInfo {
  const { command: _command, ...rest } = task(id, agent);
  return { ...rest, executor };
}

function cpusUsed(world: World): number {
  const used = world.master.snapshot().agents[0]?.used ?? [];
  return used
    .filter(({ name }) => name === 'cpus')
    .reduce((sum, { scalar }) => sum + (scalar?.value ?? 0), 0);
}

describe('LAUNCH_GROUP', () => {
  test('launches all tasks with their executor in one frame', () => {
    const { world, framework, agent } = offeredWithDisk();
    const tasks = ['a', 'b'].map((id) => task(id, agent));
    const { effects } = operate(world, framework, [group(POD, tasks)]);
    const frames = framesOf(effects, agent.connection);
    expect(frames.map(({ type }) => type)).toEqual(['RUN_TASK_GROUP']);
    const sent = frames[0]?.run_task_group;
    expect(sent?.executor.framework_id).toEqual({ value: framework.id });
    expect(sent?.task_group.tasks?.map(({ task_id }) => task_id.value)).toEqual(['a', 'b']);
    expect(sent?.launch_executor).toBe(true);
    expect(cpusUsed(world)).toBeCloseTo(2.1);
    // A second one under an executor that runs is not to start it again: nothing is accounted for that.
    world.settle();
    const more = operate(world, framework, [group(POD, [task('c', agent)])]).effects;
    const [second] = framesOf(more, agent.connection);
    expect(second?.run_task_group?.launch_executor).toBe(false);
    expect(cpusUsed(world)).toBeCloseTo(3.1);
  });

  const refusals: readonly {
    readonly what: string;
    readonly operation: (agent: TestAgent) => Offer_Operation;
    readonly message: RegExp;
  }[] = [
    {
      what: 'one task that is invalid',
      operation: (agent) => group(POD, [task('a', agent), task('b', agent, { resources: [] })]),
      message: /Task 'b' is invalid: Task uses no resources/,
    },
    {
      what: 'an executor without type',
      operation: (agent) => {
        const { type: _type, ...executor } = POD;
        return group(executor, [task('a', agent)]);
      },
      message: /'LAUNCH_GROUP.executor.type' must be set/,
    },
    {
      what: 'a default executor with a command',
      operation: (agent) => group({ ...POD, command: { value: 'x' } }, [task('a', agent)]),
      message: /'ExecutorInfo.command' must not be set for 'DEFAULT' executor/,
    },
    {
      what: 'a default executor with an image',
      operation: (agent) =>
        group({ ...POD, container: { type: 'MESOS', mesos: { image: { type: 'DOCKER' } } } }, [
          task('a', agent),
        ]),
      message: /image' must not be set for 'DEFAULT' executor/,
    },
    {
      what: 'an executor without disk',
      operation: (agent) =>
        group({ ...POD, resources: resources({ cpus: 0.1, mem: 32 }) }, [task('a', agent)]),
      message: /needs disk/,
    },
    {
      what: 'an executor with hardly any memory',
      operation: (agent) =>
        group({ ...POD, resources: resources({ cpus: 0.1, mem: 1, disk: 1 }) }, [task('a', agent)]),
      message: /less memory than the minimum required/,
    },
    {
      what: 'a Docker container',
      operation: (agent) =>
        group(POD, [task('a', agent, { container: { type: 'DOCKER', docker: { image: 'x' } } })]),
      message: /Docker ContainerInfo is not supported on the task/,
    },
    {
      what: 'the same id twice',
      operation: (agent) => group(POD, [task('a', agent), task('a', agent)]),
      message: /duplicate task ID: a/,
    },
    {
      what: 'more than was offered',
      operation: (agent) =>
        group(POD, [task('a', agent, { resources: resources({ cpus: 4, mem: 32 }) })]),
      message: /required by task group and its executor are more than available/,
    },
    {
      what: 'an id of the operation',
      operation: (agent) => group(POD, [task('a', agent)], { id: { value: 'op' } }),
      message: /'id' is not allowed in a LAUNCH_GROUP operation/,
    },
    {
      what: 'one task that shares control groups, as is the default, and one that does not',
      operation: (agent) => group(POD, [ownCgroups('a', agent), task('b', agent)]),
      message: /'share_cgroups' must be the same for all tasks/,
    },
    {
      what: 'an executor that shares control groups',
      operation: (agent) => {
        const container = { type: 'MESOS', linux_info: { share_cgroups: true } } as const;
        return group({ ...POD, container }, [task('a', agent)]);
      },
      message: /'share_cgroups' cannot be true for an executor/,
    },
    {
      what: 'one volume for two tasks',
      operation: (agent) => {
        const using = { resources: [...resources({ cpus: 0.1 }), VOLUME] };
        return group(POD, [task('a', agent, using), task('b', agent, using)]);
      },
      message: /Task group with its executor uses duplicate persistence ID v/,
    },
  ];
  test.each(refusals)('with $what is refused as a whole', ({ operation, message }) => {
    const { world, framework, agent } = offeredWithDisk();
    const { effects } = operate(world, framework, [operation(agent)]);
    expect(framesOf(effects, agent.connection)).toEqual([]);
    const updates = eventsOf(effects, framework.streamId).map(({ update }) => update?.status);
    expect(updates.length).toBeGreaterThan(0);
    for (const status of updates) {
      expect(status).toMatchObject({ state: 'TASK_ERROR', reason: 'REASON_TASK_GROUP_INVALID' });
      expect(status?.message).toMatch(message);
    }
    expect(cpusUsed(world)).toBe(0);
  });
});

test('a group may not share control groups otherwise than the tasks that its executor runs', () => {
  const { world, framework, agent } = offeredWithDisk();
  operate(world, framework, [group(POD, [ownCgroups('a', agent)])]);
  world.settle();
  const { effects } = operate(world, framework, [
    group(POD, [task('b', agent)]),
    group(POD, [ownCgroups('c', agent)]),
  ]);
  const [status] = eventsOf(effects, framework.streamId).map(({ update }) => update?.status);
  expect(status?.task_id).toEqual({ value: 'b' });
  expect(status?.message).toMatch(/'share_cgroups' must be the same for all tasks/);
  expect(framesOf(effects, agent.connection)).toHaveLength(1);
});

describe('tasks with an executor of their own', () => {
  test.each([
    {
      what: 'of the default type',
      change: { type: 'DEFAULT', command: undefined } as const,
      message: /'ExecutorInfo.type' must be 'CUSTOM'/,
    },
    {
      what: 'with the volume of the task',
      change: { resources: [...resources({ cpus: 0.1 }), VOLUME] },
      message: /Task with its executor uses duplicate persistence ID v/,
    },
    {
      what: 'with revocable cpus beside cpus of the task',
      change: { resources: resources({ cpus: 0.1 }).map((cpus) => ({ ...cpus, revocable: {} })) },
      message: /Task with its executor mixes revocable and non-revocable resources of 'cpus'/,
    },
  ])('are refused with one $what', ({ change, message }) => {
    const { world, framework, agent } = offeredWithDisk();
    const { command, ...executor } = { ...CUSTOM, ...change };
    const own = customTask('a', agent, command === undefined ? executor : { ...executor, command });
    const given = { ...own, resources: [...resources({ cpus: 1 }), VOLUME] };
    const { effects } = world.launch(framework, [given]);
    const [status] = eventsOf(effects, framework.streamId).map(({ update }) => update?.status);
    expect(status).toMatchObject({ state: 'TASK_ERROR', reason: 'REASON_TASK_INVALID' });
    expect(status?.message).toMatch(message);
  });

  test('pay for the executor once, until it exits', () => {
    const { world, framework, agent } = offeredWithDisk();
    world.launch(framework, [customTask('a', agent)]);
    world.settle();
    expect(cpusUsed(world)).toBe(1.5);
    const [offer] = world.master.snapshot().offers;
    expect(offer).toBeDefined();
    world.launch(framework, [customTask('b', agent)]);
    expect(cpusUsed(world)).toBe(2.5);
    const offers = eventsOf(world.settle(), framework.streamId).flatMap(
      (event) => event.offers?.offers ?? [],
    );
    expect(offers[0]?.executor_ids).toEqual([{ value: 'custom' }]);
    const effects = world.frame(agent.connection, {
      type: 'EXECUTOR_EXITED',
      executor_exited: {
        framework_id: { value: framework.id },
        executor_id: { value: 'custom' },
        status: 9,
      },
    });
    expect(eventsOf(effects, framework.streamId)).toMatchObject([
      { type: 'FAILURE', failure: { executor_id: { value: 'custom' }, status: 9 } },
    ]);
    expect(cpusUsed(world)).toBe(2);
  });

  test('may not bring another executor under the id of one that runs', () => {
    const { world, framework, agent } = offeredWithDisk();
    world.launch(framework, [customTask('a', agent)]);
    world.settle();
    const other = { ...CUSTOM, command: { value: './other' } };
    const { effects } = world.launch(framework, [customTask('b', agent, other)]);
    const [status] = eventsOf(effects, framework.streamId).map(({ update }) => update?.status);
    expect(status?.message).toMatch(/not compatible with existing ExecutorInfo/);
  });

  test('are known again, executor and all, to a master that learns them from the agent', () => {
    const { world, framework, agent } = offeredWithDisk();
    world.launch(framework, [customTask('a', agent)]);
    const next = new World({ id: 'm2', registry: world.registry });
    next.register({
      id: agent.id,
      executors: [
        {
          framework_id: { value: framework.id },
          executor_info: {
            ...CUSTOM,
            resources: (CUSTOM.resources ?? []).map((resource) => ({
              ...resource,
              allocation_info: { role: '*' },
            })),
          },
        },
      ],
    });
    expect(cpusUsed(next)).toBe(0.5);
    expect(next.master.state.agents.get(agent.id as never)?.executors.size).toBe(1);
  });
});
