/** Containers that are ended for what they took, or for others: what is told of it, also after a crash. */

import { beforeEach, expect, test } from 'vitest';
import { present, seededRandom, type ContainerId, type JsonObject } from '@dcos/base';
import type { agentProtocol, ExecutorInfo, FrameworkInfo, TaskInfo, TaskStatus } from '@dcos/wire';
import { createAgent, type Agent } from './agent.ts';
import type { AgentEffect, AgentEvent } from './events.ts';
import type { Limitation } from './limitations.ts';
import { DEFAULT_TIMES } from './options.ts';

const AWARE: FrameworkInfo = {
  user: '',
  name: 'f',
  id: { value: 'f' },
  capabilities: [{ type: 'PARTITION_AWARE' }],
};
const PLAIN: FrameworkInfo = { user: '', name: 'f', id: { value: 'f' } };
const DISK: Limitation = {
  reason: 'REASON_CONTAINER_LIMITATION_DISK',
  message: 'Disk usage (3MB) exceeds quota (1MB)',
  resources: [{ name: 'disk', type: 'SCALAR', scalar: { value: 1 } }],
};
const PREEMPTED: Limitation = {
  reason: 'REASON_CONTAINER_PREEMPTED',
  message: 'Container preempted by QoS correction',
};

let agent: Agent;
let now = 0;
let effects: readonly AgentEffect[] = [];
let records = new Map<string, JsonObject>();

function handle(event: AgentEvent): readonly AgentEffect[] {
  now += 1;
  effects = agent.handle(event, now);
  for (const effect of effects) {
    if (effect.kind !== 'persist') continue;
    if (effect.value === undefined) records.delete(effect.key);
    else records.set(effect.key, effect.value);
  }
  return effects;
}

const receive = (message: agentProtocol.ToAgent): readonly AgentEffect[] =>
  handle({ kind: 'received', message });

function makeAgent(): void {
  agent = createAgent({
    random: seededRandom(now),
    options: {
      info: { hostname: 'h' },
      ip: '10.0.0.1',
      version: '1',
      runtimes: new Set(['process']),
      times: DEFAULT_TIMES,
      completedTasksMax: 10,
      tasksMax: 10,
    },
  });
}

beforeEach(() => {
  now = 1_000_000;
  records = new Map();
  makeAgent();
  handle({ kind: 'start', records: new Map() });
  handle({ kind: 'containersFound', containers: [] });
  handle({ kind: 'connected' });
  const registered = {
    agent_id: { value: 'S0' },
    master_id: 'm',
    ping_interval_ms: 15_000,
    ping_timeout_ms: 75_000,
  };
  receive({ type: 'REGISTERED', registered });
});

const taskOf = (id: string): TaskInfo => ({
  name: id,
  task_id: { value: id },
  agent_id: { value: 'S0' },
  command: { value: 'x' },
});

function launched(): readonly ContainerId[] {
  return effects.flatMap((effect) => (effect.kind === 'launch' ? [effect.task.containerId] : []));
}

function started(id: ContainerId): ContainerId {
  handle({ kind: 'prepared', id });
  handle({ kind: 'started', id, pid: 42, ipAddresses: [] });
  return id;
}

function launch(framework: FrameworkInfo = AWARE): ContainerId {
  const task = taskOf('a');
  receive({ type: 'RUN_TASK', run_task: { framework_info: framework, task } });
  return present(launched()[0], 'a launch');
}

const lastOf = (id: string): TaskStatus =>
  present(
    agent
      .snapshot()
      .live.find(({ taskId }) => taskId === id)
      ?.statuses.at(-1),
    `a status of ${id}`,
  );

const KILLED = { kind: 'signaled', signal: 9 } as const;

test('a task over its disk is killed at once, and its end says why', () => {
  const id = started(launch());
  handle({ kind: 'limited', id, ...DISK });
  // Durable before the signal leaves.
  expect(effects.map(({ kind }) => kind).filter((kind) => kind !== 'cancelTimer')).toEqual([
    'log',
    'persist',
    'signal',
    'timer',
  ]);
  expect(effects).toContainEqual({ kind: 'signal', id, signal: 'SIGKILL' });
  handle({ kind: 'limited', id, ...DISK });
  expect(effects).toEqual([]);
  handle({ kind: 'exited', id, status: KILLED });
  expect(lastOf('a')).toMatchObject({
    state: 'TASK_FAILED',
    source: 'SOURCE_AGENT',
    reason: DISK.reason,
    message: DISK.message,
    limitation: { resources: DISK.resources },
  });
});

test.each([
  [AWARE, 'TASK_GONE'],
  [PLAIN, 'TASK_LOST'],
])('a task that gives way is gone, in the words of its framework', (framework, state) => {
  const id = started(launch(framework));
  handle({ kind: 'limited', id, ...PREEMPTED });
  handle({ kind: 'exited', id, status: KILLED });
  expect(lastOf('a')).toMatchObject({
    state,
    reason: PREEMPTED.reason,
    message: PREEMPTED.message,
  });
});

test('an agent that dies in between tells the reason', () => {
  const id = started(launch());
  handle({ kind: 'limited', id, ...DISK });
  makeAgent();
  handle({ kind: 'start', records: new Map(records) });
  handle({ kind: 'containersFound', containers: [{ kind: 'exited', id, status: KILLED }] });
  expect(lastOf('a')).toMatchObject({
    reason: DISK.reason,
    limitation: { resources: DISK.resources },
  });
});

test('a task that was not started is not started any more', () => {
  const id = launch();
  handle({ kind: 'limited', id, ...PREEMPTED });
  expect(effects).toContainEqual({ kind: 'abortLaunch', id });
  expect(lastOf('a')).toMatchObject({ state: 'TASK_GONE', reason: PREEMPTED.reason });
});

test('who was being killed for another reason goes at once and keeps that reason', () => {
  const id = started(launch());
  receive({
    type: 'KILL_TASK',
    kill_task: { framework_id: { value: 'f' }, task_id: { value: 'a' } },
  });
  handle({ kind: 'limited', id, ...DISK });
  expect(effects).toContainEqual({ kind: 'signal', id, signal: 'SIGKILL' });
  handle({ kind: 'exited', id, status: KILLED });
  expect(lastOf('a')).toMatchObject({ state: 'TASK_KILLED' });
  expect(lastOf('a').reason).toBeUndefined();
});

test('the tasks of a group end together and for the same reason', () => {
  const executor: ExecutorInfo = { type: 'DEFAULT', executor_id: { value: 'e' } };
  const task_group = { tasks: [taskOf('a'), taskOf('b')] };
  receive({
    type: 'RUN_TASK_GROUP',
    run_task_group: { framework_info: AWARE, executor, task_group },
  });
  const containers = launched();
  for (const id of containers) started(id);
  const run = present(agent.snapshot().executors[0], 'the executor').containerId;
  handle({ kind: 'limited', id: run, ...DISK });
  for (const id of containers) handle({ kind: 'exited', id, status: KILLED });
  for (const id of ['a', 'b'])
    expect(lastOf(id)).toMatchObject({ state: 'TASK_FAILED', reason: DISK.reason });
});

test('an executor of a framework takes its tasks along', () => {
  const executor: ExecutorInfo = {
    type: 'CUSTOM',
    executor_id: { value: 'e' },
    command: { value: 'x' },
  };
  const { command: _none, ...task } = taskOf('a');
  receive({
    type: 'RUN_TASK',
    run_task: { framework_info: AWARE, task: { ...task, executor } },
  });
  const id = present(agent.snapshot().executors[0], 'the executor').containerId;
  handle({ kind: 'started', id, pid: 42, ipAddresses: [] });
  handle({ kind: 'limited', id, ...PREEMPTED });
  expect(effects).toContainEqual({ kind: 'signal', id, signal: 'SIGKILL' });
  handle({ kind: 'exited', id, status: KILLED });
  expect(lastOf('a')).toMatchObject({ state: 'TASK_GONE', reason: PREEMPTED.reason });
});
