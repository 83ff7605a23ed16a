import { beforeEach, expect, test } from 'vitest';
import { present, seededRandom, type JsonObject } from '@dcos/base';
import type { agentProtocol, ExecutorInfo, FrameworkInfo, Resource, TaskInfo } from '@dcos/wire';
import { createAgent, type Agent } from './agent.ts';
import type { AgentEffect, AgentEvent } from './events.ts';
import type { ExecutorRecord, TaskRecord } from './model.ts';
import { DEFAULT_TIMES } from './options.ts';

const FRAMEWORK: FrameworkInfo = {
  user: '',
  name: 'f',
  id: { value: 'f' },
  capabilities: [{ type: 'GPU_RESOURCES' }, { type: 'PARTITION_AWARE' }],
};
const gpus = (value: number): readonly Resource[] => [
  { name: 'gpus', type: 'SCALAR', scalar: { value } },
];

let agent: Agent;
let now = 0;
let records = new Map<string, JsonObject>();

function handle(event: AgentEvent): readonly AgentEffect[] {
  now += 1;
  const effects = agent.handle(event, now);
  for (const effect of effects) {
    if (effect.kind !== 'persist') continue;
    if (effect.value === undefined) records.delete(effect.key);
    else records.set(effect.key, JSON.parse(JSON.stringify(effect.value)) as JsonObject);
  }
  return effects;
}

const receive = (message: agentProtocol.ToAgent): readonly AgentEffect[] =>
  handle({ kind: 'received', message });

function makeAgent(): void {
  agent = createAgent({
    random: seededRandom(now),
    options: {
      info: { hostname: 'h', resources: gpus(3) },
      ip: '10.0.0.1',
      version: '1',
      runtimes: new Set(['oci']),
      times: DEFAULT_TIMES,
      completedTasksMax: 10,
      tasksMax: 10,
      // Not those of the first devices: the operator chose them.
      gpus: [1, 2, 5],
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

const taskOf = (id: string, count: number): TaskInfo => ({
  name: id,
  task_id: { value: id },
  agent_id: { value: 'S0' },
  command: { value: 'x' },
  resources: gpus(count),
});

/** The task that is launched; undefined when it is refused. */
function launch(id: string, count: number): TaskRecord | undefined {
  const task = taskOf(id, count);
  return receive({ type: 'RUN_TASK', run_task: { framework_info: FRAMEWORK, task } }).find(
    (effect) => effect.kind === 'launch',
  )?.task;
}

const lastMessage = (): string | undefined =>
  agent.snapshot().live.at(-1)?.statuses.at(-1)?.message;

test('each task has devices of its own, the lowest that are free', () => {
  const first = present(launch('a', 2), 'a launch');
  expect(first.gpus).toEqual([1, 2]);
  expect(launch('none', 0)?.gpus).toBeUndefined();
  expect(launch('b', 1)?.gpus).toEqual([5]);
  expect(launch('c', 1)).toBeUndefined();
  expect(lastMessage()).toBe("The agent does not have the task's resources: 1 gpus wanted, 0 free");
  handle({ kind: 'launchFailed', id: first.containerId, message: 'm' });
  expect(launch('d', 1)?.gpus).toEqual([1]);
});

test('a restarted agent gives none twice', () => {
  const { containerId: id } = present(launch('a', 2), 'a launch');
  handle({ kind: 'prepared', id });
  handle({ kind: 'started', id, pid: 7, ipAddresses: [] });
  makeAgent();
  handle({ kind: 'start', records: new Map(records) });
  handle({
    kind: 'containersFound',
    containers: [{ kind: 'running', id, pid: 7, ipAddresses: [] }],
  });
  expect(agent.snapshot().live[0]?.gpus).toEqual([1, 2]);
  expect(launch('b', 1)?.gpus).toEqual([5]);
  expect(launch('c', 1)).toBeUndefined();
});

test('a group is launched when all of it finds devices', () => {
  const executor: ExecutorInfo = { type: 'DEFAULT', executor_id: { value: 'e' } };
  const group = (...counts: readonly number[]): readonly (readonly number[] | undefined)[] =>
    receive({
      type: 'RUN_TASK_GROUP',
      run_task_group: {
        framework_info: FRAMEWORK,
        executor,
        task_group: { tasks: counts.map((count, index) => taskOf(`${now}-${index}`, count)) },
      },
    }).flatMap((effect) => (effect.kind === 'launch' ? [effect.task.gpus] : []));
  expect(group(2, 2)).toEqual([]);
  expect(group(2, 1)).toEqual([[1, 2], [5]]);
});

test('an executor has those of its first tasks, and gets no others', () => {
  const executor: ExecutorInfo = {
    type: 'CUSTOM',
    executor_id: { value: 'e' },
    command: { value: 'x' },
    resources: gpus(1),
  };
  const run = (id: string, count: number): ExecutorRecord | undefined => {
    const { command: _none, ...task } = taskOf(id, count);
    const run_task = { framework_info: FRAMEWORK, task: { ...task, executor } };
    return receive({ type: 'RUN_TASK', run_task }).find(
      (effect) => effect.kind === 'launchExecutor',
    )?.executor;
  };
  expect(run('a', 3)).toBeUndefined();
  expect(run('b', 1)?.process?.gpus).toEqual([1, 2]);
  expect(run('c', 1)).toBeUndefined();
  expect(lastMessage()).toBe('GPUs cannot be added to an executor that runs');
  expect(launch('d', 1)?.gpus).toEqual([5]);
});
