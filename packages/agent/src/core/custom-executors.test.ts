/** Executors of frameworks in the core: what is told to whom, and when, without a process or a socket. */

import { beforeEach, describe, expect, test } from 'vitest';
import { present, seededRandom, type ContainerId, type JsonObject } from '@dcos/base';
import type {
  agentProtocol,
  executor,
  ExecutorInfo,
  FrameworkInfo,
  TaskInfo,
  TaskState,
  TaskStatus,
} from '@dcos/wire';
import { createAgent, type Agent } from './agent.ts';
import type { AgentEffect, AgentEvent, FoundContainer } from './events.ts';
import { DEFAULT_TIMES } from './options.ts';

const FRAMEWORK: FrameworkInfo = {
  user: '',
  name: 'f',
  id: { value: 'f' },
  checkpoint: true,
  capabilities: [{ type: 'PARTITION_AWARE' }],
};
const PLAIN: FrameworkInfo = { user: '', name: 'f', id: { value: 'f' }, checkpoint: true };
const EXECUTOR: ExecutorInfo = {
  type: 'CUSTOM',
  executor_id: { value: 'e' },
  framework_id: { value: 'f' },
  command: { value: 'x' },
};

let agent: Agent;
let now = 0;
let effects: AgentEffect[] = [];
let records = new Map<string, JsonObject>();
let lastCall = 0;

function handle(event: AgentEvent): readonly AgentEffect[] {
  now += 1;
  effects = [...agent.handle(event, now)];
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
    random: seededRandom(now + 1),
    options: {
      info: { hostname: 'h', resources: [{ name: 'cpus', type: 'SCALAR', scalar: { value: 4 } }] },
      ip: '10.0.0.1',
      version: '1',
      runtimes: new Set(['process']),
      times: DEFAULT_TIMES,
      completedTasksMax: 10,
      tasksMax: 200,
    },
  });
}

function register(): void {
  handle({ kind: 'connected' });
  receive({
    type: 'REGISTERED',
    registered: {
      agent_id: { value: 'S0' },
      master_id: 'm',
      ping_interval_ms: 15_000,
      ping_timeout_ms: 75_000,
    },
  });
}

/** The process died; another one reads what was durable. */
function restart(containers: readonly FoundContainer[]): readonly AgentEffect[] {
  makeAgent();
  handle({ kind: 'start', records: new Map(records) });
  return handle({ kind: 'containersFound', containers });
}

beforeEach(() => {
  now = 1_000_000;
  lastCall = 0;
  records = new Map();
  makeAgent();
  handle({ kind: 'start', records: new Map() });
  handle({ kind: 'containersFound', containers: [] });
  register();
});

const taskOf = (id: string): TaskInfo => ({
  name: id,
  task_id: { value: id },
  agent_id: { value: 'S0' },
  executor: EXECUTOR,
});

const run = (id: string, framework = FRAMEWORK): readonly AgentEffect[] =>
  receive({ type: 'RUN_TASK', run_task: { framework_info: framework, task: taskOf(id) } });

const runGroup = (...ids: readonly string[]): readonly AgentEffect[] =>
  receive({
    type: 'RUN_TASK_GROUP',
    run_task_group: {
      framework_info: FRAMEWORK,
      executor: EXECUTOR,
      task_group: { tasks: ids.map(taskOf) },
    },
  });

const container = (): ContainerId => present(agent.snapshot().executors[0], 'executor').containerId;

const call = (more: Partial<executor.Call>): readonly AgentEffect[] =>
  handle({
    kind: 'executorCalled',
    call: ++lastCall,
    asked: { framework_id: { value: 'f' }, executor_id: { value: 'e' }, ...more },
  });

const subscribe = (more: executor.Call_Subscribe = {}): readonly AgentEffect[] =>
  call({ type: 'SUBSCRIBE', subscribe: more });

const statusOf = (id: string, state: TaskState, uuid: number): TaskStatus => ({
  task_id: { value: id },
  state,
  source: 'SOURCE_EXECUTOR',
  uuid: new Uint8Array(16).fill(uuid),
});

const update = (id: string, state: TaskState, uuid: number): readonly AgentEffect[] =>
  call({ type: 'UPDATE', update: { status: statusOf(id, state, uuid) } });

const kill = (id: string): readonly AgentEffect[] =>
  receive({
    type: 'KILL_TASK',
    kill_task: { framework_id: { value: 'f' }, task_id: { value: id } },
  });

const shutdownBy = (): readonly AgentEffect[] =>
  receive({
    type: 'FRAMEWORK_MESSAGE',
    framework_message: {
      framework_id: { value: 'f' },
      executor_id: { value: 'e' },
      data: new Uint8Array(),
      shutdown: true,
    },
  });

const started = (): readonly AgentEffect[] =>
  handle({ kind: 'started', id: container(), pid: 42, ipAddresses: [] });

const told = (from: readonly AgentEffect[] = effects): readonly (string | undefined)[] =>
  from.flatMap((effect) => (effect.kind === 'tellExecutor' ? [effect.event.type] : []));

const sent = (from: readonly AgentEffect[] = effects): readonly TaskStatus[] =>
  from.flatMap((effect) =>
    effect.kind === 'send' && effect.message.status_update !== undefined
      ? [effect.message.status_update.status]
      : [],
  );

const timers = (): Readonly<Record<string, number>> =>
  Object.fromEntries(
    effects.flatMap((effect) =>
      effect.kind === 'timer' ? [[effect.id.split('/')[0] ?? '', effect.afterMs]] : [],
    ),
  );

const signals = (): readonly string[] =>
  effects.flatMap((effect) => (effect.kind === 'signal' ? [effect.signal] : []));

const exits = (): readonly (number | undefined)[] =>
  effects.flatMap((effect) =>
    effect.kind === 'send' && effect.message.type === 'EXECUTOR_EXITED'
      ? [effect.message.executor_exited?.status]
      : [],
  );

const answers = (): readonly unknown[] =>
  effects.flatMap((effect) => (effect.kind === 'answerExecutor' ? [effect.answer] : []));

const running = (): FoundContainer => ({
  kind: 'running',
  id: container(),
  pid: 42,
  ipAddresses: [],
});

describe('the start', () => {
  test('is durable before it begins, and one for all tasks', () => {
    run('a');
    const kinds = effects.map(({ kind }) => kind);
    expect(kinds.lastIndexOf('persist')).toBeLessThan(kinds.indexOf('launchExecutor'));
    expect(timers().subscription).toBe(60_000);
    expect(run('b').some(({ kind }) => kind === 'launchExecutor')).toBe(false);
    started();
    subscribe();
    expect(told()).toEqual(['SUBSCRIBED', 'LAUNCH', 'LAUNCH']);
    expect(answers()).toEqual([{ kind: 'subscribed', id: container() }]);
  });

  test('that the master does not account for is refused', () => {
    receive({
      type: 'RUN_TASK',
      run_task: { framework_info: FRAMEWORK, task: taskOf('a'), launch_executor: false },
    });
    expect(sent()).toMatchObject([
      { state: 'TASK_DROPPED', reason: 'REASON_EXECUTOR_TERMINATED', source: 'SOURCE_AGENT' },
    ]);
    expect(agent.snapshot().executors).toEqual([]);
  });

  test('that fails fails its tasks', () => {
    run('a');
    handle({ kind: 'launchFailed', id: container(), message: 'no such file' });
    expect(sent()).toMatchObject([
      { state: 'TASK_FAILED', reason: 'REASON_CONTAINER_LAUNCH_FAILED', source: 'SOURCE_AGENT' },
    ]);
    expect(exits()).toHaveLength(1);
  });

  test('that leads to no subscription ends in SIGKILL, and says why', () => {
    run('a');
    started();
    const id = container();
    handle({ kind: 'timer', id: `subscription/${id}` });
    expect(signals()).toEqual(['SIGKILL']);
    expect(sent()).toEqual([]);
    handle({ kind: 'exited', id, status: { kind: 'signaled', signal: 9 } });
    expect(sent()).toMatchObject([
      { state: 'TASK_FAILED', reason: 'REASON_EXECUTOR_REGISTRATION_TIMEOUT' },
    ]);
    expect(exits()).toEqual([9]);
  });
});

describe('updates', () => {
  beforeEach(() => {
    run('a');
    started();
    subscribe();
  });

  test('are durable, then acknowledged, then sent', () => {
    update('a', 'TASK_RUNNING', 1);
    const kinds = effects
      .map(({ kind }) => kind)
      .filter((kind) => kind !== 'timer' && kind !== 'cancelTimer');
    expect(kinds).toEqual(['persist', 'tellExecutor', 'send', 'answerExecutor']);
  });

  test('that are told again are acknowledged again, also by the next process', () => {
    update('a', 'TASK_RUNNING', 1);
    update('a', 'TASK_RUNNING', 1);
    expect([told(), sent()]).toEqual([['ACKNOWLEDGED'], []]);
    restart([running()]);
    subscribe({
      unacknowledged_tasks: [taskOf('a')],
      unacknowledged_updates: [{ status: statusOf('a', 'TASK_RUNNING', 1) }],
    });
    expect(told()).toEqual(['SUBSCRIBED', 'ACKNOWLEDGED']);
    register();
    expect(agent.snapshot().live[0]?.updates).toHaveLength(1);
  });

  test('after the end of a task are acknowledged and dropped', () => {
    update('a', 'TASK_FINISHED', 1);
    update('a', 'TASK_RUNNING', 2);
    expect([told(), sent()]).toEqual([['ACKNOWLEDGED'], []]);
    expect(agent.snapshot().live[0]?.state).toBe('TASK_FINISHED');
  });

  test('are bounded, but for the last one', () => {
    for (let count = 1; count <= 100; count++) update('a', 'TASK_RUNNING', count);
    update('a', 'TASK_RUNNING', 101);
    expect(answers()).toMatchObject([{ kind: 'refused', code: 503 }]);
    update('a', 'TASK_FINISHED', 102);
    expect(answers()).toEqual([{ kind: 'accepted' }]);
  });
});

describe('kills', () => {
  test('of what was not delivered need no executor, which then ends', () => {
    run('a');
    started();
    kill('a');
    expect(sent()).toMatchObject([
      { state: 'TASK_KILLED', reason: 'REASON_TASK_KILLED_DURING_LAUNCH', source: 'SOURCE_AGENT' },
    ]);
    subscribe();
    expect(told()).toEqual(['SUBSCRIBED', 'SHUTDOWN']);
  });

  test('of one task that was not delivered leave the others', () => {
    run('a');
    run('b');
    started();
    kill('a');
    subscribe();
    expect(told()).toEqual(['SUBSCRIBED', 'LAUNCH']);
  });

  test('of one of a group that was not delivered end the group, and nothing else', () => {
    run('single');
    runGroup('a', 'b');
    started();
    kill('b');
    expect(sent().map(({ task_id, state }) => [task_id.value, state])).toEqual([
      ['a', 'TASK_KILLED'],
      ['b', 'TASK_KILLED'],
    ]);
    subscribe();
    expect(told()).toEqual(['SUBSCRIBED', 'LAUNCH']);
  });

  test('wait for an executor that is away, through a restart', () => {
    run('a');
    started();
    subscribe();
    update('a', 'TASK_RUNNING', 1);
    handle({ kind: 'executorLeft', id: container(), call: lastCall - 1 });
    kill('a');
    expect(told()).toEqual([]);
    restart([running()]);
    subscribe({ unacknowledged_tasks: [taskOf('a')] });
    expect(told()).toEqual(['SUBSCRIBED', 'KILL']);
  });
});

describe('after a restart of the agent', () => {
  beforeEach(() => {
    run('a');
    started();
    subscribe();
  });

  test.each([
    ['a framework that knows the word', FRAMEWORK, 'TASK_DROPPED'],
    ['any other', PLAIN, 'TASK_LOST'],
  ] as const)('what never arrived is dropped, for %s', (_name, framework_info, state) => {
    receive({ type: 'UPDATE_FRAMEWORK', update_framework: { framework_info } });
    restart([running()]);
    expect(timers().subscription).toBe(2_000);
    expect(effects.some(({ kind }) => kind === 'connect')).toBe(false);
    subscribe();
    expect(effects.some(({ kind }) => kind === 'connect')).toBe(true);
    expect(agent.snapshot().live[0]?.updates).toMatchObject([
      { state, reason: 'REASON_AGENT_RESTARTED', source: 'SOURCE_AGENT' },
    ]);
  });

  test('what the executor lists goes on', () => {
    restart([running()]);
    subscribe({ unacknowledged_tasks: [taskOf('a')] });
    expect(agent.snapshot().live[0]?.state).toBe('TASK_STAGING');
    expect(told()).toEqual(['SUBSCRIBED']);
  });

  test.each([
    [FRAMEWORK, 'TASK_GONE'],
    [PLAIN, 'TASK_LOST'],
  ] as const)('one that does not come back is ended', (framework_info, state) => {
    receive({ type: 'UPDATE_FRAMEWORK', update_framework: { framework_info } });
    restart([running()]);
    const id = container();
    handle({ kind: 'timer', id: `subscription/${id}` });
    expect(signals()).toEqual(['SIGKILL']);
    expect(effects.some(({ kind }) => kind === 'connect')).toBe(true);
    register();
    handle({ kind: 'exited', id, status: { kind: 'signaled', signal: 9 } });
    expect(sent()).toMatchObject([{ state, reason: 'REASON_EXECUTOR_REREGISTRATION_TIMEOUT' }]);
  });

  test('calls are refused until it is known what runs', () => {
    makeAgent();
    handle({ kind: 'start', records: new Map(records) });
    update('a', 'TASK_RUNNING', 1);
    expect(answers()).toEqual([
      { kind: 'refused', code: 503, message: 'Agent has not finished recovery' },
    ]);
  });
});

describe('the end', () => {
  beforeEach(() => {
    run('a');
    started();
    subscribe();
    update('a', 'TASK_RUNNING', 1);
  });

  test('is asked for, and forced after the grace', () => {
    shutdownBy();
    expect(told()).toEqual(['SHUTDOWN']);
    expect(timers().shutdown).toBe(5_000);
    run('late');
    expect(sent()).toMatchObject([{ state: 'TASK_DROPPED', reason: 'REASON_EXECUTOR_TERMINATED' }]);
    handle({ kind: 'timer', id: `shutdown/${container()}` });
    expect(signals()).toEqual(['SIGKILL']);
  });

  test.each([
    [{ kind: 'exited', code: 3 }, 0x300],
    [{ kind: 'signaled', signal: 15 }, 15],
  ] as const)('is told once, with the status of wait(2)', (status, raw) => {
    const id = container();
    handle({ kind: 'exited', id, status });
    expect(exits()).toEqual([raw]);
    expect(agent.snapshot().live[0]).toMatchObject({ state: 'TASK_FAILED' });
    expect(agent.snapshot().completedExecutors).toHaveLength(1);
    restart([]);
    expect(agent.snapshot().executors).toEqual([]);
    expect(agent.snapshot().completedExecutors).toHaveLength(1);
  });

  test('comes with that of its framework, which is told nothing more', () => {
    const id = container();
    receive({
      type: 'SHUTDOWN_FRAMEWORK',
      shutdown_framework: { framework_id: { value: 'f' } },
    });
    expect(told()).toEqual(['SHUTDOWN']);
    update('a', 'TASK_KILLED', 2);
    expect([told(), sent()]).toEqual([['ACKNOWLEDGED'], []]);
    handle({ kind: 'exited', id, status: { kind: 'exited', code: 0 } });
    expect(agent.snapshot().live).toEqual([]);
    expect(agent.snapshot().executors).toEqual([]);
  });

  test('comes with the last task of an agent that is drained', () => {
    const id = container();
    receive({ type: 'DRAIN', drain: { config: {} } });
    expect(told()).toEqual(['KILL']);
    update('a', 'TASK_KILLED', 2);
    for (const fill of [1, 2])
      receive({
        type: 'ACKNOWLEDGE',
        acknowledge: {
          framework_id: { value: 'f' },
          task_id: { value: 'a' },
          uuid: new Uint8Array(16).fill(fill),
        },
      });
    expect(told()).toEqual(['SHUTDOWN']);
    handle({ kind: 'exited', id, status: { kind: 'exited', code: 0 } });
    expect(agent.snapshot().drain).toBeUndefined();
  });

  test('forgets its framework when nothing else is left of it', () => {
    const id = container();
    update('a', 'TASK_FINISHED', 2);
    for (const fill of [1, 2])
      receive({
        type: 'ACKNOWLEDGE',
        acknowledge: {
          framework_id: { value: 'f' },
          task_id: { value: 'a' },
          uuid: new Uint8Array(16).fill(fill),
        },
      });
    const task = present(agent.snapshot().completed[0], 'task').containerId;
    handle({ kind: 'collected', id: task });
    handle({ kind: 'exited', id, status: { kind: 'exited', code: 0 } });
    handle({ kind: 'collected', id });
    expect(agent.snapshot().completedExecutors).toEqual([]);
    expect(agent.snapshot().frameworks.size).toBe(0);
  });
});
