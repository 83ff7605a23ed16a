/**
 * Quota: guarantees are served first and held back from everybody else, limits are never passed. The
 * behaviours that the original's own allocator tests pin, as rows; and invariants over random clusters.
 */

import fc from 'fast-check';
import { agentId, frameworkId } from '@dcos/base';
import { Resources, topLevelRole } from '@dcos/resources';
import { describe, expect, test } from 'vitest';
import { giveBack, INTERVAL_MS, reasonsAgainst, res, world } from './testing/allocator-world.ts';
import type { Allocation, Quota } from './types.ts';

/** `cpus:1;mem:512` as thousandths by name. */
function quantities(amounts: string): Quota['guarantees'] {
  return res(amounts).scalarQuantities();
}

interface Case {
  readonly what: string;
  /** Agents by name. */
  readonly agents: Readonly<Record<string, string>>;
  /** Frameworks by name, with their role. */
  readonly frameworks: Readonly<Record<string, string>>;
  /** Roles with guarantee and limit. */
  readonly quota: Readonly<Record<string, readonly [guarantee: string, limit: string]>>;
  /** What some framework holds on an agent before: framework, agent, role, amount. */
  readonly held?: readonly (readonly [string, string, string, string])[];
  /** What each framework is offered in all, summed up; frameworks with nothing are left out. */
  readonly offered: Readonly<Record<string, string>>;
}

const CASES: readonly Case[] = [
  {
    what: 'a guarantee is met before shares are looked at',
    agents: { a1: 'cpus:2;mem:1024', a2: 'cpus:2;mem:1024' },
    frameworks: { f1: 'guarded', f2: 'other' },
    quota: { guarded: ['cpus:2;mem:1024', 'cpus:2;mem:1024'] },
    held: [['f1', 'a1', 'guarded', 'cpus:1;mem:512']],
    offered: { f1: 'cpus:1;mem:512', f2: 'cpus:2;mem:1024' },
  },
  {
    what: 'what a guarantee needs is held back from others while its role has no framework',
    agents: { a1: 'cpus:2;mem:1024', a2: 'cpus:2;mem:1024' },
    frameworks: { f2: 'other' },
    quota: { guarded: ['cpus:2;mem:1024', ''] },
    offered: { f2: 'cpus:2;mem:1024' },
  },
  {
    what: 'nothing is offered when guarantees need all there is',
    agents: { a1: 'cpus:2;mem:1024' },
    frameworks: { f2: 'other' },
    quota: { guarded: ['cpus:2;mem:1024', ''] },
    offered: {},
  },
  {
    what: 'an agent is chopped to what a guarantee lacks, and the rest goes on by shares',
    agents: { a1: 'cpus:4;mem:4096' },
    frameworks: { f1: 'guarded', f2: 'other' },
    quota: { guarded: ['cpus:1;mem:512', 'cpus:1;mem:512'] },
    offered: { f1: 'cpus:1;mem:512', f2: 'cpus:3;mem:3584' },
  },
  {
    what: 'a limit chops offers, without any guarantee',
    agents: { a1: 'cpus:4;mem:4096' },
    frameworks: { f1: 'limited' },
    quota: { limited: ['', 'cpus:1;mem:2048'] },
    offered: { f1: 'cpus:1;mem:2048' },
  },
  {
    what: 'a name without limit is offered whole',
    agents: { a1: 'cpus:4;mem:4096' },
    frameworks: { f1: 'limited' },
    quota: { limited: ['', 'cpus:1'] },
    offered: { f1: 'cpus:1;mem:4096' },
  },
  {
    what: 'what is used counts against the limit',
    agents: { a1: 'cpus:4;mem:4096' },
    frameworks: { f1: 'limited' },
    quota: { limited: ['', 'cpus:2;mem:2048'] },
    held: [['f1', 'a1', 'limited', 'cpus:1.5;mem:1024']],
    offered: { f1: 'cpus:0.5;mem:1024' },
  },
  {
    what: 'a role at its limit is offered nothing',
    agents: { a1: 'cpus:4;mem:4096' },
    frameworks: { f1: 'limited' },
    quota: { limited: ['', 'cpus:1;mem:1024'] },
    held: [['f1', 'a1', 'limited', 'cpus:1;mem:1024']],
    offered: {},
  },
  {
    what: 'reservations count against a limit even when nobody uses them, and are offered',
    agents: { a1: 'cpus:2;mem:1024;cpus(limited):1;mem(limited):512' },
    frameworks: { f1: 'limited' },
    quota: { limited: ['', 'cpus:1;mem:512'] },
    offered: { f1: 'cpus(limited):1;mem(limited):512' },
  },
  {
    what: 'reservations count toward a guarantee even when nobody uses them',
    agents: { a1: 'cpus:2;mem:1024;cpus(guarded):1;mem(guarded):512' },
    frameworks: { f2: 'other' },
    quota: { guarded: ['cpus:1;mem:512', ''] },
    offered: { f2: 'cpus:2;mem:1024' },
  },
  {
    what: 'children consume the quota of the role above them',
    agents: { a1: 'cpus:4;mem:4096' },
    frameworks: { f1: 'eng/dev' },
    quota: { eng: ['', 'cpus:2;mem:2048'] },
    held: [['f1', 'a1', 'eng/dev', 'cpus:1;mem:1024']],
    offered: { f1: 'cpus:1;mem:1024' },
  },
  {
    what: 'ports and other things that are no scalars come with a guarantee',
    agents: { a1: 'cpus:2;mem:1024;ports:[31000-31009]' },
    frameworks: { f1: 'guarded' },
    quota: { guarded: ['cpus:1;mem:512', 'cpus:1;mem:512'] },
    offered: { f1: 'cpus:1;mem:512;ports:[31000-31009]' },
  },
  {
    what: 'guarantees of several roles without frameworks are held back together',
    agents: { a1: 'cpus:4;mem:4096' },
    frameworks: { f1: 'other' },
    quota: { one: ['cpus:1;mem:1024', ''], two: ['cpus:2;mem:1024', ''] },
    offered: { f1: 'cpus:1;mem:2048' },
  },
  {
    what: 'what is reserved for others is no headroom for a guarantee',
    agents: { a1: 'cpus:2;mem:1024;cpus(other):2;mem(other):1024' },
    frameworks: { f1: 'other' },
    quota: { guarded: ['cpus:2;mem:1024', ''] },
    offered: { f1: 'cpus(other):2;mem(other):1024' },
  },
  {
    what: 'a reservation counts once while it is used',
    agents: { a1: 'cpus:2;mem:1024;cpus(limited):1;mem(limited):512' },
    frameworks: { f1: 'limited' },
    quota: { limited: ['', 'cpus:2;mem:1024'] },
    held: [['f1', 'a1', 'limited', 'cpus(limited):1;mem(limited):512']],
    offered: { f1: 'cpus:1;mem:512' },
  },
  {
    what: 'a guarantee that takes more than one agent chops the last of them',
    agents: { a1: 'cpus:2;mem:1024', a2: 'cpus:2;mem:1024' },
    frameworks: { f1: 'guarded', f2: 'other' },
    quota: { guarded: ['cpus:3;mem:1536', 'cpus:3;mem:1536'] },
    offered: { f1: 'cpus:3;mem:1536', f2: 'cpus:1;mem:512' },
  },
  {
    what: 'a guarantee serves the frameworks of roles below its own',
    agents: { a1: 'cpus:2;mem:1024' },
    frameworks: { f1: 'eng/dev', f2: 'other' },
    quota: { eng: ['cpus:1;mem:512', 'cpus:1;mem:512'] },
    offered: { f1: 'cpus:1;mem:512', f2: 'cpus:1;mem:512' },
  },
  {
    what: 'reservations of roles below count for the role above',
    agents: { a1: 'cpus:2;mem:1024;cpus(eng/dev):1;mem(eng/dev):512' },
    frameworks: { f1: 'eng' },
    quota: { eng: ['', 'cpus:2;mem:1024'] },
    offered: { f1: 'cpus:1;mem:512' },
  },
  {
    what: 'a limit below the least offer gets nothing',
    agents: { a1: 'cpus:2;mem:1024' },
    frameworks: { f1: 'limited' },
    quota: { limited: ['', 'cpus:0.001;mem:1'] },
    offered: {},
  },
];

function sumsOf(allocations: readonly Allocation[]): Readonly<Record<string, Resources>> {
  const sums: Record<string, Resources> = {};
  for (const { frameworkId: id, resources } of allocations)
    sums[id] = (sums[id] ?? Resources.empty).add(resources.unallocate());
  return sums;
}

test.each(CASES)('$what', ({ agents, frameworks, quota, held = [], offered }) => {
  const { allocator, agent, framework, run } = world();
  for (const [id, total] of Object.entries(agents)) agent(id, total);
  for (const [id, role] of Object.entries(frameworks)) framework(id, [role]);
  for (const [id, on, role, amount] of held)
    allocator.track(frameworkId(id), agentId(on), res(amount).allocate(role));
  for (const [role, [guarantees, limits]] of Object.entries(quota)) {
    allocator.updateQuota(role, {
      guarantees: quantities(guarantees),
      limits: quantities(limits),
    });
  }
  const sums = sumsOf(run());
  expect(Object.keys(sums).sort()).toEqual(Object.keys(offered).sort());
  for (const [id, text] of Object.entries(offered))
    expect(sums[id]?.toWire()).toEqual(res(text).toWire());
});

test('disks that are taken whole are left out when they do not fit', () => {
  const { allocator, agent, framework, run } = world();
  const mount = {
    name: 'disk',
    type: 'SCALAR',
    scalar: { value: 100 },
    disk: { source: { type: 'MOUNT', mount: { root: '/d' } } },
  } as const;
  agent('a1', Resources.fromWire([...res('cpus:2;mem:1024;disk:50').toWire(), mount]));
  framework('f1', ['limited']);
  allocator.updateQuota('limited', { guarantees: new Map(), limits: quantities('disk:60') });
  expect(sumsOf(run())['f1']?.disk()).toBe(50);
});

test('revocable resources are offered whatever quota says', () => {
  const { allocator, agent, framework, run } = world();
  const revocable = { name: 'cpus', type: 'SCALAR', scalar: { value: 8 }, revocable: {} } as const;
  agent('a1', Resources.fromWire([...res('cpus:2;mem:1024').toWire(), revocable]));
  framework('f1', ['limited'], { capabilities: new Set(['MULTI_ROLE', 'REVOCABLE_RESOURCES']) });
  allocator.updateQuota('limited', { guarantees: new Map(), limits: quantities('cpus:1;mem:64') });
  expect(sumsOf(run())['f1']?.cpus()).toBe(9);
});

test('of several disks alike those that fit are offered', () => {
  const { allocator, agent, framework, run } = world();
  const raw = {
    name: 'disk',
    type: 'SCALAR',
    scalar: { value: 50 },
    disk: { source: { type: 'RAW', profile: 'fast' } },
  } as const;
  agent('a1', Resources.fromWire([...res('cpus:2;mem:1024').toWire(), raw, raw, raw]));
  framework('f1', ['limited']);
  allocator.updateQuota('limited', { guarantees: new Map(), limits: quantities('disk:120') });
  expect(sumsOf(run())['f1']?.disk()).toBe(100);
});

test('a shared volume goes to one framework of a run, in whichever stage', () => {
  const { allocator, agent, framework, run } = world();
  const volume = Resources.fromWire([
    {
      name: 'disk',
      type: 'SCALAR',
      scalar: { value: 100 },
      reservations: [{ type: 'DYNAMIC', role: 'guarded' }],
      disk: {
        persistence: { id: 'v' },
        volume: { mode: 'RW', container_path: 'v' },
      },
      shared: {},
    },
  ]);
  agent('a', res('cpus:2;mem:1024;cpus(guarded/child):1').add(volume));
  const capabilities = new Set(['MULTI_ROLE', 'SHARED_RESOURCES']);
  framework('f1', ['guarded'], { capabilities });
  framework('f2', ['guarded/child'], { capabilities });
  allocator.suppress(frameworkId('f2'), []);
  allocator.updateQuota('guarded', {
    guarantees: quantities('cpus:2;mem:1024'),
    limits: new Map(),
  });
  allocator.revive(frameworkId('f2'), []);
  const shared = (allocations: readonly Allocation[]): readonly string[] =>
    allocations
      .filter(({ resources }) => resources.entries.some(({ nature }) => nature.shared))
      .map(({ frameworkId: id }) => id);
  const first = run();
  expect(first.map(({ frameworkId: id }) => id)).toEqual(['f1', 'f2']);
  expect(shared(first)).toEqual(['f1']);
});

test('a quota that is removed holds nothing back any more', () => {
  const { allocator, agent, framework, run } = world();
  agent('a1', 'cpus:2;mem:1024');
  framework('f1', ['other']);
  allocator.updateQuota('guarded', {
    guarantees: quantities('cpus:2;mem:1024'),
    limits: new Map(),
  });
  expect(run()).toEqual([]);
  allocator.updateQuota('guarded', undefined);
  expect(run(INTERVAL_MS)).toHaveLength(1);
});

test('what quota held back is offered when consumption elsewhere goes down', () => {
  const { allocator, agent, framework, run } = world();
  agent('a1', 'cpus:1;mem:512');
  agent('a2', 'cpus:1;mem:512');
  framework('f1', ['limited']);
  allocator.updateQuota('limited', {
    guarantees: new Map(),
    limits: quantities('cpus:1;mem:512'),
  });
  const first = run();
  expect(first).toHaveLength(1);
  expect(run(INTERVAL_MS)).toEqual([]);
  const [used] = first;
  giveBack(allocator, first, 3_600_000, INTERVAL_MS);
  const next = run(2 * INTERVAL_MS);
  // The one agent is refused for an hour, the other one was held back by the limit alone.
  expect(next.map(({ agentId: id }) => id)).toEqual(
    ['a1', 'a2'].filter((id) => id !== used?.agentId),
  );
});

describe('invariants over random clusters', () => {
  const amount = fc.integer({ min: 1, max: 8 });
  const clusterParts = {
    agents: fc.array(fc.tuple(amount, amount), { minLength: 1, maxLength: 8 }),
    frameworks: fc.array(fc.constantFrom('a', 'b', 'b/x', 'c'), { minLength: 1, maxLength: 5 }),
  };
  const cluster = fc.record({
    ...clusterParts,
    quotas: fc.dictionary(
      fc.constantFrom('a', 'b', 'c'),
      fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 12 })),
    ),
    declines: fc.array(fc.nat(), { maxLength: 6 }),
    seed: fc.integer(),
  });

  test('limits hold, and headroom for guarantees stays where it was', () => {
    fc.assert(
      fc.property(cluster, ({ agents, frameworks, quotas, declines }) => {
        const { allocator, agent, framework, run } = world();
        for (const [index, [cpus, mem]] of agents.entries())
          agent(`a${index}`, `cpus:${cpus};mem:${mem * 128}`);
        for (const [index, role] of frameworks.entries()) framework(`f${index}`, [role]);
        for (const [role, [guarantee, more]] of Object.entries(quotas)) {
          allocator.updateQuota(role, {
            guarantees: new Map([['cpus', guarantee * 1000]]),
            limits: new Map([['cpus', (guarantee + more) * 1000]]),
          });
        }
        const total = agents.reduce((sum, [cpus]) => sum + cpus * 1000, 0);
        let held: Allocation[] = [];
        for (let round = 0; round < 4; round++) {
          const before = spare(total, held, quotas);
          held.push(...run(round * 10_000));
          const consumed = consumedBy(held);
          for (const [role, [guarantee, more]] of Object.entries(quotas))
            expect(consumed.get(role) ?? 0).toBeLessThanOrEqual((guarantee + more) * 1000);
          if (before >= 0) expect(spare(total, held, quotas)).toBeGreaterThanOrEqual(0);
          const back = held.filter((_, index) => declines.includes(index));
          giveBack(allocator, back, undefined, round * 10_000);
          held = held.filter((allocation) => !back.includes(allocation));
        }
      }),
      { numRuns: 300 },
    );
  });

  test('whatever may be offered is offered', () => {
    const limited = fc.record({
      ...clusterParts,
      quotas: fc.dictionary(
        fc.constantFrom('a', 'b', 'c'),
        fc.tuple(amount, amount, fc.integer({ min: 0, max: 4 })),
      ),
      reserved: fc.array(fc.constantFrom('', 'a', 'b/x'), { minLength: 8, maxLength: 8 }),
    });
    fc.assert(
      fc.property(limited, ({ agents, frameworks, quotas, reserved }) => {
        const { allocator, agent, framework, run } = world();
        for (const [index, [cpus, mem]] of agents.entries()) {
          const role = reserved[index] ?? '';
          const own = role === '' ? '' : `;cpus(${role}):1;mem(${role}):64`;
          agent(`a${index}`, `cpus:${cpus};mem:${mem * 128};ports:[1-9]${own}`);
        }
        for (const [index, role] of frameworks.entries()) framework(`f${index}`, [role]);
        for (const [role, [cpus, mem, more]] of Object.entries(quotas)) {
          allocator.updateQuota(role, {
            guarantees: quantities(`cpus:${cpus};mem:${mem * 128}`),
            limits: quantities(`cpus:${cpus + more};mem:${(mem + more) * 128}`),
          });
        }
        run();
        for (const [framed] of frameworks.entries()) {
          for (const [indexed] of agents.entries()) {
            const against = reasonsAgainst(allocator, [`f${framed}`, `a${indexed}`]);
            expect(against, `f${framed} on a${indexed}`).not.toEqual([]);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  function consumedBy(held: readonly Allocation[]): ReadonlyMap<string, number> {
    const sums = new Map<string, number>();
    for (const { role, resources } of held) {
      const top = topLevelRole(role);
      sums.set(top, (sums.get(top) ?? 0) + resources.scalarMilli('cpus'));
    }
    return sums;
  }

  /** Free cpus less what guarantees still need. */
  function spare(
    total: number,
    held: readonly Allocation[],
    quotas: Readonly<Record<string, readonly [number, number]>>,
  ): number {
    const consumed = consumedBy(held);
    const used = [...consumed.values()].reduce((sum, milli) => sum + milli, 0);
    const required = Object.entries(quotas).reduce(
      (sum, [role, [guarantee]]) => sum + Math.max(0, guarantee * 1000 - (consumed.get(role) ?? 0)),
      0,
    );
    return total - used - required;
  }
});

describe('reports', () => {
  test('tell what a limit leaves from what is held back for others', () => {
    const { allocator, agent, framework } = world();
    agent('a1', 'cpus:4;mem:4096');
    framework('f1', ['limited']);
    framework('f2', ['other']);
    allocator.updateQuota('limited', { guarantees: new Map(), limits: quantities('cpus:0.005') });
    allocator.updateQuota('absent', {
      guarantees: quantities('cpus:4;mem:4096'),
      limits: new Map(),
    });
    const against = (id: string): readonly string[] => reasonsAgainst(allocator, [id, 'a1']);
    expect(against('f1')).toEqual([
      'role limited: the limit of limited leaves too little cpus; cpus, mem of the cluster is held back for guarantees of roles',
    ]);
    expect(against('f2')).toEqual([
      'role other: cpus, mem of the cluster is held back for guarantees of roles',
    ]);
  });

  test('show roles that have nothing but a quota, or a reservation', () => {
    const { allocator, agent } = world();
    agent('a1', 'cpus:4;mem:4096;cpus(kept/deep):1;mem(kept/deep):512');
    allocator.updateQuota('guarded', { guarantees: quantities('cpus:1'), limits: new Map() });
    expect(allocator.explain()).toMatchObject([
      { role: 'guarded', share: 0, frameworks: [], reserved: new Map() },
      {
        role: 'kept/deep',
        frameworks: [],
        reserved: new Map([
          ['cpus', 1000],
          ['mem', 512_000],
        ]),
      },
    ]);
    expect(allocator.explain('nobody')).toEqual([]);
  });
});
