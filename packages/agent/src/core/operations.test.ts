/**
 * Operations, task groups, draining and checks on the agent: what is durable, what is told, and what a
 * restart makes of it.
 */

import { beforeEach, describe, expect, test } from 'vitest';
import { seededRandom, type ContainerId, type JsonObject } from '@dcos/base';
import type { agentProtocol, FrameworkInfo, Resource, TaskInfo } from '@dcos/wire';
import { createAgent, type Agent } from './agent.ts';
import type { AgentEffect, AgentEvent } from './events.ts';
import { DEFAULT_TIMES } from './options.ts';

const FRAMEWORK: FrameworkInfo = {
  user: '',
  name: 'f',
  id: { value: 'f' },
  capabilities: [{ type: 'TASK_KILLING_STATE' }, { type: 'PARTITION_AWARE' }],
};
const UUID = new Uint8Array(16).fill(7);
const RESERVATION = [{ type: 'DYNAMIC', role: 'dev' }] as const;

function scalar(name: string, value: number, more: Partial<Resource> = {}): Resource {
  return { name, type: 'SCALAR', scalar: { value }, ...more };
}

const BASE = [scalar('cpus', 4), scalar('disk', 100)];
const VOLUME = scalar('disk', 10, {
  reservations: RESERVATION,
  disk: { persistence: { id: 'v' }, volume: { mode: 'RW', container_path: 'data' } },
});

let agent: Agent;
let now = 0;
let records = new Map<string, JsonObject>();

function handle(event: AgentEvent, afterMs = 1): readonly AgentEffect[] {
  now += afterMs;
  const effects = agent.handle(event, now);
  for (const effect of effects) {
    if (effect.kind !== 'persist') continue;
    if (effect.value === undefined) records.delete(effect.key);
    else records.set(effect.key, effect.value);
  }
  return effects;
}

function receive(message: agentProtocol.ToAgent): readonly AgentEffect[] {
  return handle({ kind: 'received', message });
}

/** A process that begins with these records and resources; what it does at its start. */
function start(resources: readonly Resource[] = BASE): readonly AgentEffect[] {
  agent = createAgent({
    random: seededRandom(7),
    options: {
      info: { hostname: 'h', resources },
      ip: '10.0.0.1',
      version: '1',
      runtimes: new Set(['process']),
      times: DEFAULT_TIMES,
      completedTasksMax: 10,
      tasksMax: 10,
    },
  });
  return handle({ kind: 'start', records: new Map(records) });
}

function register(): readonly AgentEffect[] {
  handle({ kind: 'containersFound', containers: [] });
  const connected = handle({ kind: 'connected' });
  receive({
    type: 'REGISTERED',
    registered: {
      agent_id: { value: 'S0' },
      master_id: 'm',
      ping_interval_ms: 15_000,
      ping_timeout_ms: 75_000,
    },
  });
  return connected;
}

function sent(effects: readonly AgentEffect[]): readonly agentProtocol.ToMaster[] {
  return effects.flatMap((effect) => (effect.kind === 'send' ? [effect.message] : []));
}

function total(): readonly string[] {
  return agent
    .snapshot()
    .total.toWire()
    .map(({ name, reservations, disk, scalar: amount }) => {
      const role = reservations === undefined ? '' : `(${reservations.map((r) => r.role).join()})`;
      return `${name}${role}${disk?.persistence?.id ?? ''}:${amount?.value ?? 0}`;
    });
}

function apply(operation: agentProtocol.ApplyOperation['operation']): readonly AgentEffect[] {
  return receive({
    type: 'APPLY_OPERATION',
    apply_operation: { framework_id: { value: 'f' }, operation_uuid: UUID, operation },
  });
}

const reserve = (value = 10): readonly AgentEffect[] =>
  apply({
    type: 'RESERVE',
    id: { value: 'op' },
    reserve: { resources: [scalar('disk', value, { reservations: RESERVATION })] },
  });

function acknowledgeOperations(): void {
  for (const { uuid, latest_status: status } of agent.snapshot().operations) {
    const status_uuid = status.uuid?.value ?? new Uint8Array();
    receive({
      type: 'ACKNOWLEDGE_OPERATION',
      acknowledge_operation: { operation_uuid: uuid.value, status_uuid },
    });
  }
}

beforeEach(() => {
  now = 1_000_000;
  records = new Map();
  start();
  register();
});

describe('operations', () => {
  test('change what the agent has, durably, before anybody hears of it', () => {
    const effects = reserve();
    expect(total()).toEqual(['cpus:4', 'disk:90', 'disk(dev):10']);
    const kinds = effects.map(({ kind }) => kind).filter((kind) => kind !== 'timer');
    expect(kinds).toEqual(['persist', 'persist', 'send']);
    expect(sent(effects)[0]?.operation_update).toMatchObject({
      framework_id: { value: 'f' },
      operation_uuid: UUID,
      status: { operation_id: { value: 'op' }, state: 'OPERATION_FINISHED' },
    });
  });

  test('that changed what the agent has are never unknown, wherever it died', () => {
    const first = reserve().find(({ kind }) => kind === 'persist');
    // The second record, of the operation itself, never reached the disk.
    records = new Map(first?.kind === 'persist' && first.value ? [[first.key, first.value]] : []);
    start();
    const [hello] = sent(register());
    expect(hello?.register?.total_resources).toHaveLength(3);
    expect(hello?.register?.operations).toMatchObject([
      { uuid: { value: UUID }, latest_status: { state: 'OPERATION_FINISHED' } },
    ]);
  });

  test('that were acknowledged do not come back with the record of what the agent has', () => {
    reserve();
    acknowledgeOperations();
    start();
    expect(sent(register())[0]?.register?.operations ?? []).toEqual([]);
    expect(total()).toEqual(['cpus:4', 'disk:90', 'disk(dev):10']);
  });

  test('are told again until they are acknowledged, and after each registration', () => {
    const [message] = sent(reserve());
    const again = sent(
      handle({ kind: 'timer', id: `operation/${Buffer.from(UUID).toString('base64')}` }),
    );
    expect(again).toEqual([message]);
    receive({
      type: 'ACKNOWLEDGE_OPERATION',
      acknowledge_operation: {
        operation_uuid: UUID,
        status_uuid: message?.operation_update?.status.uuid?.value ?? UUID,
      },
    });
    expect(agent.snapshot().operations).toEqual([]);
    expect([...records.keys()].some((key) => key.startsWith('operation/'))).toBe(false);
  });

  test.each<[string, () => readonly AgentEffect[], string]>([
    ['more than there is', () => reserve(1000), 'OPERATION_DROPPED'],
    ['nothing', () => apply({ type: 'RESERVE', reserve: {} }), 'OPERATION_ERROR'],
    ['a disk of a provider', () => apply({ type: 'CREATE_DISK' }), 'OPERATION_ERROR'],
  ])('for %s change nothing', (_what, act, state) => {
    const [update, correction] = sent(act());
    expect(update?.operation_update?.status.state).toBe(state);
    expect(correction?.resources_changed?.total_resources).toEqual(BASE);
    expect(total()).toEqual(['cpus:4', 'disk:100']);
  });

  test('survive a restart, with what is not acknowledged', () => {
    reserve();
    start();
    const [registration] = sent(register());
    expect(total()).toEqual(['cpus:4', 'disk:90', 'disk(dev):10']);
    expect(
      registration?.register?.operations?.map(({ latest_status }) => latest_status.state),
    ).toEqual(['OPERATION_FINISHED']);
    expect(registration?.register?.total_resources).toHaveLength(3);
  });

  test('survive a restart with other resources if they fit', () => {
    reserve();
    start([scalar('cpus', 8), scalar('disk', 50)]);
    expect(total()).toEqual(['cpus:8', 'disk:40', 'disk(dev):10']);
  });

  test('keep the agent from a start with resources that they do not fit into', () => {
    reserve();
    const effects = start([scalar('cpus', 8), scalar('disk', 5)]);
    const stopped = effects.find((effect) => effect.kind === 'stopped');
    expect(stopped).toMatchObject({ reason: expect.stringContaining('disk:10') });
  });

  test('that destroy a volume delete its contents after they are durable, and again after a restart', () => {
    reserve();
    acknowledgeOperations();
    apply({ type: 'CREATE', create: { volumes: [VOLUME] } });
    acknowledgeOperations();
    const effects = apply({ type: 'DESTROY', destroy: { volumes: [VOLUME] } });
    const kinds = effects.map(({ kind }) => kind);
    expect(kinds.lastIndexOf('persist')).toBeLessThan(kinds.indexOf('destroyVolumes'));
    start();
    const again = handle({ kind: 'containersFound', containers: [] });
    expect(again.some(({ kind }) => kind === 'destroyVolumes')).toBe(true);
  });

  test('that the master waits for and that never arrived are dropped', () => {
    const effects = receive({
      type: 'RECONCILE_OPERATIONS',
      reconcile_operations: { operation_uuids: [UUID] },
    });
    expect(sent(effects)[0]?.operation_update?.status.state).toBe('OPERATION_DROPPED');
  });
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

function launchGroup(tasks: readonly TaskInfo[], launch_executor = true): readonly AgentEffect[] {
  return receive({
    type: 'RUN_TASK_GROUP',
    run_task_group: {
      framework_info: FRAMEWORK,
      executor: { type: 'DEFAULT', executor_id: { value: 'pod' } },
      task_group: { tasks },
      launch_executor,
    },
  });
}

/** Starts all containers that were launched. */
function startAll(effects: readonly AgentEffect[]): void {
  for (const effect of effects) {
    if (effect.kind !== 'launch') continue;
    const id = effect.task.containerId;
    handle({ kind: 'prepared', id });
    handle({ kind: 'started', id, pid: 42, ipAddresses: [] });
  }
}

const stateOf = (id: string): string | undefined =>
  [...agent.snapshot().live, ...agent.snapshot().completed].find(({ taskId }) => taskId === id)
    ?.state;

function exit(id: string, code: number): readonly AgentEffect[] {
  const found = agent.snapshot().live.find(({ taskId }) => taskId === id);
  if (found === undefined) throw new Error(`there is no task ${id}`);
  return handle({ kind: 'exited', id: found.containerId, status: { kind: 'exited', code } });
}

/** Acknowledges everything that a task has to say. */
function acknowledgeAll(id: string): readonly AgentEffect[] {
  let effects: readonly AgentEffect[] = [];
  for (;;) {
    const head = agent.snapshot().live.find(({ taskId }) => taskId === id)?.updates[0];
    if (head?.uuid === undefined) return effects;
    effects = receive({
      type: 'ACKNOWLEDGE',
      acknowledge: { framework_id: { value: 'f' }, task_id: { value: id }, uuid: head.uuid },
    });
  }
}

describe('task groups', () => {
  test('are launched together, in the sandbox of their executor', () => {
    const launches = launchGroup([task('a'), task('b')]).filter(({ kind }) => kind === 'launch');
    expect(launches).toHaveLength(2);
    startAll(launches);
    expect([stateOf('a'), stateOf('b')]).toEqual(['TASK_RUNNING', 'TASK_RUNNING']);
    const { live, executors } = agent.snapshot();
    expect(new Set(live.map(({ group }) => group?.containerId)).size).toBe(1);
    expect(executors.map(({ executorId }) => executorId)).toEqual(['pod']);
  });

  test('are refused as a whole when one task cannot be run', () => {
    const effects = launchGroup([
      task('a'),
      task('b', { executor: { executor_id: { value: 'x' } } }),
    ]);
    expect(effects.some(({ kind }) => kind === 'launch')).toBe(false);
    expect(sent(effects).map(({ status_update }) => status_update?.status.state)).toEqual([
      'TASK_ERROR',
      'TASK_ERROR',
    ]);
    expect(agent.snapshot().executors).toEqual([]);
  });

  test('end when one of them is killed or fails, not when one finishes', () => {
    startAll(launchGroup([task('a'), task('b'), task('c')]));
    exit('a', 0);
    expect([stateOf('a'), stateOf('b')]).toEqual(['TASK_FINISHED', 'TASK_RUNNING']);
    exit('b', 1);
    expect([stateOf('b'), stateOf('c')]).toEqual(['TASK_FAILED', 'TASK_KILLING']);
    startAll(launchGroup([task('d'), task('e')]));
    receive({
      type: 'KILL_TASK',
      kill_task: { framework_id: { value: 'f' }, task_id: { value: 'd' } },
    });
    expect([stateOf('d'), stateOf('e')]).toEqual(['TASK_KILLING', 'TASK_KILLING']);
  });

  test('are dropped when they count on an executor that has ended', () => {
    const refused = (ids: readonly string[]): readonly (string | undefined)[] =>
      sent(
        launchGroup(
          ids.map((id) => task(id)),
          false,
        ),
      ).map(({ status_update: update }) => update?.status.state);
    startAll(launchGroup([task('a')]));
    expect(refused(['b'])).toEqual([]);
    exit('a', 0);
    exit('b', 0);
    for (const id of ['a', 'b']) acknowledgeAll(id);
    expect(refused(['c', 'd'])).toEqual(['TASK_DROPPED', 'TASK_DROPPED']);
    expect(agent.snapshot().executors).toEqual([]);
  });

  test('end once each when they end before they were started', () => {
    const [first] = launchGroup([task('a'), task('b'), task('c')]).filter(
      (effect) => effect.kind === 'launch',
    );
    const effects = handle({
      kind: 'launchFailed',
      id: first?.task.containerId as ContainerId,
      message: 'x',
    });
    const ends = sent(effects).map(({ status_update: update }) => [
      update?.status.task_id.value,
      update?.status.state,
    ]);
    expect(ends).toEqual([
      ['a', 'TASK_FAILED'],
      ['b', 'TASK_KILLED'],
      ['c', 'TASK_KILLED'],
    ]);
  });

  test('are durable as a whole before the first is launched', () => {
    const kinds = launchGroup([task('a'), task('b')]).map((effect) =>
      effect.kind === 'persist' ? effect.key.replace(/\/.*/, '') : effect.kind,
    );
    expect(kinds.lastIndexOf('task')).toBeLessThan(kinds.indexOf('launch'));
  });

  test('end with their executor when that is shut down', () => {
    startAll(launchGroup([task('a'), task('b')]));
    const shutDown = (executor: string) =>
      receive({
        type: 'FRAMEWORK_MESSAGE',
        framework_message: {
          framework_id: { value: 'f' },
          executor_id: { value: executor },
          data: new Uint8Array(),
          shutdown: true,
        },
      });
    shutDown('another');
    expect([stateOf('a'), stateOf('b')]).toEqual(['TASK_RUNNING', 'TASK_RUNNING']);
    shutDown('pod');
    expect([stateOf('a'), stateOf('b')]).toEqual(['TASK_KILLING', 'TASK_KILLING']);
  });

  test('tell the end of their executor when the last end was acknowledged', () => {
    startAll(launchGroup([task('a')]));
    exit('a', 0);
    expect(agent.snapshot().executors).toHaveLength(1);
    const effects = acknowledgeAll('a');
    expect(sent(effects)).toContainEqual({
      type: 'EXECUTOR_EXITED',
      executor_exited: { framework_id: { value: 'f' }, executor_id: { value: 'pod' }, status: 0 },
    });
    expect([...records.keys()].some((key) => key.startsWith('executor/'))).toBe(false);
  });

  test('come back with their executor after a restart', () => {
    startAll(launchGroup([task('a')]));
    const [found] = agent.snapshot().live;
    start();
    handle({
      kind: 'containersFound',
      containers: [{ kind: 'running', id: found?.containerId as never, pid: 42, ipAddresses: [] }],
    });
    const [registration] = sent(handle({ kind: 'connected' }));
    expect(registration?.register?.executors?.[0]?.executor_info.executor_id.value).toBe('pod');
    expect(registration?.register?.tasks?.[0]?.executor_id?.value).toBe('pod');
  });
});

describe('draining', () => {
  const drain = (): readonly AgentEffect[] =>
    receive({ type: 'DRAIN', drain: { config: { max_grace_period: { nanoseconds: 1e9 } } } });

  test('kills tasks within the grace that is allowed, and says why', () => {
    startAll(launchGroup([task('a', { kill_policy: { grace_period: { nanoseconds: 60e9 } } })]));
    const effects = drain();
    expect(effects).toContainEqual(expect.objectContaining({ kind: 'timer', afterMs: 1000 }));
    const [last] = agent.snapshot().live[0]?.updates.slice(-1) ?? [];
    expect(last).toMatchObject({ state: 'TASK_KILLING', reason: 'REASON_AGENT_DRAINING' });
    exit('a', 0);
    const ended = agent.snapshot().live[0]?.updates.at(-1);
    expect(ended).toMatchObject({ state: 'TASK_KILLED', reason: 'REASON_AGENT_DRAINING' });
    expect(agent.snapshot().drain).toBeDefined();
    acknowledgeAll('a');
    expect(agent.snapshot().drain).toBeUndefined();
    expect(records.has('drain')).toBe(false);
  });

  test('takes no new tasks, after a restart either', () => {
    startAll(launchGroup([task('a')]));
    drain();
    const [found] = agent.snapshot().live;
    start();
    handle({
      kind: 'containersFound',
      containers: [{ kind: 'running', id: found?.containerId as never, pid: 42, ipAddresses: [] }],
    });
    const effects = launchGroup([task('b')]);
    expect(effects.some(({ kind }) => kind === 'launch')).toBe(false);
    const dropped = agent.snapshot().live.find(({ taskId }) => taskId === 'b');
    expect(dropped?.updates[0]).toMatchObject({
      state: 'TASK_DROPPED',
      reason: 'REASON_AGENT_DRAINING',
    });
  });
});

test('every change of a check is told, and nothing else', () => {
  const check = { type: 'HTTP', http: { port: 80 }, delay_seconds: 1 } as const;
  const effects = receive({
    type: 'RUN_TASK',
    run_task: { framework_info: FRAMEWORK, task: task('a', { check }) },
  });
  startAll(effects);
  const id = agent.snapshot().live[0]?.containerId as never;
  const asked = handle({ kind: 'timer', id: `check/${String(id)}` });
  expect(asked).toMatchObject([{ kind: 'probe', timeoutMs: 20_000 }]);
  const answers = [200, 200, 500, undefined].map((code) =>
    handle({
      kind: 'probed',
      id,
      status: { type: 'HTTP', http: code === undefined ? {} : { status_code: code } },
    }),
  );
  expect(answers.map((some) => some.some(({ kind }) => kind === 'persist'))).toEqual([
    true,
    false,
    true,
    true,
  ]);
  const statuses = agent.snapshot().live[0]?.updates ?? [];
  expect(statuses.map(({ check_status }) => check_status?.http)).toEqual([
    {},
    {},
    { status_code: 200 },
    { status_code: 500 },
    {},
  ]);
});
