/** Containers of clients: who may nest where, what is durable, what ends with what, and the bounds. */

import { beforeEach, expect, test } from 'vitest';
import { containerId, present, seededRandom, type ContainerId, type JsonObject } from '@dcos/base';
import type { ContainerInfo, TaskInfo } from '@dcos/wire';
import { createAgent, type Agent } from './agent.ts';
import type { AgentEffect, AgentEvent } from './events.ts';
import {
  ENDED_SESSIONS_MAX,
  LAUNCHED_MAX,
  type ContainerAnswer,
  type ContainerCall,
} from './launched-containers.ts';
import { DEFAULT_TIMES } from './options.ts';

let agent: Agent;
let records: Map<string, JsonObject>;
let answers: ContainerAnswer[];
let calls = 0;

function handle(event: AgentEvent): readonly AgentEffect[] {
  const effects = agent.handle(event, 1_000_000);
  for (const effect of effects) {
    if (effect.kind === 'answerCall') answers.push(effect.answer);
    if (effect.kind !== 'persist') continue;
    if (effect.value === undefined) records.delete(effect.key);
    else records.set(effect.key, effect.value);
  }
  return effects;
}

function start(): readonly AgentEffect[] {
  agent = createAgent({
    random: seededRandom(7),
    options: {
      info: { hostname: 'h', resources: [] },
      ip: '10.0.0.1',
      version: '1',
      runtimes: new Set(['process', 'docker']),
      times: DEFAULT_TIMES,
      completedTasksMax: 10,
      tasksMax: 10,
    },
  });
  return handle({ kind: 'start', records: new Map(records) });
}

beforeEach(() => {
  records = new Map();
  answers = [];
  start();
  handle({ kind: 'containersFound', containers: [] });
});

/** Runs a task, alone or in a group; the ids of its chain. */
function run(id: string, more: Partial<TaskInfo> = {}, group = false): readonly string[] {
  const framework_info = { user: '', name: 'f', id: { value: 'f' } };
  const task: TaskInfo = {
    name: id,
    task_id: { value: id },
    agent_id: { value: 'S0' },
    command: { value: 'x' },
    ...more,
  };
  const executor = { executor_id: { value: 'pod' }, type: 'DEFAULT' } as const;
  const effects = handle({
    kind: 'received',
    message: group
      ? {
          type: 'RUN_TASK_GROUP',
          run_task_group: { framework_info, executor, task_group: { tasks: [task] } },
        }
      : { type: 'RUN_TASK', run_task: { framework_info, task } },
  });
  const launch = present(
    effects.find((effect) => effect.kind === 'launch'),
    'a launch',
  );
  const own = launch.task.containerId;
  handle({ kind: 'prepared', id: own });
  handle({ kind: 'started', id: own, pid: 42, ipAddresses: [] });
  return group ? [present(launch.task.group, 'its group').containerId, own] : [own];
}

const call = (asked: ContainerCall): readonly AgentEffect[] =>
  handle({ kind: 'containerCalled', call: ++calls, asked });

/** Launches one; its container for the runtime, or undefined when it was refused. */
function launch(path: readonly string[], isSession = false): ContainerId | undefined {
  const effects = call({ kind: 'launch', path, isSession, command: { value: 'y' } });
  const launched = effects.find((effect) => effect.kind === 'launchContainer');
  if (launched === undefined) return undefined;
  const id = launched.container.containerId;
  handle({ kind: 'started', id, pid: 43, ipAddresses: [] });
  return id;
}

const signaled = (effects: readonly AgentEffect[]): readonly string[] =>
  effects.flatMap((effect) =>
    effect.kind === 'signalContainer' ? [effect.container.path.join('.')] : [],
  );

test('a container is nested in a task, in a task of a group, or in another', () => {
  const [alone = ''] = run('alone');
  const [pod = '', inPod = ''] = run('member', {}, true);
  const allowed = [[alone, 'a'], [alone, 'a', 'b'], [pod, inPod, 'c'], [inPod, 'd'], ['solo']];
  for (const path of allowed) expect(launch(path), path.join('.')).toBeDefined();
  const refused = [
    ['nobody', 'a'],
    [alone, 'x', 'y'],
    [alone, inPod, 'z'],
    [pod, 'executor'],
  ];
  for (const path of refused) {
    answers = [];
    expect(launch(path)).toBeUndefined();
    const message = `Parent container ${path.slice(0, -1).join('.')} does not exist`;
    expect(answers).toEqual([{ kind: 'refused', code: 400, message }]);
  }
});

test('in a container of the Docker engine there are sessions only', () => {
  const [parent = ''] = run('docked', { container: { type: 'DOCKER', docker: { image: 'i' } } });
  expect(launch([parent, 'a'])).toBeUndefined();
  expect(answers).toMatchObject([{ kind: 'refused', code: 400 }]);
  expect(launch([parent, 'a'], true)).toBeDefined();
});

const AT_TERMINAL: ContainerInfo = { type: 'MESOS', tty_info: {} };

test.each<[what: string, info: ContainerInfo | undefined, answer: Partial<ContainerAnswer>]>([
  ['with a terminal', AT_TERMINAL, { kind: 'terminal', runtime: 'process' }],
  ['without one', { type: 'MESOS' }, { kind: 'refused', code: 500 }],
  ['that is a plain one', undefined, { kind: 'refused', code: 500 }],
])('the input of a container %s', (_what, container, answer) => {
  const own = container === undefined ? {} : { container };
  const task = run('task', own);
  const inGroup = run('member', own, true);
  const solo = { kind: 'launch', path: ['solo'], isSession: false, command: {}, ...own } as const;
  call(solo);
  const id = present(agent.snapshot().launched[0], 'the container').containerId;
  handle({ kind: 'started', id, pid: 43, ipAddresses: [] });
  for (const path of [task, inGroup, ['solo']]) {
    answers = [];
    call({ kind: 'attachInput', path });
    const named = answer.kind === 'terminal' ? { id: path === task ? task[0] : undefined } : {};
    expect(answers).toMatchObject([{ ...answer, ...(named.id !== undefined && named) }]);
  }
  handle({ kind: 'exited', id, status: { kind: 'exited', code: 0 } });
  answers = [];
  call({ kind: 'attachInput', path: ['solo'] });
  expect(answers).toMatchObject([{ kind: 'refused', code: 404 }]);
});

test('the record is durable before the container is started', () => {
  const effects = call({ kind: 'launch', path: ['solo'], isSession: false, command: {} });
  expect(effects.map(({ kind }) => kind)).toEqual(['persist', 'launchContainer']);
});

test('a wait is answered at the end, unless its client left', () => {
  const id = present(launch(['solo']), 'the container');
  answers = [];
  call({ kind: 'wait', path: ['solo'] });
  call({ kind: 'wait', path: ['solo'] });
  handle({ kind: 'callAbandoned', call: calls });
  handle({ kind: 'exited', id, status: { kind: 'exited', code: 5 } });
  const ended = { kind: 'ended', status: { kind: 'exited', code: 5 } };
  expect(answers).toEqual([ended]);
  call({ kind: 'wait', path: ['solo'] });
  expect(answers).toEqual([ended, ended]);
});

test('the end of a task ends what is nested in it, also what is still being launched', () => {
  const [parent = ''] = run('t');
  launch([parent, 'a']);
  const slow = call({ kind: 'launch', path: [parent, 'slow'], isSession: false, command: {} });
  const late = present(
    slow.find((effect) => effect.kind === 'launchContainer'),
    'a launch',
  ).container.containerId;
  const effects = handle({
    kind: 'exited',
    id: containerId(parent),
    status: { kind: 'exited', code: 0 },
  });
  expect(signaled(effects)).toEqual([`${parent}.a`]);
  const started = handle({ kind: 'started', id: late, pid: 44, ipAddresses: [] });
  expect(signaled(started)).toEqual([`${parent}.slow`]);
  for (const { containerId: id } of agent.snapshot().launched)
    handle({ kind: 'exited', id, status: { kind: 'signaled', signal: 9 } });
  expect(agent.snapshot().launched).toEqual([]);
  expect([...records.keys()].filter((key) => key.startsWith('container/'))).toEqual([]);
});

test('the end of a container ends what is nested in it', () => {
  const [parent = ''] = run('t');
  const id = present(launch([parent, 'a']), 'the container');
  launch([parent, 'a', 'b']);
  launch([parent, 'ab']);
  const effects = handle({ kind: 'exited', id, status: { kind: 'exited', code: 0 } });
  expect(signaled(effects)).toEqual([`${parent}.a.b`]);
});

test('after a restart containers go on, sessions do not, and ends stay known', () => {
  const [parent = ''] = run('t');
  const lasting = present(launch([parent, 'lasting']), 'the container');
  const over = present(launch(['over']), 'the container');
  handle({ kind: 'exited', id: over, status: { kind: 'exited', code: 3 } });
  launch([parent, 'session'], true);
  const effects = start();
  expect(effects.at(-1)).toMatchObject({
    kind: 'findContainers',
    launched: [{ containerId: lasting }],
  });
  handle({
    kind: 'containersFound',
    containers: [
      { kind: 'running', id: containerId(parent), pid: 42, ipAddresses: [] },
      { kind: 'running', id: lasting, pid: 43, ipAddresses: [] },
    ],
  });
  answers = [];
  for (const path of [['over'], [parent, 'session'], [parent, 'lasting']])
    call({ kind: 'wait', path });
  expect(answers).toMatchObject([
    { kind: 'ended', status: { kind: 'exited', code: 3 } },
    { kind: 'ended', status: { kind: 'unknown' } },
  ]);
});

test('the agent stops when the last of them has ended', () => {
  const id = present(launch(['solo']), 'the container');
  const stopping = handle({ kind: 'shutdown', reason: 'test' });
  expect(signaled(stopping)).toEqual(['solo']);
  expect(stopping.some(({ kind }) => kind === 'stopped')).toBe(false);
  const ended = handle({ kind: 'exited', id, status: { kind: 'signaled', signal: 9 } });
  expect(ended.some(({ kind }) => kind === 'stopped')).toBe(true);
  expect(launch(['another'])).toBeUndefined();
});

test('there is a bound on containers, and one on the ends of sessions that are remembered', () => {
  const [parent = ''] = run('t');
  for (let index = 0; index <= ENDED_SESSIONS_MAX; index++) {
    const id = present(launch([parent, `s${index}`], true), 'the session');
    handle({ kind: 'exited', id, status: { kind: 'exited', code: 0 } });
  }
  expect(agent.snapshot().launched.map(({ path }) => path[1])).not.toContain('s0');
  expect(agent.snapshot().launched).toHaveLength(ENDED_SESSIONS_MAX);
  const room = LAUNCHED_MAX - ENDED_SESSIONS_MAX;
  for (let index = 0; index < room; index++) launch([`c${index}`]);
  answers = [];
  expect(launch(['more'])).toBeUndefined();
  expect(answers).toMatchObject([{ kind: 'refused', code: 500 }]);
});
