import { describe, expect, test } from 'vitest';
import type { TaskInfo } from '@dcos/wire';
import { eventsOf, frameworkInfo, resources, statusesOf, task } from '../testing/world.ts';
import { offered } from '../testing/launch-scene.ts';

interface InvalidTask {
  readonly what: string;
  readonly change: Partial<TaskInfo>;
  readonly message: RegExp;
}

const INVALID: readonly InvalidTask[] = [
  {
    what: 'an id with a slash',
    change: { task_id: { value: 'bad/../id' } },
    message: /^'bad\/\.\.\/id' contains invalid characters$/,
  },
  { what: 'an empty id', change: { task_id: { value: '' } }, message: /must not be empty/ },
  {
    what: 'another agent',
    change: { agent_id: { value: 'other' } },
    message: /invalid agent other while agent m-S0 is expected/,
  },
  {
    what: 'more than is offered',
    change: { resources: resources({ cpus: 1000, mem: 32 }) },
    message:
      /^Total resources cpus\(allocated: \*\):1000; mem\(allocated: \*\):32 required by task and its executor is more than available .*cpus\(allocated: \*\):4/,
  },
  { what: 'no resources', change: { resources: [] }, message: /no resources/ },
  {
    what: 'a negative amount',
    change: { resources: resources({ cpus: -1 }) },
    message: /invalid resources/,
  },
  {
    what: 'an executor beside the command',
    change: { executor: { executor_id: { value: 'e' } } },
    message:
      /^Task should have at least one \(but not both\) of CommandInfo or ExecutorInfo present$/,
  },
  {
    what: 'a command without a value',
    change: { command: {} },
    message: /does not specify a 'value'/,
  },
  {
    what: 'a secret variable without its secret',
    change: {
      command: { value: 'x', environment: { variables: [{ name: 'S', type: 'SECRET' }] } },
    },
    message: /'S' of type 'SECRET' must have a secret set/,
  },
  {
    what: 'a health check without its kind',
    change: { health_check: {} },
    message: /must specify 'type'/,
  },
  {
    what: 'a check without its part',
    change: { check: { type: 'HTTP' } },
    message: /Expecting 'http' to be set/,
  },
  {
    what: 'a check of port 0',
    change: { health_check: { type: 'TCP', tcp: { port: 0 } } },
    message: /0 is not a valid port/,
  },
  {
    what: 'a negative grace period',
    change: { kill_policy: { grace_period: { nanoseconds: -1 } } },
    message: /must be non-negative/,
  },
  {
    what: 'limits on an agent without them',
    change: { limits: { cpus: { value: 2 } } },
    message: /not capable of resource limits/,
  },
  {
    what: 'control groups of its own outside of a group',
    change: { container: { type: 'MESOS', linux_info: { share_cgroups: false } } },
    message: /'share_cgroups' may be false for tasks of a group only/,
  },
];

describe('a task that cannot be launched ends in TASK_ERROR and changes nothing else', () => {
  test.each(INVALID)('$what', ({ change, message }) => {
    const { world, framework, agent } = offered();
    const good = task('good', agent, { resources: resources({ cpus: 0.1, mem: 32 }) });
    const { status, effects } = world.launch(framework, [task('t', agent, change), good]);
    expect(status).toBe(202);
    const [update] = eventsOf(effects, framework.streamId);
    expect(update?.update?.status).toMatchObject({
      state: 'TASK_ERROR',
      reason: 'REASON_TASK_INVALID',
      source: 'SOURCE_MASTER',
    });
    expect(update?.update?.status.message).toMatch(message);
    expect(update?.update?.status.uuid).toBeUndefined();
    const [left] = world.master.snapshot().frameworks;
    expect(left?.tasks.map(({ taskId }) => taskId)).toEqual(['good']);
  });

  test('a second task of the same id', () => {
    const { world, framework, agent } = offered();
    const { effects } = world.launch(framework, [
      task('t', agent, { resources: resources({ cpus: 1 }) }),
      task('t', agent, { resources: resources({ cpus: 1 }) }),
    ]);
    expect(eventsOf(effects, framework.streamId)[0]?.update?.status.message).toBe(
      'Task has duplicate ID: t',
    );
  });

  test('neither command nor executor', () => {
    const { world, framework, agent } = offered();
    const { command: _command, ...bare } = task('t', agent);
    expect(
      eventsOf(world.launch(framework, [bare]).effects, framework.streamId)[0]?.update?.status
        .message,
    ).toBe('Task should have at least one (but not both) of CommandInfo or ExecutorInfo present');
  });
});

describe('offers that cannot be used', () => {
  test.each([
    {
      what: 'unknown',
      offers: ['no-such-offer'],
      message: 'Task launched with invalid offers: Offer no-such-offer is no longer valid',
    },
    { what: 'none', offers: [], message: 'Task launched with invalid offers: No offers specified' },
    {
      what: 'twice the same',
      offers: ['m-O0', 'm-O0'],
      message: 'Task launched with invalid offers: Duplicate offer m-O0 in offer list',
    },
  ])('$what', ({ offers, message }) => {
    const { world, framework, agent } = offered();
    const { effects } = world.launch(framework, [task('t', agent)], offers);
    expect(eventsOf(effects, framework.streamId)[0]?.update?.status).toMatchObject({
      state: 'TASK_DROPPED',
      reason: 'REASON_INVALID_OFFERS',
      message,
    });
  });

  test('of another framework', () => {
    const { world, framework, agent } = offered();
    const other = world.subscribe(frameworkInfo({ name: 'other' }));
    const { effects } = world.launch(other, [task('t', agent)], world.offersOf(framework));
    expect(statusesOf(effects, other)).toEqual([
      { task: 't', state: 'TASK_DROPPED', reason: 'REASON_INVALID_OFFERS' },
    ]);
    expect(world.offersOf(framework)).toEqual(['m-O0']);
  });

  test('of two agents', () => {
    const { world, framework, agent } = offered();
    world.register();
    world.settle();
    const { effects } = world.launch(framework, [task('t', agent)]);
    expect(eventsOf(effects, framework.streamId)[0]?.update?.status.message).toMatch(
      /one single agent/,
    );
    expect(world.offersOf(framework)).toEqual([]);
  });

  test('a framework that does not know partitions sees TASK_LOST', () => {
    const { world, framework, agent } = offered(
      frameworkInfo({ capabilities: [{ type: 'MULTI_ROLE' }] }),
    );
    const { effects } = world.launch(framework, [task('t', agent)], ['gone']);
    expect(statusesOf(effects, framework)[0]?.state).toBe('TASK_LOST');
  });
});

test('what an accept leaves over comes back to the allocator', () => {
  const { world, framework, agent } = offered();
  world.launch(framework, [task('t', agent)]);
  world.settle();
  const [offer] = world.master.snapshot().offers;
  expect(offer?.resources.find(({ name }) => name === 'cpus')?.scalar?.value).toBe(3);
});

test('a framework without MULTI_ROLE sees no allocation and may send none', () => {
  const { world, framework, agent } = offered({ user: 'root', name: 'old', role: 'dev' });
  const [offer] = eventsOf(world.effects, framework.streamId).flatMap(
    ({ offers }) => offers?.offers ?? [],
  );
  expect(offer?.allocation_info).toBeUndefined();
  expect(offer?.resources?.some(({ allocation_info }) => allocation_info !== undefined)).toBe(
    false,
  );
  world.launch(framework, [task('t', agent)]);
  const [left] = world.master.snapshot().frameworks;
  expect(left?.tasks[0]?.resources[0]?.allocation_info).toEqual({ role: 'dev' });
});
