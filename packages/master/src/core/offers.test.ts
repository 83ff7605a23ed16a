/**
 * When offers are made and with what, with the real allocator: at once for what was freed, in the next round
 * for what was refused.
 */

import { createAllocator } from '@dcos/allocator';
import { seededRandom } from '@dcos/base';
import type { Effect } from '../core/index.ts';
import { describe, expect, test } from 'vitest';
import {
  AGENT_CAPABILITIES,
  eventsOf,
  frameworkInfo,
  resources,
  task,
  World,
  type TestAgent,
  type TestFramework,
} from '../testing/world.ts';

const INTERVAL_MS = 1000;

function realWorld(): World {
  return new World({
    allocationIntervalMs: INTERVAL_MS,
    allocator: createAllocator({ random: seededRandom(1), allocationIntervalMs: INTERVAL_MS }),
  });
}

/** The cpus of each offer that went to a framework. */
function cpusOffered(effects: readonly Effect[], framework: TestFramework): readonly number[] {
  return eventsOf(effects, framework.streamId)
    .flatMap(({ offers }) => offers?.offers ?? [])
    .map((offer) => offer.resources?.find(({ name }) => name === 'cpus')?.scalar?.value ?? 0);
}

function accept(
  world: World,
  framework: TestFramework,
  ids: readonly string[],
  agent: TestAgent,
  seconds?: number,
): void {
  world.call(framework, {
    type: 'ACCEPT',
    accept: {
      offer_ids: world.offersOf(framework).map((value) => ({ value })),
      operations: [{ type: 'LAUNCH', launch: { task_infos: ids.map((id) => task(id, agent)) } }],
      ...(seconds !== undefined && { filters: { refuse_seconds: seconds } }),
    },
  });
}

describe('what is free again', () => {
  test('after a task has ended is offered at once', () => {
    const world = realWorld();
    const framework = world.subscribe();
    const agent = world.register();
    world.settle();
    accept(world, framework, ['a', 'b', 'c', 'd'], agent, 3600);
    world.settle();
    const before = world.effects.length;
    world.update(agent, framework, 'a', 'TASK_FINISHED', 1);
    world.settle();
    expect(cpusOffered(world.effects.slice(before), framework)).toEqual([1]);
  });

  test('after an offer was used in part is offered at once to others, not to its user', () => {
    const world = realWorld();
    const first = world.subscribe(frameworkInfo({ roles: ['a'] }));
    const agent = world.register();
    world.settle();
    const second = world.subscribe(frameworkInfo({ roles: ['b'] }));
    world.settle();
    const before = world.effects.length;
    accept(world, first, ['t'], agent);
    world.settle();
    expect(cpusOffered(world.effects.slice(before), second)).toEqual([3]);
    expect(cpusOffered(world.effects.slice(before), first)).toEqual([]);
  });

  test('is offered at once to its user when it wants no filter', () => {
    const world = realWorld();
    const framework = world.subscribe();
    const agent = world.register();
    world.settle();
    const before = world.effects.length;
    accept(world, framework, ['t'], agent, 0);
    world.settle();
    expect(cpusOffered(world.effects.slice(before), framework)).toEqual([3]);
  });
});

describe('what was refused waits for the next round, so that nobody is asked as fast as it can answer', () => {
  const refusals: readonly {
    readonly what: string;
    readonly refuse: (world: World, framework: TestFramework, agent: TestAgent) => void;
  }[] = [
    {
      what: 'a DECLINE without a filter',
      refuse: (world, framework) => {
        const offer_ids = world.offersOf(framework).map((value) => ({ value }));
        const filters = { refuse_seconds: 0 };
        world.call(framework, { type: 'DECLINE', decline: { offer_ids, filters } });
      },
    },
    {
      what: 'an ACCEPT without tasks',
      refuse: (world, framework, agent) => accept(world, framework, [], agent, 0),
    },
    {
      what: 'an ACCEPT with nothing but invalid tasks',
      refuse: (world, framework) =>
        accept(world, framework, ['t'], { id: 'other', connection: 0 }, 0),
    },
    {
      what: 'an ACCEPT with an offer that is not valid',
      refuse: (world, framework) => {
        const ids = [...world.offersOf(framework), 'stale'];
        const offer_ids = ids.map((value) => ({ value }));
        world.call(framework, { type: 'ACCEPT', accept: { offer_ids } });
      },
    },
  ];
  test.each(refusals)('$what', ({ refuse }) => {
    const world = realWorld();
    const framework = world.subscribe();
    const agent = world.register();
    world.settle();
    const before = world.effects.length;
    refuse(world, framework, agent);
    world.settle();
    expect(cpusOffered(world.effects.slice(before), framework)).toEqual([]);
    world.advance(INTERVAL_MS);
    expect(cpusOffered(world.effects.slice(before), framework)).toEqual([4]);
  });

  test('an offer that was not answered in time', () => {
    const world = new World({
      offerTimeoutMs: 10,
      allocator: createAllocator({ random: seededRandom(1), allocationIntervalMs: INTERVAL_MS }),
    });
    const framework = world.subscribe();
    world.register();
    world.advance(500);
    expect(cpusOffered(world.effects, framework)).toEqual([4]);
  });
});

test('an agent that returns with other attributes is offered in spite of filters', () => {
  const world = realWorld();
  const framework = world.subscribe();
  const agent = world.register();
  world.settle();
  const [offer] = world.offersOf(framework);
  world.call(framework, {
    type: 'DECLINE',
    decline: { offer_ids: [{ value: offer ?? '' }], filters: { refuse_seconds: 3600 } },
  });
  const before = world.effects.length;
  world.handle({ kind: 'agentClosed', connection: agent.connection });
  const same = world.register({ id: agent.id });
  world.settle();
  expect(cpusOffered(world.effects.slice(before), framework)).toEqual([]);
  world.handle({ kind: 'agentClosed', connection: same.connection });
  world.register({
    id: agent.id,
    agent_info: {
      hostname: 'host',
      port: 5051,
      id: { value: agent.id },
      resources: resources({ cpus: 4, mem: 4096, ports: [31_000, 31_100] }),
      attributes: [{ name: 'rack', type: 'TEXT', text: { value: 'b' } }],
    },
    capabilities: AGENT_CAPABILITIES,
  });
  world.settle();
  expect(cpusOffered(world.effects.slice(before), framework)).toEqual([4]);
});

describe('beyond the original', () => {
  test('a framework that declines the same thing again and again is asked less often', () => {
    const world = realWorld();
    const framework = world.subscribe();
    world.register();
    const gaps: number[] = [];
    let sinceMs = 0;
    let declined = 0;
    for (let second = 0; second < 70 && gaps.length < 4; second++) {
      const effects = second === 0 ? world.settle() : world.advance(1_000);
      sinceMs += second === 0 ? 0 : 1_000;
      if (cpusOffered(effects, framework).length === 0) continue;
      if (declined > 0) gaps.push(sinceMs);
      declined += 1;
      sinceMs = 0;
      const offer = world.offersOf(framework).at(-1);
      world.call(framework, {
        type: 'DECLINE',
        decline: { offer_ids: [{ value: offer ?? '' }] },
      });
    }
    // A refusal of 5 s ends within the round after it.
    expect(gaps.map((gap) => Math.round(gap / 5_000))).toEqual([1, 1, 2, 4]);
  });
});

describe('a wall clock that is set', () => {
  test.each([-3_600_000, 3_600_000])('by %i ms moves no refusal', (byMs) => {
    const world = realWorld();
    const framework = world.subscribe(frameworkInfo());
    world.register();
    world.settle();
    const decline = { offer_ids: world.offersOf(framework).map((value) => ({ value })) };
    world.call(framework, {
      type: 'DECLINE',
      decline: { ...decline, filters: { refuse_seconds: 10 } },
    });
    world.wallOffsetMs = byMs;
    world.advance(8_000);
    expect(world.offersOf(framework)).toEqual([]);
    world.advance(4_000);
    expect(world.offersOf(framework)).toHaveLength(1);
  });
});
