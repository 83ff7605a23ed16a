import { beforeEach, expect, test } from 'vitest';
import { containerId, present, seededRandom, type ContainerId, type JsonObject } from '@dcos/base';
import type { agentProtocol, FrameworkInfo, TaskInfo, TaskStatus } from '@dcos/wire';
import { shortage } from './accounting.ts';
import { createAgent, type Agent } from './agent.ts';
import type { AgentEffect, AgentEvent } from './events.ts';
import { exitMessage } from './exit-message.ts';
import { DEFAULT_TIMES } from './options.ts';

const CAPABLE: FrameworkInfo = {
  user: '',
  name: 'f',
  id: { value: 'f' },
  capabilities: [{ type: 'TASK_KILLING_STATE' }, { type: 'PARTITION_AWARE' }],
};
const PLAIN: FrameworkInfo = { user: '', name: 'old', id: { value: 'old' } };

let agent: Agent;
let now = 0;
/** By how much the wall clock differs from `now`. */
let wallOffsetMs = 0;
let effects: AgentEffect[] = [];

function handle(event: AgentEvent, afterMs = 1): readonly AgentEffect[] {
  now += afterMs;
  effects = [...agent.handle(event, now + wallOffsetMs, now)];
  return effects;
}

const receive = (message: agentProtocol.ToAgent): readonly AgentEffect[] =>
  handle({ kind: 'received', message });

function register(): void {
  handle({ kind: 'connected' });
  const registered = {
    agent_id: { value: 'S0' },
    master_id: 'm',
    ping_interval_ms: 15_000,
    ping_timeout_ms: 75_000,
  };
  receive({ type: 'REGISTERED', registered });
}

function makeAgent(): void {
  agent = createAgent({
    random: seededRandom(7),
    options: {
      info: { hostname: 'h', resources: [{ name: 'cpus', type: 'SCALAR', scalar: { value: 4 } }] },
      ip: '10.0.0.1',
      version: '1',
      runtimes: new Set(['process']),
      times: DEFAULT_TIMES,
      completedTasksMax: 2,
      tasksMax: 3,
    },
  });
}

beforeEach(() => {
  now = 1_000_000;
  wallOffsetMs = 0;
  makeAgent();
  handle({ kind: 'start', records: new Map() });
  handle({ kind: 'containersFound', containers: [] });
  register();
});

function task(id: string, more: Partial<TaskInfo> = {}): TaskInfo {
  return {
    name: id,
    task_id: { value: id },
    agent_id: { value: 'S0' },
    command: { value: 'x' },
    ...more,
  };
}

/** Runs a task up to RUNNING and gives its container. */
function run(id: string, more: Partial<TaskInfo> = {}, framework = CAPABLE): ContainerId {
  receive({ type: 'RUN_TASK', run_task: { framework_info: framework, task: task(id, more) } });
  const launch = present(
    effects.find((effect) => effect.kind === 'launch'),
    'launch',
  );
  const container = launch.task.containerId;
  handle({ kind: 'prepared', id: container });
  handle({ kind: 'started', id: container, pid: 42, ipAddresses: [] });
  return container;
}

function updates(from: readonly AgentEffect[] = effects): readonly TaskStatus[] {
  return from.flatMap((effect) =>
    effect.kind === 'send' && effect.message.status_update !== undefined
      ? [effect.message.status_update.status]
      : [],
  );
}

const timer = (name: string): number | undefined =>
  effects.flatMap((effect) =>
    effect.kind === 'timer' && effect.id.startsWith(name) ? [effect.afterMs] : [],
  )[0];

const signals = (): readonly string[] =>
  effects.flatMap((effect) => (effect.kind === 'signal' ? [effect.signal] : []));

const kill = (id: string, seconds?: number): readonly AgentEffect[] =>
  receive({
    type: 'KILL_TASK',
    kill_task: {
      framework_id: { value: 'f' },
      task_id: { value: id },
      ...(seconds === undefined
        ? {}
        : { kill_policy: { grace_period: { nanoseconds: seconds * 1e9 } } }),
    },
  });

const acknowledge = (status: TaskStatus, framework = 'f'): readonly AgentEffect[] =>
  receive({
    type: 'ACKNOWLEDGE',
    acknowledge: {
      framework_id: { value: framework },
      task_id: status.task_id,
      uuid: status.uuid ?? new Uint8Array(16),
    },
  });

test('the record of a task comes before its launch, the update after its record', () => {
  receive({ type: 'RUN_TASK', run_task: { framework_info: CAPABLE, task: task('a') } });
  expect(effects.map(({ kind }) => kind)).toEqual(['timer', 'log', 'persist', 'persist', 'launch']);
  const launch = present(
    effects.find((effect) => effect.kind === 'launch'),
    'launch',
  );
  handle({ kind: 'prepared', id: launch.task.containerId });
  expect(effects.map(({ kind }) => kind)).toEqual(['persist', 'send', 'timer']);
});

test('an update is repeated after 10 s, doubling to 10 min, and the next one starts at 10 s', () => {
  const id = run('a');
  const delays: (number | undefined)[] = [];
  for (let attempt = 0; attempt < 9; attempt++) {
    handle({ kind: 'timer', id: `retry/${id}` });
    delays.push(timer('retry'));
  }
  expect(delays.map((delay) => (delay ?? 0) / 1000)).toEqual([
    20, 40, 80, 160, 320, 600, 600, 600, 600,
  ]);
  const [starting] = updates();
  acknowledge(present(starting, 'update'));
  expect(updates().map(({ state }) => state)).toEqual(['TASK_RUNNING']);
  expect(timer('retry')).toBe(10_000);
});

test('an acknowledgement of another update changes nothing', () => {
  run('a');
  acknowledge({ task_id: { value: 'a' }, state: 'TASK_STARTING', uuid: new Uint8Array(16) });
  expect(effects.map(({ kind }) => kind)).toEqual(['timer', 'log']);
});

test('a kill waits its grace; a second one may only shorten it', () => {
  const id = run('a', { kill_policy: { grace_period: { nanoseconds: 30e9 } } });
  kill('a');
  expect(signals()).toEqual(['SIGTERM']);
  expect(timer('kill')).toBe(30_000);
  kill('a', 60);
  expect(timer('kill')).toBeUndefined();
  kill('a', 5);
  expect(timer('kill')).toBe(5_000);
  expect(signals()).toEqual([]);
  handle({ kind: 'timer', id: `kill/${id}` });
  expect(signals()).toEqual(['SIGKILL']);
  expect(timer('kill')).toBe(5_000);
});

test('a task that is killed before it starts never starts', () => {
  receive({ type: 'RUN_TASK', run_task: { framework_info: CAPABLE, task: task('a') } });
  kill('a');
  expect(effects.some((effect) => effect.kind === 'abortLaunch')).toBe(true);
  expect(updates()).toMatchObject([
    { state: 'TASK_KILLED', source: 'SOURCE_AGENT', reason: 'REASON_TASK_KILLED_DURING_LAUNCH' },
  ]);
});

test('a kill between start and its report is carried out as soon as it is known', () => {
  receive({ type: 'RUN_TASK', run_task: { framework_info: CAPABLE, task: task('a') } });
  const launch = present(
    effects.find((effect) => effect.kind === 'launch'),
    'launch',
  );
  handle({ kind: 'prepared', id: launch.task.containerId });
  kill('a');
  expect(signals()).toEqual([]);
  handle({ kind: 'started', id: launch.task.containerId, pid: 1, ipAddresses: [] });
  expect(signals()).toEqual(['SIGTERM']);
});

test('failures of a health check count after the grace period or the first success', () => {
  const check = {
    delay_seconds: 2,
    interval_seconds: 5,
    grace_period_seconds: 60,
    consecutive_failures: 2,
  };
  const id = run('a', { health_check: { ...check, type: 'TCP', tcp: { port: 1 } } });
  expect(timer('health')).toBe(2_000);
  handle({ kind: 'timer', id: `health/${id}` });
  expect(effects).toMatchObject([{ kind: 'check', timeoutMs: 20_000 }]);
  const failed = { kind: 'checked', id, healthy: false, message: 'refused' } as const;
  handle(failed, 59_000);
  expect(effects).toEqual([{ kind: 'timer', id: `health/${id}`, afterMs: 5_000 }]);
  handle(failed, 2_000);
  expect(agent.snapshot().live[0]?.updates.at(-1)).toMatchObject({
    healthy: false,
    message: 'refused',
  });
  handle({ kind: 'checked', id, healthy: true, message: '' });
  handle(failed);
  expect(signals()).toEqual([]);
  handle(failed);
  expect(signals()).toEqual(['SIGTERM']);
  handle({ kind: 'exited', id, status: { kind: 'signaled', signal: 15 } });
  expect(agent.snapshot().live[0]?.updates.at(-1)).toMatchObject({
    state: 'TASK_KILLED',
    healthy: false,
  });
});

test('frameworks without PARTITION_AWARE see lost tasks, without TASK_KILLING_STATE no killing', () => {
  receive({
    type: 'RUN_TASK',
    run_task: {
      framework_info: PLAIN,
      task: task('big', { resources: [{ name: 'cpus', type: 'SCALAR', scalar: { value: 9 } }] }),
    },
  });
  expect(updates()).toMatchObject([{ state: 'TASK_LOST', reason: 'REASON_INVALID_OFFERS' }]);
  run('a', {}, PLAIN);
  receive({
    type: 'KILL_TASK',
    kill_task: { framework_id: { value: 'old' }, task_id: { value: 'a' } },
  });
  expect(agent.snapshot().live.find(({ taskId }) => taskId === 'a')?.state).toBe('TASK_RUNNING');
});

test('the number of tasks is bounded, also by those nobody acknowledged', () => {
  for (const id of ['a', 'b', 'c']) run(id);
  receive({ type: 'RUN_TASK', run_task: { framework_info: CAPABLE, task: task('d') } });
  expect(updates()).toMatchObject([
    { state: 'TASK_DROPPED', message: 'The agent holds 3 tasks already' },
  ]);
});

test('a framework that is shut down loses its tasks in silence', () => {
  const id = run('a');
  receive({ type: 'SHUTDOWN_FRAMEWORK', shutdown_framework: { framework_id: { value: 'f' } } });
  expect(signals()).toEqual(['SIGTERM']);
  handle({ kind: 'exited', id, status: { kind: 'signaled', signal: 15 } });
  expect(updates()).toEqual([]);
  expect(agent.snapshot().live).toEqual([]);
  expect(agent.snapshot().completed).toMatchObject([{ taskId: 'a', state: 'TASK_KILLED' }]);
});

test('tasks that only the master knows are declared dropped', () => {
  run('a');
  receive({
    type: 'RECONCILE',
    reconcile: { framework_id: { value: 'f' }, task_ids: [{ value: 'a' }, { value: 'gone' }] },
  });
  expect(updates()).toMatchObject([
    { task_id: { value: 'gone' }, state: 'TASK_DROPPED', reason: 'REASON_RECONCILIATION' },
  ]);
  acknowledge(present(updates()[0], 'update'));
  expect(agent.snapshot().live).toHaveLength(1);
  expect(agent.snapshot().completed).toEqual([]);
});

test('attempts to register wait longer and longer, up to a minute', () => {
  const waits: number[] = [];
  for (let attempt = 0; attempt < 40; attempt++) {
    handle({ kind: 'disconnected', reason: 'x' });
    waits.push(timer('connect') ?? -1);
  }
  expect(
    waits.every((wait, index) => wait >= 0 && wait <= Math.min(1_000 * 2 ** index, 60_000)),
  ).toBe(true);
  expect(Math.max(...waits)).toBeGreaterThan(30_000);
});

test('a new leader is tried soon, however often its predecessor was tried in vain', () => {
  for (let attempt = 0; attempt < 40; attempt++) handle({ kind: 'disconnected', reason: 'x' });
  const waits: number[] = [];
  for (let leader = 0; leader < 40; leader++) {
    handle({ kind: 'masterChanged' });
    waits.push(timer('connect') ?? -1);
  }
  expect(waits.every((wait) => wait >= 0 && wait <= 1_000)).toBe(true);
});

test('a new leader is no reason for a wait while a connection is open or opened', () => {
  handle({ kind: 'masterChanged' });
  expect(timer('connect')).toBeUndefined();
  handle({ kind: 'disconnected', reason: 'x' });
  handle({ kind: 'timer', id: 'connect' });
  handle({ kind: 'masterChanged' });
  expect(timer('connect')).toBeUndefined();
});

test('a silent master is left', () => {
  handle({ kind: 'timer', id: 'silence' });
  expect(effects.map(({ kind }) => kind)).toContain('disconnect');
});

test('a refused agent ends its tasks and then itself', () => {
  const id = run('a');
  receive({ type: 'REJECTED', rejected: { message: 'marked gone', shutdown: true } });
  expect(signals()).toEqual(['SIGTERM']);
  handle({ kind: 'exited', id, status: { kind: 'signaled', signal: 15 } });
  expect(effects.at(-1)).toEqual({
    kind: 'stopped',
    reason: 'the master refused this agent: marked gone',
  });
});

test('a message of an unknown container is no message', () => {
  expect(
    handle({ kind: 'exited', id: containerId('x'), status: { kind: 'exited', code: 0 } }),
  ).toEqual([]);
});

test.each([
  ['process', { kind: 'exited', code: 7 }, 'Command exited with status 7'],
  ['docker', { kind: 'exited', code: 137 }, 'Container exited with status 137'],
  ['process', { kind: 'signaled', signal: 9 }, 'Command terminated with signal Killed'],
  ['process', { kind: 'signaled', signal: 15 }, 'Command terminated with signal Terminated'],
  ['process', { kind: 'signaled', signal: 50 }, 'Command terminated with signal Unknown signal 50'],
] as const)('%s %j is told as %s', (runtime, status, text) => {
  expect(exitMessage(runtime, status)).toBe(text);
});

test('shortage compares thousandths and ports', () => {
  const cpus = (value: number) => ({ name: 'cpus', type: 'SCALAR', scalar: { value } }) as const;
  const ports = (begin: number, end: number) =>
    ({ name: 'ports', type: 'RANGES', ranges: { range: [{ begin, end }] } }) as const;
  expect(shortage([cpus(0.3)], [cpus(0.1)], [cpus(0.2)])).toBeUndefined();
  expect(shortage([cpus(0.3)], [cpus(0.2)], [cpus(0.2)])).toBe('0.2 cpus wanted, 0.1 free');
  expect(shortage([ports(10, 20)], [ports(12, 13)], [ports(14, 15)])).toBeUndefined();
  expect(shortage([ports(10, 20)], [ports(12, 13)], [ports(13, 14)])).toBe(
    'ports 13-14 are in use',
  );
  expect(shortage([ports(10, 20)], [], [ports(20, 21)])).toBe("ports 20-21 are not this agent's");
});

test.each([-3_600_000, 3_600_000])('a wall clock that is set by %i ms moves no SIGKILL', (byMs) => {
  run('a');
  kill('a', 60);
  wallOffsetMs = byMs;
  kill('a', 90);
  expect(timer('kill')).toBeUndefined();
  kill('a', 30);
  expect(timer('kill')).toBe(30_000);
});

test('a wall clock that is set moves no grace of health checks', () => {
  const id = run('a', { health_check: { grace_period_seconds: 10, consecutive_failures: 1 } });
  wallOffsetMs = 3_600_000;
  handle({ kind: 'checked', id, healthy: false, message: 'x' });
  expect(signals()).toEqual([]);
  handle({ kind: 'checked', id, healthy: false, message: 'x' }, 10_000);
  expect(signals()).toEqual(['SIGTERM']);
});

test.each([
  ['before its container was prepared', 'TASK_STAGING'],
  ['before its container was started', 'TASK_STARTING'],
])('a task whose agent died %s was never launched', (_when, state) => {
  const records = new Map<string, JsonObject>();
  receive({ type: 'RUN_TASK', run_task: { framework_info: CAPABLE, task: task('a') } });
  const launch = present(
    effects.find((effect) => effect.kind === 'launch'),
    'launch',
  );
  const all = [...effects];
  if (state === 'TASK_STARTING')
    all.push(...handle({ kind: 'prepared', id: launch.task.containerId }));
  for (const effect of all)
    if (effect.kind === 'persist' && effect.value !== undefined)
      records.set(effect.key, effect.value);
  makeAgent();
  handle({ kind: 'start', records });
  handle({
    kind: 'containersFound',
    containers: [{ kind: 'absent', id: launch.task.containerId }],
  });
  register();
  const before = state === 'TASK_STARTING' ? updates()[0] : undefined;
  if (before !== undefined) acknowledge(before);
  expect(updates()).toMatchObject([
    { state: 'TASK_DROPPED', reason: 'REASON_AGENT_RESTARTED', source: 'SOURCE_AGENT' },
  ]);
});

test('a wall clock that was set back while the agent was away does not prolong a grace', () => {
  const records = new Map<string, JsonObject>();
  const keep = (): void => {
    for (const effect of effects)
      if (effect.kind === 'persist' && effect.value !== undefined)
        records.set(effect.key, effect.value);
  };
  const id = run('a');
  keep();
  kill('a', 30);
  keep();
  wallOffsetMs = -3_600_000;
  makeAgent();
  handle({ kind: 'start', records });
  handle({
    kind: 'containersFound',
    containers: [{ kind: 'running', id, pid: 42, ipAddresses: [] }],
  });
  expect(timer('kill')).toBe(30_000);
});
