/** Who is served first, and how shares settle. */

import { describe, expect, test } from 'vitest';
import { giveBack, INTERVAL_MS, res, text, world } from './testing/allocator-world.ts';

describe('fairness', () => {
  test('agents that come one by one go to the role with the least dominant share', () => {
    const { agent, framework, run } = world();
    framework('f1', ['r1']);
    const given: string[] = [];
    const add = (id: string, total: string): void => {
      agent(id, total);
      given.push(text(run()));
    };
    add('a1', 'cpus:2;mem:1024');
    framework('f2', ['r2']);
    add('a2', 'cpus:1;mem:512'); // r1 has 2/3 of the cpus, r2 nothing.
    add('a3', 'cpus:3;mem:2048'); // r1 1/3, r2 1/6.
    add('a4', 'cpus:4;mem:4096'); // r1 2/10 of cpus, r2 4/10.
    framework('f3', ['r1']);
    add('a5', 'cpus:1;mem:512'); // r1 6/11, r2 4/11.
    framework('f4', ['r1']);
    add('a6', 'cpus:1;mem:512'); // r1 6/12, r2 5/12.
    add('a7', 'cpus:1;mem:512'); // r1 6/13, r2 6/13, equal cpus; r1's memory 5120/9216 is dominant.
    expect(given).toEqual([
      'f1 r1 a1',
      'f2 r2 a2',
      'f2 r2 a3',
      'f1 r1 a4',
      'f2 r2 a5',
      'f2 r2 a6',
      'f2 r2 a7',
    ]);
  });

  test.each<[string, Readonly<Record<string, number>>, readonly [number, number]]>([
    ['equal weights', {}, [4, 4]],
    ['one role of threefold weight', { r1: 3 }, [6, 2]],
    ['both doubled', { r1: 2, r2: 2 }, [4, 4]],
  ])('%s part eight agents', (_name, weights, expected) => {
    const { allocator, agent, framework, run } = world();
    framework('f1', ['r1']);
    framework('f2', ['r2']);
    allocator.updateWeights(new Map(Object.entries(weights)));
    for (let index = 0; index < 8; index++) agent(`a${index}`, 'cpus:2;mem:1024');
    const offers = run();
    expect(['r1', 'r2'].map((name) => offers.filter(({ role }) => role === name).length)).toEqual(
      expected,
    );
  });

  test('a weight set at run time counts from the next run', () => {
    const { allocator, agent, framework, run } = world();
    framework('f1', ['r1']);
    framework('f2', ['r2']);
    for (let index = 0; index < 6; index++) agent(`a${index}`, 'cpus:2;mem:1024');
    giveBack(allocator, run(), 0);
    allocator.updateWeights(new Map([['r2', 2]]));
    expect(allocator.hasCandidates()).toBe(false);
    const roles = run(INTERVAL_MS).map(({ role }) => role);
    expect(roles.filter((role) => role === 'r2')).toHaveLength(4);
  });

  test('reserved resources count as allocated when they are allocated, not before', () => {
    const { agent, framework, run } = world();
    framework('f1', ['r1']);
    framework('f2', ['r2']);
    agent('a1', 'cpus(r1):90;mem(r1):1000');
    expect(text(run())).toBe('f1 r1 a1');
    agent('a2', 'cpus:10;mem:1000');
    expect(text(run())).toBe('f2 r2 a2');
  });

  test('names left out of fair sharing do not count', () => {
    const { agent, framework, run } = world({
      fairSharingExcluded: ['gpus'],
      filterGpuResources: false,
    });
    framework('f1', ['r1']);
    agent('a1', 'cpus:1;mem:100;gpus:8');
    expect(text(run())).toBe('f1 r1 a1');
    framework('f2', ['r2']);
    agent('a2', 'cpus:8;mem:800');
    run();
    agent('a3', 'cpus:1;mem:100');
    // By gpus r1 would have all there are; without them it has the least.
    expect(text(run())).toBe('f1 r1 a3');
  });

  test('frameworks of equal share take turns', () => {
    const { allocator, agent, framework, run } = world();
    for (const id of ['f1', 'f2', 'f3']) framework(id, ['r']);
    agent('a', 'cpus:1;mem:100');
    const turns: string[] = [];
    for (let round = 0; round < 6; round++) {
      const offers = run(round * INTERVAL_MS);
      turns.push(offers[0]?.frameworkId ?? '');
      giveBack(allocator, offers, undefined);
    }
    expect(turns.join(' ')).toBe('f1 f2 f3 f1 f2 f3');
  });

  test('siblings under one role share its part', () => {
    const { agent, framework, run } = world();
    framework('f1', ['a/x']);
    framework('f2', ['a/y']);
    framework('f3', ['b']);
    for (let index = 0; index < 8; index++) agent(`agent${index}`, 'cpus:1;mem:100');
    const offers = run();
    const counts = ['a/x', 'a/y', 'b'].map(
      (name) => offers.filter(({ role }) => role === name).length,
    );
    expect(counts).toEqual([2, 2, 4]);
  });
});

describe('shares settle', () => {
  /** Frameworks that keep what they are offered up to one task of this size per offer, round by round. */
  function settle(
    built: ReturnType<typeof world>,
    tasks: Readonly<Record<string, string>>,
    rounds: number,
  ): Readonly<Record<string, number>> {
    const launched: Record<string, number> = {};
    for (let round = 0; round < rounds; round++) {
      for (const { frameworkId: id, agentId: on, role, resources } of built.run(round * 10_000)) {
        const task = res(tasks[id] ?? '').allocate(role);
        const fits = resources.contains(task);
        if (fits) launched[id] = (launched[id] ?? 0) + 1;
        const rest = fits ? resources.subtract(task) : resources;
        built.allocator.recover(id, on, rest, { refuseMs: 0 }, round * 10_000);
      }
    }
    return launched;
  }

  test('at 2:1 for roles weighted 2:1 with equal demand', () => {
    const built = world();
    for (let at = 0; at < 10; at++) built.agent(`a${at}`, 'cpus:9;mem:9216');
    built.framework('heavy', ['two']);
    built.framework('light', ['one']);
    built.allocator.updateWeights(new Map([['two', 2]]));
    const launched = settle(built, { heavy: 'cpus:1;mem:1024', light: 'cpus:1;mem:1024' }, 60);
    expect(launched).toEqual({ heavy: 60, light: 30 });
  });

  test('at equal dominant shares for cpu-heavy and memory-heavy demand', () => {
    const built = world();
    for (let at = 0; at < 10; at++) built.agent(`a${at}`, 'cpus:10;mem:10000');
    built.framework('cpu', ['cpu']);
    built.framework('mem', ['mem']);
    const launched = settle(built, { cpu: 'cpus:0.5;mem:100', mem: 'cpus:0.1;mem:500' }, 200);
    const [cpu, mem] = built.allocator.explain().map(({ share }) => share);
    expect(Math.abs((cpu ?? 0) - (mem ?? 1))).toBeLessThan(0.01);
    expect(Math.min(launched['cpu'] ?? 0, launched['mem'] ?? 0)).toBeGreaterThan(100);
  });

  test('with the guarantee of one role kept while another floods the cluster', () => {
    const built = world();
    for (let at = 0; at < 10; at++) built.agent(`a${at}`, 'cpus:4;mem:4096');
    built.framework('flood', ['flood']);
    built.allocator.updateQuota('guarded', {
      guarantees: new Map([
        ['cpus', 10_000],
        ['mem', 10_240_000],
      ]),
      limits: new Map(),
    });
    settle(built, { flood: 'cpus:1;mem:1024' }, 60);
    built.framework('late', ['guarded']);
    const launched = settle(built, { flood: 'cpus:1;mem:1024', late: 'cpus:1;mem:1024' }, 60);
    expect(launched).toEqual({ late: 10 });
  });
});
