/**
 * What differs between two root groups. Parts that both share are skipped, so that the cost is that of the
 * change and of the groups around it, not that of the cluster.
 */

import type { AppDefinition, Group } from '../model/index.ts';

/** An app of before and after; absent means that it is not there. */
export interface AppDifference {
  readonly original?: AppDefinition;
  readonly target?: AppDefinition;
}

/** What is said about a group as such, beside what is in it. */
export type GroupRules = Pick<Group, 'dependencies' | 'enforceRole'>;

/** A group of before and after; absent means that it is not there. */
export interface GroupDifference {
  readonly original?: GroupRules;
  readonly target?: GroupRules;
}

/** App id → what became of it, for every app that is not the same object in both. */
export function differentApps(original: Group, target: Group): ReadonlyMap<string, AppDifference> {
  const differences = new Map<string, AppDifference>();
  compare(original, target, differences);
  return differences;
}

function compare(
  left: Group | undefined,
  right: Group | undefined,
  differences: Map<string, AppDifference>,
): void {
  if (left === right) return;
  for (const [id, original] of left?.apps ?? []) {
    const target = right?.apps.get(id);
    if (target === original) continue;
    differences.set(id, target === undefined ? { original } : { original, target });
  }
  for (const [id, target] of right?.apps ?? []) {
    if (left?.apps.has(id) !== true) differences.set(id, { target });
  }
  for (const [id, child] of left?.groups ?? []) compare(child, right?.groups.get(id), differences);
  for (const [id, child] of right?.groups ?? []) {
    if (left?.groups.has(id) !== true) compare(undefined, child, differences);
  }
}

/** Group id → what became of it, for every group that comes, goes or has other rules than before. */
export function differentGroups(
  original: Group,
  target: Group,
): ReadonlyMap<string, GroupDifference> {
  const differences = new Map<string, GroupDifference>();
  compareGroups(original, target, differences);
  return differences;
}

function compareGroups(
  left: Group | undefined,
  right: Group | undefined,
  differences: Map<string, GroupDifference>,
): void {
  if (left === right) return;
  if (left === undefined || right === undefined || !isSameGroup(left, right)) {
    differences.set((left ?? right)?.id ?? '/', {
      ...(left === undefined ? {} : { original: rulesOf(left) }),
      ...(right === undefined ? {} : { target: rulesOf(right) }),
    });
  }
  for (const [id, child] of left?.groups ?? [])
    compareGroups(child, right?.groups.get(id), differences);
  for (const [id, child] of right?.groups ?? []) {
    if (left?.groups.has(id) !== true) compareGroups(undefined, child, differences);
  }
}

function rulesOf({ dependencies, enforceRole }: Group): GroupRules {
  return { dependencies, ...(enforceRole === undefined ? {} : { enforceRole }) };
}

/** True when two groups have the same rules; what is in them is not compared. */
export function isSameGroup(left: GroupRules, right: GroupRules): boolean {
  return (
    left.enforceRole === right.enforceRole &&
    left.dependencies.length === right.dependencies.length &&
    left.dependencies.every((id, index) => id === right.dependencies[index])
  );
}
