import { describe, expect, test } from 'vitest';
import type { FrameworkInfo } from '@dcos/wire';
import {
  eventsOf,
  framesOf,
  frameworkInfo,
  operatorEventsOf,
  reportedTask,
  resources,
  statusesOf,
  task,
  World,
} from '../testing/world.ts';

const HOUR_MS = 3_600_000;

function errorOf(world: World, info: FrameworkInfo): string | undefined {
  const { streamId } = world.subscribe(info);
  const closed = world.effects.at(-1);
  const [event] = eventsOf(world.effects, streamId);
  if (event?.type !== 'ERROR') return undefined;
  expect(closed).toEqual({ kind: 'closeStream', streamId });
  return event.error?.message;
}

describe('a description that is refused', () => {
  test.each<{ readonly what: string; readonly info: FrameworkInfo; readonly message: RegExp }>([
    {
      what: 'role beside MULTI_ROLE',
      info: frameworkInfo({ role: 'a' }),
      message: /'FrameworkInfo.role' must not be set/,
    },
    {
      what: 'roles without MULTI_ROLE',
      info: { user: 'u', name: 'n', roles: ['a'] },
      message: /'FrameworkInfo.roles' must not be set/,
    },
    {
      what: 'a role twice',
      info: frameworkInfo({ roles: ['a', 'a'] }),
      message: /duplicate items: a/,
    },
    { what: 'an invalid role', info: frameworkInfo({ roles: ['a//b'] }), message: /invalid role/ },
    {
      what: 'an id with a slash',
      info: frameworkInfo({ id: { value: 'a/b' } }),
      message: /contains invalid characters/,
    },
    {
      what: 'a time-out beyond any duration',
      info: frameworkInfo({ failover_timeout: 1e12 }),
      message: /failover_timeout/,
    },
    {
      what: 'a time-out that is no number',
      info: frameworkInfo({ failover_timeout: Number.NaN }),
      message: /failover_timeout/,
    },
    {
      what: 'filters for a foreign role',
      info: frameworkInfo({ offer_filters: { b: {} } }),
      message: /not subscribed to: b/,
    },
    {
      what: 'too much text',
      info: frameworkInfo({ name: 'x'.repeat(600_000) }),
      message: /at most 524288/,
    },
  ])('$what', ({ info, message }) => {
    const world = new World();
    expect(errorOf(world, info)).toMatch(message);
    expect(world.master.snapshot().frameworks).toEqual([]);
    expect(world.registry.size).toBe(0);
  });
});

test('a takeover ends the old stream, drops its offers in silence and keeps the tasks', () => {
  const world = new World();
  const { framework } = world.running();
  world.settle();
  expect(world.offersOf(framework)).toHaveLength(1);
  const before = world.effects.length;
  const again = world.subscribe(frameworkInfo({ id: { value: framework.id } }));
  const effects = world.effects.slice(before);
  expect(again.id).toBe(framework.id);
  expect(eventsOf(effects, framework.streamId)).toEqual([
    { type: 'ERROR', error: { message: 'Framework failed over' } },
  ]);
  expect(effects).toContainEqual({ kind: 'closeStream', streamId: framework.streamId });
  expect(world.call(framework, { type: 'REVIVE' }).status).toBe(400);
  expect(world.call(again, { type: 'REVIVE' }).status).toBe(202);
  expect(world.master.snapshot().frameworks[0]?.tasks).toHaveLength(1);
});

test('updates that nobody acknowledged are sent again to a framework that returns', () => {
  const world = new World();
  const { framework, agent } = world.running();
  world.handle({ kind: 'streamClosed', streamId: framework.streamId });
  world.update(agent, framework, 't', 'TASK_FAILED', 2);
  const before = world.effects.length;
  const again = world.subscribe(frameworkInfo({ id: { value: framework.id } }));
  const events = eventsOf(world.effects.slice(before), again.streamId);
  expect(events.map(({ type }) => type)).toEqual(['SUBSCRIBED', 'HEARTBEAT', 'UPDATE']);
  expect(events[2]?.update?.status.state).toBe('TASK_FAILED');
});

test('a framework that does not return within its failover time-out is removed with its tasks', () => {
  const world = new World();
  const { framework, agent } = world.running();
  world.handle({ kind: 'streamClosed', streamId: framework.streamId });
  const early = world.advance(HOUR_MS - 1);
  expect(framesOf(early, agent.connection).map(({ type }) => type)).not.toContain(
    'SHUTDOWN_FRAMEWORK',
  );
  // Its agent has to answer pings meanwhile, or it would be lost first.
  const kept = new World();
  const scene = kept.running();
  kept.handle({ kind: 'streamClosed', streamId: scene.framework.streamId });
  for (let at = 0; at < HOUR_MS; at += 15_000) {
    kept.advance(15_000);
    kept.frame(scene.agent.connection, { type: 'PONG' });
  }
  expect(framesOf(kept.effects, scene.agent.connection).map(({ type }) => type)).toContain(
    'SHUTDOWN_FRAMEWORK',
  );
  expect(kept.master.snapshot().frameworks).toEqual([]);
  expect(kept.master.snapshot().completedFrameworks).toEqual([scene.framework.id]);
  expect(errorOf(kept, frameworkInfo({ id: { value: scene.framework.id } }))).toBe(
    'Framework has been removed',
  );
});

test('a framework without failover time-out is removed when its stream breaks', () => {
  const world = new World();
  const framework = world.subscribe(frameworkInfo({ failover_timeout: 0 }));
  world.handle({ kind: 'streamClosed', streamId: framework.streamId });
  world.settle();
  expect(world.master.snapshot().completedFrameworks).toEqual([framework.id]);
});

test('TEARDOWN kills the tasks, closes the stream and bars the id, after a restart too', () => {
  const world = new World();
  const { framework, agent } = world.running();
  const { status, effects } = world.call(framework, { type: 'TEARDOWN' });
  expect(status).toBe(202);
  expect(framesOf(effects, agent.connection).map(({ type }) => type)).toEqual([
    'SHUTDOWN_FRAMEWORK',
  ]);
  expect(operatorEventsOf(effects)).toEqual(['TASK_UPDATED', 'FRAMEWORK_REMOVED']);
  expect(effects).toContainEqual({ kind: 'closeStream', streamId: framework.streamId });
  expect(world.master.snapshot().agents[0]?.used).toEqual([]);

  const late = world.update(agent, framework, 't', 'TASK_KILLED', 9);
  expect(framesOf(late, agent.connection).map(({ type }) => type)).toEqual(['ACKNOWLEDGE']);

  const next = new World({ id: 'n', registry: world.registry });
  expect(errorOf(next, frameworkInfo({ id: { value: framework.id } }))).toBe(
    'Framework has been removed',
  );
});

test('an agent that missed the teardown hears of it when it is back', () => {
  const world = new World();
  const { framework, agent } = world.running();
  world.handle({ kind: 'agentClosed', connection: agent.connection });
  world.call(framework, { type: 'TEARDOWN' });
  const before = world.effects.length;
  const again = world.register({
    agent_info: { hostname: 'host', id: { value: agent.id } },
    frameworks: [frameworkInfo({ id: { value: framework.id } })],
    tasks: [reportedTask('t', framework, agent)],
  });
  const frames = framesOf(world.effects.slice(before), again.connection);
  expect(frames.map(({ type }) => type)).toEqual(['REGISTERED', 'SHUTDOWN_FRAMEWORK']);
});

test('a framework learned from an agent is removed too when it never subscribes', () => {
  const world = new World();
  const ghost = { id: 'old-0000', streamId: '' };
  const agent = world.register({
    agent_info: {
      hostname: 'host',
      id: { value: 'old-S0' },
      resources: resources({ cpus: 4, mem: 4096 }),
    },
    frameworks: [frameworkInfo({ id: { value: ghost.id }, failover_timeout: 60 })],
    tasks: [reportedTask('t', ghost, { id: 'old-S0', connection: 0 })],
  });
  expect(world.master.snapshot().frameworks).toMatchObject([
    { id: ghost.id, recovered: true, connected: false },
  ]);
  const effects = world.advance(60_000);
  expect(framesOf(effects, agent.connection).map(({ type }) => type)).toContain(
    'SHUTDOWN_FRAMEWORK',
  );
});

test('an update that touches what must not change changes nothing', () => {
  const world = new World();
  const framework = world.subscribe();
  const id = { value: framework.id };
  const refused = world.call(framework, {
    type: 'UPDATE_FRAMEWORK',
    update_framework: { framework_info: frameworkInfo({ id, user: 'other', name: 'new' }) },
  });
  expect([refused.status, refused.text]).toEqual([
    400,
    "FrameworkInfo update is not valid: Updating 'FrameworkInfo.user' is unsupported; attempted to update from 'root' to 'other'",
  ]);
  expect(world.master.state.frameworks.values().next().value?.info.name).toBe('test');
  const accepted = world.call(framework, {
    type: 'UPDATE_FRAMEWORK',
    update_framework: { framework_info: frameworkInfo({ id, name: 'new' }) },
  });
  expect(accepted.status).toBe(200);
  expect(operatorEventsOf(accepted.effects)).toEqual(['FRAMEWORK_UPDATED']);
});

test('removing a role rescinds its offers', () => {
  const world = new World();
  const framework = world.subscribe(frameworkInfo({ roles: ['a', 'b'] }));
  world.register();
  world.settle();
  const { effects } = world.call(framework, {
    type: 'UPDATE_FRAMEWORK',
    update_framework: {
      framework_info: frameworkInfo({ id: { value: framework.id }, roles: ['b'] }),
    },
  });
  expect(eventsOf(effects, framework.streamId).map(({ type }) => type)).toEqual(['RESCIND']);
});

test('heartbeats go on while the stream is open', () => {
  const world = new World();
  const framework = world.subscribe();
  const beats = eventsOf(world.advance(60_000), framework.streamId).filter(
    ({ type }) => type === 'HEARTBEAT',
  );
  expect(beats).toHaveLength(4);
  world.handle({ kind: 'streamClosed', streamId: framework.streamId });
  expect(eventsOf(world.advance(60_000), framework.streamId)).toEqual([]);
});

test('REVIVE asks for an allocation at once, SUPPRESS ends it', () => {
  const world = new World();
  const framework = world.subscribe();
  world.register();
  world.settle();
  const decline = (seconds: number) =>
    world.call(framework, {
      type: 'DECLINE',
      decline: {
        offer_ids: world.offersOf(framework).map((value) => ({ value })),
        filters: { refuse_seconds: seconds },
      },
    });
  decline(600);
  world.advance(5_000);
  expect(world.offersOf(framework)).toEqual([]);
  const { effects } = world.call(framework, { type: 'REVIVE' });
  expect(effects).toContainEqual({ kind: 'setTimer', timer: 'allocate', afterMs: 0 });
  world.settle();
  expect(world.offersOf(framework)).toHaveLength(1);
  world.call(framework, { type: 'SUPPRESS' });
  decline(0);
  world.advance(5_000);
  expect(world.offersOf(framework)).toEqual([]);
});

test('a restarted master knows agents, frameworks and weights, and learns the tasks', () => {
  const world = new World();
  const { framework, agent } = world.running();
  world.operator({
    type: 'UPDATE_WEIGHTS',
    update_weights: { weight_infos: [{ role: 'dev', weight: 2 }] },
  });
  const next = new World({ id: 'n', registry: world.registry });
  expect(next.master.snapshot()).toMatchObject({
    recoveredAgents: [agent.id],
    frameworks: [{ id: framework.id, recovered: true }],
  });
  expect([...next.master.state.weights]).toEqual([['dev', 2]]);
  const again = next.register({
    agent_info: {
      hostname: 'host',
      id: { value: agent.id },
      resources: task('x', agent).resources ?? [],
    },
    frameworks: [frameworkInfo({ id: { value: framework.id } })],
    tasks: [reportedTask('t', framework, agent)],
  });
  expect(again.id).toBe(agent.id);
  const back = next.subscribe(frameworkInfo({ id: { value: framework.id } }));
  expect(next.master.snapshot().frameworks[0]).toMatchObject({
    recovered: false,
    tasks: [{ taskId: 't', state: 'TASK_RUNNING' }],
  });
  const { effects } = next.call(back, { type: 'RECONCILE', reconcile: {} });
  expect(statusesOf(effects, back)).toEqual([
    { task: 't', state: 'TASK_RUNNING', reason: 'REASON_RECONCILIATION' },
  ]);
});
