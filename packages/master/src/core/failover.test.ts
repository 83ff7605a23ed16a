/** What a leader makes of frameworks that its predecessor knew and that are not back. */

import { describe, expect, test } from 'vitest';
import type { FrameworkInfo } from '@dcos/wire';
import type { Effect } from './effects.ts';
import {
  eventsOf,
  framesOf,
  frameworkInfo,
  reportedTask,
  resources,
  World,
  type TestAgent,
  type TestFramework,
} from '../testing/world.ts';

interface Scene {
  readonly world: World;
  readonly framework: TestFramework;
  readonly agent: TestAgent;
}

/** The next leader of a cluster with one task, before anybody is back. */
function succeed({ world, framework, agent }: Scene, id = 'n'): Scene {
  return {
    world: new World({ id, registry: world.registry, pingIntervalMs: 1e9 }),
    framework,
    agent,
  };
}

function leaderWithTask(info: Partial<FrameworkInfo>): Scene {
  const world = new World();
  return { world, ...world.running(frameworkInfo(info)) };
}

/** The agent comes back with its task; gives the connection and what it was told at once. */
function comeBack({ world, framework, agent }: Scene, info: Partial<FrameworkInfo>) {
  const from = world.effects.length;
  const { connection } = world.register({
    agent_info: {
      hostname: 'host',
      id: { value: agent.id },
      resources: resources({ cpus: 4, mem: 4096 }),
    },
    frameworks: [frameworkInfo({ ...info, id: { value: framework.id } })],
    tasks: [reportedTask('t', framework, agent)],
  });
  return { connection, told: typesTo(world, connection, from) };
}

function typesTo(world: World, connection: number, from = 0): readonly string[] {
  return framesOf(world.effects.slice(from), connection).map(({ type }) => type);
}

function refusalOf(world: World, { id }: TestFramework): string | undefined {
  const from = world.effects.length;
  const { streamId } = world.subscribe(frameworkInfo({ id: { value: id } }));
  return eventsOf(world.effects.slice(from), streamId).find(({ type }) => type === 'ERROR')?.error
    ?.message;
}

// Half a minute is no time for a scheduler to find a new leader: nobody has less than a minute.
describe.each([
  { info: { failover_timeout: 300 }, waitsMs: 300_000 },
  { info: { failover_timeout: 30 }, waitsMs: 60_000 },
  { info: { failover_timeout: 0 }, waitsMs: 60_000 },
])('a framework with $info that never returns', ({ info, waitsMs }) => {
  test('is torn down when its time since the election is over, with its tasks', () => {
    const scene = succeed(leaderWithTask(info));
    const { world, framework } = scene;
    const { connection } = comeBack(scene, info);
    world.advance(waitsMs - 1);
    expect(typesTo(world, connection)).not.toContain('SHUTDOWN_FRAMEWORK');
    expect(world.master.snapshot().frameworks).toMatchObject([{ tasks: [{ taskId: 't' }] }]);
    world.advance(1);
    expect(typesTo(world, connection)).toContain('SHUTDOWN_FRAMEWORK');
    const { frameworks, completedFrameworks, agents } = world.master.snapshot();
    expect({ frameworks, completedFrameworks }).toEqual({
      frameworks: [],
      completedFrameworks: [framework.id],
    });
    expect(agents[0]?.used).toEqual([]);
    expect(refusalOf(world, framework)).toBe('Framework has been removed');
    expect(refusalOf(succeed(scene, 'o').world, framework)).toBe('Framework has been removed');
  });

  test('is waited for anew by each leader', () => {
    const second = succeed(leaderWithTask(info));
    second.world.advance(waitsMs - 1);
    const third = succeed(second, 'o');
    third.world.advance(waitsMs - 1);
    expect(third.world.master.snapshot().frameworks).toHaveLength(1);
    third.world.advance(1);
    expect(third.world.master.snapshot().frameworks).toEqual([]);
  });

  test('is shut down on an agent that comes back after it was torn down', () => {
    const scene = succeed(leaderWithTask(info));
    scene.world.advance(waitsMs);
    expect(comeBack(scene, info).told).toEqual(['REGISTERED', 'SHUTDOWN_FRAMEWORK']);
    expect(scene.world.master.snapshot()).toMatchObject({
      frameworks: [],
      agents: [{ used: [] }],
    });
  });

  test('keeps its tasks when it returns in time', () => {
    const scene = succeed(leaderWithTask(info));
    const { world, framework } = scene;
    const { connection } = comeBack(scene, info);
    world.advance(waitsMs - 1);
    world.subscribe(frameworkInfo({ ...info, id: { value: framework.id } }));
    world.advance(2 * waitsMs);
    expect(typesTo(world, connection)).not.toContain('SHUTDOWN_FRAMEWORK');
    expect(world.master.snapshot().frameworks).toMatchObject([{ tasks: [{ taskId: 't' }] }]);
  });
});

test('a framework that returned after a failover has its own time-out again', () => {
  const scene = succeed(leaderWithTask({ failover_timeout: 0 }));
  const { world, framework } = scene;
  const info = frameworkInfo({ failover_timeout: 0, id: { value: framework.id } });
  world.handle({ kind: 'streamClosed', streamId: world.subscribe(info).streamId });
  world.settle();
  expect(world.master.snapshot().completedFrameworks).toEqual([framework.id]);
});

test('agents that come back to a new leader are offered together, the first at once', () => {
  const before = new World();
  const known = Array.from({ length: 3 }, () => before.register());
  const world = new World({ id: 'n', registry: before.registry, pingIntervalMs: 1e9 });
  const { streamId } = world.subscribe();
  const offersOf = (after: readonly Effect[]): readonly number[] =>
    eventsOf(after, streamId).flatMap(({ offers }) =>
      offers === undefined ? [] : [offers.offers?.length ?? 0],
    );
  const offersAfter = (ms: number, agents: readonly TestAgent[]): readonly number[] => {
    const from = world.effects.length;
    for (const { id } of agents)
      world.register({
        agent_info: { hostname: id, id: { value: id }, resources: resources({ cpus: 4, mem: 64 }) },
      });
    world.advance(ms);
    return offersOf(world.effects.slice(from));
  };
  expect(offersAfter(0, known.slice(0, 1))).toEqual([1]);
  expect(offersAfter(49, known.slice(1, 2))).toEqual([]);
  expect(offersAfter(1, [])).toEqual([1]);
  // All are back: nobody waits any more.
  expect(offersAfter(0, known.slice(2))).toEqual([1]);
});
