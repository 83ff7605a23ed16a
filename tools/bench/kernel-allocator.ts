/**
 * The allocator alone, with the workloads of the original's own benchmarks, each at several sizes: how the
 * cost of one object grows is the figure to watch. `--full` takes the original's sizes where they fit.
 */

import {
  createAllocator,
  type Allocation,
  type Allocator,
  type AllocatorOptions,
  type Quota,
} from '@dcos/allocator';
import { agentId, frameworkId, seededRandom } from '@dcos/base';
import { parseResources, Resources } from '@dcos/resources';
import type { Resource } from '@dcos/wire';
import { benchmarkMixedFrameworks } from './kernel-mixed.ts';
import { costOf, Series } from './kernel-series.ts';
import { benchmarkSorter } from './kernel-sorter.ts';
import { row, type Row } from './row.ts';

const INTERVAL_MS = 1000;
const YEAR_MS = 365 * 24 * 3600 * 1000;
const AGENT_CAPABILITIES = new Set(['MULTI_ROLE', 'HIERARCHICAL_ROLE', 'RESERVATION_REFINEMENT']);
const FRAMEWORK_CAPABILITIES = new Set([
  'MULTI_ROLE',
  'RESERVATION_REFINEMENT',
  'SHARED_RESOURCES',
  'REVOCABLE_RESOURCES',
]);
const SORTERS = ['drf', 'random'] as const;

export function benchmarkKernelAllocator(full: boolean): Promise<readonly Row[]> {
  const agents = full ? [1000, 5000, 10_000, 20_000, 30_000, 50_000] : [1000, 2000, 5000];
  const frameworks = full ? 1000 : 100;
  const rows = [
    ...addAndUpdate(agents, frameworks),
    ...declines('declined offers', agents, frameworks, () => resources(TOTAL)),
    ...declines('declined offers, labelled reservations', agents, frameworks, labelled),
    ...declines('declined offers, volumes', agents, frameworks, () => withVolume(false)),
    ...declines('declined offers, shared volumes', agents, frameworks, () => withVolume(true)),
    ...declines('declined offers, volumes of both kinds', agents, frameworks, (index) =>
      withVolume(index % 2 === 0),
    ),
    ...suppressions(agents, frameworks),
    ...backlog(agents, frameworks / 5),
    ...conversions([50, 100, 200]),
    ...SORTERS.flatMap((sorter) => quotas(sorter, full ? [10, 30, 100] : [10, 30])),
    ...SORTERS.flatMap((sorter) => quotaOrNone(sorter, full ? [100, 300, 1000] : [100, 300])),
    ...benchmarkMixedFrameworks(),
    ...benchmarkSorter(full),
  ];
  return Promise.resolve(rows);
}

const TOTAL = 'cpus:24;mem:4096;disk:4096;ports:[31000-31100,31200-31300,31400-32000]';

function addAndUpdate(sizes: readonly number[], frameworks: number): readonly Row[] {
  const adds = new Series(`add agents, ${frameworks} frameworks, agents`);
  const updates = new Series(`update agents, ${frameworks} frameworks, agents`);
  const total = resources('cpus:2;mem:1024;disk:4096;ports:[31000-32000]');
  const more = total.add(
    Resources.fromWire([{ name: 'cpus', type: 'SCALAR', scalar: { value: 10 }, revocable: {} }]),
  );
  for (const size of sizes) {
    const allocator = withFrameworks(frameworks, () => 'role');
    const used = resources('cpus:1;mem:128').allocate('role');
    adds.add(
      size,
      costOf(() => {
        for (let index = 0; index < size; index++)
          addAgent(allocator, index, total, new Map([[framework(index % frameworks), used]]));
      }),
    );
    updates.add(
      size,
      costOf(() => {
        for (let index = 0; index < size; index++) allocator.updateAgent(agent(index), more);
      }),
    );
  }
  return [...adds.rows(), ...updates.rows()];
}

/** Rounds in which all is offered, and declined for ever. */
function declines(
  what: string,
  sizes: readonly number[],
  frameworks: number,
  totalOf: (index: number) => Resources,
): readonly Row[] {
  const offered = new Series(what);
  for (const size of sizes) {
    const allocator = withFrameworks(frameworks, () => 'role');
    for (let index = 0; index < size; index++) addAgent(allocator, index, totalOf(index));
    let offers = 0;
    const cost = costOf(() => {
      for (let round = 0; round < 10; round++) {
        const decided = allocator.allocate(round * INTERVAL_MS, 'all');
        offers += decided.length;
        decline(allocator, decided, round * INTERVAL_MS);
      }
    });
    offered.add(offers, cost);
  }
  return offered.rows();
}

/** Rounds while ever more frameworks are suppressed, and with all but one in a hundred suppressed. */
function suppressions(sizes: readonly number[], frameworks: number): readonly Row[] {
  const gradual = new Series('offers while frameworks are suppressed one after the other');
  const extreme = new Series('offers while 99 % of the frameworks are suppressed');
  for (const size of sizes) {
    for (const [series, least] of [
      [gradual, 0],
      [extreme, 99],
    ] as const) {
      const allocator = withFrameworks(frameworks, () => 'role');
      for (let index = 0; index < size; index++) addAgent(allocator, index, resources(TOTAL));
      let offers = 0;
      let next = 0;
      const cost = costOf(() => {
        for (let percent = least; percent < 100; percent += least === 0 ? 10 : 0.1) {
          for (; next < (frameworks * percent) / 100; next++)
            allocator.suppress(framework(next), []);
          const decided = allocator.allocate(0, 'all');
          offers += decided.length;
          for (const { frameworkId: id, agentId: on, resources: back } of decided)
            allocator.recover(id, on, back, undefined, 0);
        }
      });
      series.add(offers, cost);
    }
  }
  return [...gradual.rows(), ...extreme.rows()];
}

/** All frameworks revive, each with a run of its own, and what is free is handed out. */
function backlog(sizes: readonly number[], frameworks: number): readonly Row[] {
  const series = new Series(`agents looked at while ${frameworks} frameworks revive`);
  for (const size of sizes) {
    const allocator = withFrameworks(frameworks, () => 'role');
    for (let index = 0; index < size; index++) addAgent(allocator, index, resources(TOTAL));
    const cost = costOf(() => {
      for (let index = 0; index < frameworks; index++) {
        allocator.revive(framework(index), []);
        decline(allocator, allocator.allocate(0, 'candidates'), 0);
      }
    });
    series.add(size * frameworks, cost);
  }
  return series.rows();
}

/** One agent, four labelled reservations for each of many roles, reserved and unreserved again. */
function conversions(sizes: readonly number[]): readonly Row[] {
  const series = new Series('reserved and unreserved on one agent, 20 rounds, resources');
  const rounds = 20;
  for (const roles of sizes) {
    const allocator = createAllocator({ random: seededRandom(1), allocationIntervalMs: 1000 });
    addAgent(allocator, 0, resources(`cpus:${roles * 4};mem:${roles * 4}`));
    const pairs = Array.from({ length: roles * 4 }, (_, index) => {
      const plain: Resource = { name: 'cpus', type: 'SCALAR', scalar: { value: 1 } };
      const role = `role-${index % roles}`;
      return { from: Resources.fromWire([plain]), to: reserved(plain, role, String(index)) };
    });
    const cost = costOf(() => {
      for (let round = 0; round < rounds; round++) {
        for (const { from, to } of pairs) allocator.convertFree(agent(0), from, to);
        for (const { from, to } of pairs) allocator.convertFree(agent(0), to, from);
      }
    });
    series.add(2 * rounds * pairs.length, cost);
  }
  return series.rows();
}

/** Roles with half an agent of quota and roles with two agents: one run satisfies all, the next finds nothing. */
function quotas(sorter: (typeof SORTERS)[number], scales: readonly number[]): readonly Row[] {
  const satisfying = new Series(`agents in a run that satisfies all quotas (${sorter})`);
  const empty: Row[] = [];
  const one = quantities('cpus:2;mem:2048;disk:2048');
  for (const scale of scales) {
    const [small, large] = [25 * scale, 5 * scale];
    const agents = small / 5 + large * 5;
    const roles = small + large;
    const allocator = withFrameworks(roles, (index) => `role-${index}`, sorter);
    for (let index = 0; index < agents; index++)
      addAgent(allocator, index, resources('cpus:2;mem:2048;disk:2048'));
    for (let index = 0; index < roles; index++)
      allocator.updateQuota(`role-${index}`, quotaOf(one, index < small ? 0.5 : 2));
    satisfying.add(
      agents,
      costOf(() => void allocator.allocate(0, 'all')),
    );
    const samples = Array.from({ length: 3 }, (_, round) => {
      const { elapsedMs } = costOf(() => void allocator.allocate((round + 1) * INTERVAL_MS, 'all'));
      return elapsedMs;
    });
    const what = `run in which quota leaves nothing to do: ${agents} agents, ${roles} roles (${sorter})`;
    empty.push(row(what, 'ms', samples, '20 ms'));
  }
  return [...satisfying.rows(), ...empty];
}

/** Two agents and two frameworks a role, with quotas of whole agents and without. */
function quotaOrNone(sorter: (typeof SORTERS)[number], sizes: readonly number[]): readonly Row[] {
  const rows: Row[] = [];
  for (const withQuota of [false, true]) {
    const series = new Series(
      `agents in a run ${withQuota ? 'with' : 'without'} quota (${sorter})`,
    );
    for (const roles of sizes) {
      const allocator = withFrameworks(2 * roles, (index) => `role-${index % roles}`, sorter);
      for (let index = 0; index < 2 * roles; index++)
        addAgent(allocator, index, resources('cpus:2;mem:2048;disk:2048'));
      const one = quantities('cpus:2;mem:2048;disk:2048');
      for (let index = 0; index < (withQuota ? roles : 0); index++)
        allocator.updateQuota(`role-${index}`, quotaOf(one, 1));
      series.add(
        2 * roles,
        costOf(() => void allocator.allocate(0, 'all')),
      );
    }
    rows.push(...series.rows());
  }
  return rows;
}

function withFrameworks(
  count: number,
  roleOf: (index: number) => string,
  sorter: AllocatorOptions['roleSorter'] = 'drf',
): Allocator {
  const allocator = createAllocator({
    random: seededRandom(1),
    allocationIntervalMs: INTERVAL_MS,
    roleSorter: sorter,
    frameworkSorter: sorter,
  });
  for (let index = 0; index < count; index++) {
    allocator.addFramework(
      framework(index),
      {
        roles: [roleOf(index)],
        suppressedRoles: [],
        capabilities: FRAMEWORK_CAPABILITIES,
        active: true,
      },
      new Map(),
    );
  }
  return allocator;
}

function addAgent(
  allocator: Allocator,
  index: number,
  total: Resources,
  used: Parameters<Allocator['addAgent']>[2] = new Map(),
): void {
  const info = { hostname: `host-${index}` };
  const description = { info, total, capabilities: AGENT_CAPABILITIES, active: true };
  allocator.addAgent(agent(index), description, used);
}

function decline(allocator: Allocator, offers: readonly Allocation[], now: number): void {
  for (const { frameworkId: id, agentId: on, resources: back } of offers)
    allocator.recover(id, on, back, { refuseMs: YEAR_MS }, now);
}

/** Two reservations of twelve labels that differ in the last. */
function labelled(): Resources {
  const plain: Resource = { name: 'cpus', type: 'SCALAR', scalar: { value: 4 } };
  return resources(TOTAL)
    .add(reserved(plain, 'role', 'x'))
    .add(reserved(plain, 'role', 'y'));
}

function reserved(resource: Resource, role: string, last: string): Resources {
  const labels = Array.from({ length: 12 }, (_, index) => ({
    key: `key-${index}`,
    value: index === 11 ? last : 'value',
  }));
  return Resources.fromWire([
    { ...resource, reservations: [{ type: 'DYNAMIC', role, labels: { labels } }] },
  ]);
}

function withVolume(shared: boolean): Resources {
  const volume: Resource = {
    name: 'disk',
    type: 'SCALAR',
    scalar: { value: 1024 },
    reservations: [{ type: 'DYNAMIC', role: 'role' }],
    disk: { persistence: { id: 'volume' }, volume: { mode: 'RW', container_path: 'volume' } },
    ...(shared && { shared: {} }),
  };
  return resources(TOTAL).add(Resources.fromWire([volume]));
}

function quotaOf(amounts: Quota['guarantees'], times: number): Quota {
  const all = new Map(Array.from(amounts, ([name, milli]) => [name, milli * times] as const));
  return { guarantees: all, limits: all };
}

function quantities(text: string): Quota['guarantees'] {
  return resources(text).scalarQuantities();
}

function agent(index: number): ReturnType<typeof agentId> {
  return agentId(`agent-${index}`);
}

function framework(index: number): ReturnType<typeof frameworkId> {
  return frameworkId(`framework-${index}`);
}

function resources(text: string): Resources {
  const parsed = parseResources(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return Resources.fromWire(parsed.value);
}
