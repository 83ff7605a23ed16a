/**
 * Who comes first, as specified: dominant shares, summed up from everything that anyone has. For tests only.
 */

import { compareText, type FrameworkId } from '@dcos/base';
import { isAncestorRole, milliOf } from '@dcos/resources';
import type { SpecifiedState } from './specification-state.ts';

/** Active frameworks with their roles, in the order of service. */
export function orderOf(state: SpecifiedState): readonly (readonly [FrameworkId, string])[] {
  const clients = [...state.frameworks].flatMap(([id, { active, roles, suppressed }]) =>
    active
      ? [...roles].filter((role) => !suppressed.has(role)).map((role) => [id, role] as const)
      : [],
  );
  const leaves = [...new Set(clients.map(([, role]) => `${role}/.`))];
  return sortPaths(state, leaves, '').flatMap((path) => {
    const role = path.slice(0, -'/.'.length);
    const members = clients.filter(([, name]) => name === role);
    return sorted(members, ([id]) => ({
      share: shareOf(state, sumsOf(state, role, id)),
      served: state.served.get(`${role} ${id}`) ?? 0,
      name: id,
    }));
  });
}

/** Sorts leaves (`a/b/.`) below a path, siblings by weighted share. */
function sortPaths(
  state: SpecifiedState,
  leaves: readonly string[],
  above: string,
): readonly string[] {
  const children = new Set(leaves.map((leaf) => leaf.slice(above.length).split('/')[0] ?? ''));
  const ordered = sorted([...children], (name) => {
    const path = above + name;
    const exactly = name === '.' ? above.slice(0, -1) : path;
    const below = (role: string): boolean => name !== '.' && isAncestorRole(exactly, role);
    const sums = new Map<string, number>();
    for (const role of rolesInUse(state)) {
      if (role === exactly || below(role)) addAll(sums, sumsOf(state, role));
    }
    const weight = name === '.' ? 1 : (state.weights.get(path) ?? 1);
    const share = shareOf(state, sums) / weight;
    return { share, served: state.served.get(path) ?? 0, name: path };
  });
  return ordered.flatMap((name) => {
    const path = above + name;
    if (name === '.') return [path];
    const below = leaves.filter((leaf) => leaf.startsWith(`${path}/`));
    return sortPaths(state, below, `${path}/`);
  });
}

function sorted<T>(
  items: readonly T[],
  keyOf: (item: T) => { readonly share: number; readonly served: number; readonly name: string },
): readonly T[] {
  return items
    .map((item) => ({ item, ...keyOf(item) }))
    .sort(
      (left, right) =>
        left.share - right.share ||
        left.served - right.served ||
        compareText(left.name, right.name),
    )
    .map(({ item }) => item);
}

function rolesInUse(state: SpecifiedState): ReadonlySet<string> {
  return new Set(
    state.holdings.flatMap(({ resources }) =>
      resources.entries.map(({ nature }) => nature.allocatedTo ?? ''),
    ),
  );
}

/** What is allocated to exactly this role (of one framework); a shared resource counts once an agent. */
function sumsOf(
  state: SpecifiedState,
  role: string,
  framework?: FrameworkId,
): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  const counted = new Set<string>();
  for (const { framework: holder, agent, resources } of state.holdings) {
    if (framework !== undefined && holder !== framework) continue;
    for (const entry of resources.entries) {
      const { allocatedTo, kind, key, name, shared } = entry.nature;
      if (allocatedTo !== role || kind !== 'scalar') continue;
      if (shared && counted.has(`${agent} ${key}`)) continue;
      counted.add(`${agent} ${key}`);
      sums.set(name, (sums.get(name) ?? 0) + milliOf(entry));
    }
  }
  return sums;
}

function shareOf(state: SpecifiedState, sums: ReadonlyMap<string, number>): number {
  const totals = new Map<string, number>();
  for (const { total } of state.agents.values()) addAll(totals, total.scalarQuantities());
  const parts = Array.from(sums, ([name, milli]) =>
    state.options.fairSharingExcluded.includes(name) || !totals.has(name)
      ? 0
      : milli / (totals.get(name) ?? 0),
  );
  return Math.max(0, ...parts);
}

function addAll(sums: Map<string, number>, more: ReadonlyMap<string, number>): void {
  for (const [name, milli] of more) sums.set(name, (sums.get(name) ?? 0) + milli);
}
