/**
 * Who gets how much: frameworks that keep what they can use and give back the rest, round by round, until
 * the cluster is full. The figures are results, not times.
 */

import { createAllocator, type Allocator } from '@dcos/allocator';
import { agentId, frameworkId, seededRandom } from '@dcos/base';
import { parseResources, Resources } from '@dcos/resources';
import { row, type Figure, type Row } from './row.ts';

const AGENTS = 100;
const ROUND_MS = 1000;
/** Each round launches at most one task per agent; this many fill every cluster below. */
const ROUNDS = 200;
/** Quota is given in thousandths. */
const MILLI = 1000;

export function benchmarkFairness(): Promise<readonly Row[]> {
  return Promise.resolve([...weights(), ...dominantShares(), ...guarantee()]);
}

function weights(): readonly Row[] {
  const allocator = cluster('cpus:9;mem:9216', ['heavy', 'light']);
  allocator.updateWeights(new Map([['heavy', 2]]));
  const task = 'cpus:1;mem:1024';
  const tasks = settle(
    allocator,
    new Map([
      ['heavy', task],
      ['light', task],
    ]),
  );
  return [
    result(
      'weights 2:1, equal demand: tasks of the role with 2',
      'tasks',
      tasks.get('heavy'),
      '600',
    ),
    result(
      'weights 2:1, equal demand: tasks of the role with 1',
      'tasks',
      tasks.get('light'),
      '300',
    ),
  ];
}

function dominantShares(): readonly Row[] {
  const allocator = cluster('cpus:10;mem:10000', ['processor', 'memory']);
  settle(
    allocator,
    new Map([
      ['processor', 'cpus:0.5;mem:100'],
      ['memory', 'cpus:0.1;mem:500'],
    ]),
  );
  return allocator
    .explain()
    .map(({ role, share }) =>
      result(`mixed demand: dominant share of ${role}`, '%', share * 100, 'equal'),
    );
}

function guarantee(): readonly Row[] {
  const allocator = cluster('cpus:4;mem:4096', ['flood', 'other']);
  const guaranteed = new Map([
    ['cpus', 100 * MILLI],
    ['mem', 102_400 * MILLI],
  ]);
  allocator.updateQuota('guarded', { guarantees: guaranteed, limits: new Map() });
  const task = 'cpus:1;mem:1024';
  const before = settle(
    allocator,
    new Map([
      ['flood', task],
      ['other', task],
    ]),
  );
  addFramework(allocator, 'guarded');
  const tasks = new Map(['flood', 'other', 'guarded'].map((role) => [role, task]));
  const after = settle(allocator, tasks);
  const others = (before.get('flood') ?? 0) + (before.get('other') ?? 0);
  return [
    result('quota: tasks of two roles that flood the cluster', 'tasks', others, '300'),
    result(
      'quota: tasks of the guaranteed role, which comes last',
      'tasks',
      after.get('guarded'),
      '100',
    ),
  ];
}

function cluster(total: string, roles: readonly string[]): Allocator {
  const allocator = createAllocator({
    random: seededRandom(1),
    allocationIntervalMs: ROUND_MS,
    roleSorter: 'drf',
    frameworkSorter: 'drf',
  });
  for (let index = 0; index < AGENTS; index++) {
    const description = {
      info: { hostname: `host-${index}` },
      total: resources(total),
      capabilities: new Set(['MULTI_ROLE', 'HIERARCHICAL_ROLE', 'RESERVATION_REFINEMENT']),
      active: true,
    };
    allocator.addAgent(agentId(`agent-${index}`), description, new Map());
  }
  for (const role of roles) addFramework(allocator, role);
  return allocator;
}

function addFramework(allocator: Allocator, role: string): void {
  const capabilities = new Set(['MULTI_ROLE', 'RESERVATION_REFINEMENT']);
  allocator.addFramework(
    frameworkId(role),
    { roles: [role], suppressedRoles: [], capabilities, active: true },
    new Map(),
  );
}

/** Each framework launches one task of its size from each offer. Returns how many each launched. */
function settle(
  allocator: Allocator,
  taskOf: ReadonlyMap<string, string>,
): ReadonlyMap<string, number> {
  const launched = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    const now = round * ROUND_MS;
    for (const offer of allocator.allocate(now, 'all')) {
      const { frameworkId: id, agentId: agent, role, resources: offered } = offer;
      const task = resources(taskOf.get(role) ?? '').allocate(role);
      const fits = offered.contains(task);
      if (fits) launched.set(role, (launched.get(role) ?? 0) + 1);
      const rest = fits ? offered.subtract(task) : offered;
      allocator.recover(id, agent, rest, { refuseMs: 0 }, now);
    }
  }
  return launched;
}

function resources(text: string): Resources {
  const parsed = parseResources(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return Resources.fromWire(parsed.value);
}

function result(
  what: string,
  unit: Figure['unit'],
  value: number | undefined,
  budget: string,
): Row {
  return row(what, unit, [value ?? 0], budget);
}
