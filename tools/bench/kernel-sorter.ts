/**
 * The sorter alone: clients side by side, and as trees of several shapes with about a thousand leaves. With
 * `--full` the original's grid.
 */

import { sorterWorkload, type SorterWorkload } from '@dcos/allocator/testing/sorter-workload';
import { costOf, Series, type Cost } from './kernel-series.ts';
import { row, type Row } from './row.ts';

/** Height with the leaves, and children of each node above them. */
const TREES = [
  [3, 32],
  [7, 3],
  [10, 2],
] as const;

const STEPS = ['add', 'allocate', 'sort', 'sortAgain', 'unallocate', 'remove'] as const;
type Costs = Readonly<Record<(typeof STEPS)[number], Cost>>;

export function benchmarkSorter(full: boolean): readonly Row[] {
  const agents = full ? [1000, 5000, 10_000, 20_000, 30_000, 50_000] : [1000, 10_000];
  const clients = full ? [1, 50, 100, 200, 500, 1000] : [50, 1000];
  return [...grid(agents, clients), ...trees(full ? 50_000 : 10_000)];
}

/** How allocations grow with the agents for each number of clients, and orders with the clients. */
function grid(sizes: readonly number[], clients: readonly number[]): readonly Row[] {
  const sorts = new Series('sorter: clients put in order after the totals changed');
  const rows: Row[] = [];
  for (const count of clients) {
    const allocate = new Series(`sorter: allocated to ${count} clients, agents`);
    const unallocate = new Series(`sorter: given back by ${count} clients, agents`);
    for (const size of sizes) {
      const paths = Array.from({ length: count }, (_, index) => `client-${index}`);
      const costs = run(sorterWorkload('drf', paths, size));
      allocate.add(size, costs.allocate);
      unallocate.add(size, costs.unallocate);
      if (size === sizes.at(-1)) sorts.add(count, costs.sort);
    }
    rows.push(...allocate.rows(), ...unallocate.rows());
  }
  return [...rows, ...sorts.rows()];
}

function trees(agents: number): readonly Row[] {
  return TREES.flatMap(([height, branching]) => {
    const paths = leavesOf(height - 1, branching);
    const costs = run(sorterWorkload('drf', paths, agents));
    const tree = `sorter: tree of height ${height}, ${branching} children each, ${paths.length} clients`;
    return STEPS.map((step, at) => {
      const what = at === 0 ? `${tree}, ${agents} agents: ${step}` : `  ${step}`;
      return row(what, 'ms', [costs[step].elapsedMs], '');
    });
  });
}

function leavesOf(depth: number, branching: number): readonly string[] {
  let paths = [''];
  for (let level = 0; level < depth; level++) {
    paths = paths.flatMap((path) =>
      Array.from({ length: branching }, (_, index) => `${path === '' ? '' : `${path}/`}n${index}`),
    );
  }
  return paths;
}

function run(workload: SorterWorkload): Costs {
  const costs = STEPS.map((step) => [step, costOf(() => void workload[step]())] as const);
  return Object.fromEntries(costs) as Costs;
}
