/**
 * Which instances go first when there are too many.
 *
 * Order: those already doomed; then, one at a time, from the largest group of each GROUP_BY constraint, so
 * that the groups stay even; then by condition (lost ones, then those that are not up yet, then running
 * ones that are not healthy, then the others); then by age as the app wants it. Ties are broken by id, so the choice is always the same.
 */

import { compareText } from '@dcos/base';
import type { Constraint } from '../model/index.ts';
import { fieldValue } from './constraints.ts';
import type { Condition, Instance } from './instance.ts';

export interface KillSelectionSettings {
  readonly constraints: readonly Constraint[];
  readonly killSelection: 'YOUNGEST_FIRST' | 'OLDEST_FIRST';
}

/** Tells whether something is lost with a running instance: it serves, as far as anybody knows. */
export type Serves = (instance: Instance) => boolean;

/** The victims, in the order in which they go. At most `count` of `instances`. */
export function selectVictims(
  instances: readonly Instance[],
  count: number,
  settings: KillSelectionSettings,
  serves: Serves = () => true,
): readonly Instance[] {
  const groupings = settings.constraints.filter((constraint) => constraint.operator === 'GROUP_BY');
  const candidates = [...instances].sort((left, right) => {
    const byUse = usefulness(left, serves) - usefulness(right, serves);
    return byUse === 0 ? compareAges(left, right, settings) : byUse;
  });
  if (groupings.length === 0) return candidates.slice(0, count);
  const left: Candidate[] = candidates.map((instance) => ({
    instance,
    groups: groupings.map((constraint) => groupOf(instance, constraint)),
  }));
  const sizes = groupSizes(left, groupings.length);
  const victims: Instance[] = [];
  while (victims.length < count && left.length > 0) {
    for (const victim of left.splice(largestGroupMember(left, sizes), 1)) {
      victims.push(victim.instance);
      for (const [which, group] of victim.groups.entries()) addTo(sizes[which], group, -1);
    }
  }
  return victims;
}

interface Candidate {
  readonly instance: Instance;
  /** Its group under each constraint; undefined for one that takes nobody's place. */
  readonly groups: readonly (string | undefined)[];
}

type GroupSizes = readonly Map<string, number>[];

/** How many candidates are in each group, for each constraint. */
function groupSizes(candidates: readonly Candidate[], constraints: number): GroupSizes {
  const sizes = Array.from({ length: constraints }, () => new Map<string, number>());
  for (const { groups } of candidates) {
    for (const [which, group] of groups.entries()) addTo(sizes[which], group, 1);
  }
  return sizes;
}

function addTo(
  sizes: Map<string, number> | undefined,
  group: string | undefined,
  by: number,
): void {
  if (group !== undefined) sizes?.set(group, (sizes.get(group) ?? 0) + by);
}

/** The first candidate whose groups are as large as possible, lost or not started ones before all. */
function largestGroupMember(candidates: readonly Candidate[], sizes: GroupSizes): number {
  let best = 0;
  let bestSize = -1;
  for (const [index, { groups }] of candidates.entries()) {
    let size = 0;
    for (const [which, group] of groups.entries()) {
      // One without a place takes nobody's place: it goes first.
      size +=
        group === undefined ? Number.MAX_SAFE_INTEGER / 1000 : (sizes[which]?.get(group) ?? 0);
    }
    if (size > bestSize) {
      best = index;
      bestSize = size;
    }
  }
  return best;
}

function groupOf(instance: Instance, constraint: Constraint): string | undefined {
  return instance.placement === undefined || rank(instance.condition) === 0
    ? undefined
    : fieldValue(constraint.field, instance.placement);
}

/** Within a condition those go first that are not healthy, or not confirmed since a restart. */
function usefulness(instance: Instance, serves: Serves): number {
  return rank(instance.condition) + (serves(instance) ? 0.5 : 0);
}

function compareAges(left: Instance, right: Instance, settings: KillSelectionSettings): number {
  const leftAge = left.task?.startedAt ?? left.task?.stagedAt ?? left.createdAt;
  const rightAge = right.task?.startedAt ?? right.task?.stagedAt ?? right.createdAt;
  const byAge =
    settings.killSelection === 'YOUNGEST_FIRST' ? rightAge - leftAge : leftAge - rightAge;
  return byAge !== 0 ? byAge : compareText(left.id, right.id);
}

/** The less is lost by stopping an instance in this condition, the lower. */
function rank(condition: Condition): number {
  switch (condition) {
    case 'Scheduled':
    case 'Killed':
    case 'Finished':
    case 'Failed':
    case 'Error':
    case 'Gone':
    case 'Dropped':
    case 'Unknown':
      return 0;
    case 'Unreachable':
    case 'UnreachableInactive':
      return 1;
    case 'Provisioned':
    case 'Staging':
      return 2;
    case 'Starting':
      return 3;
    case 'Running':
      return 4;
    default:
      return 5;
  }
}
