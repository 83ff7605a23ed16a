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
  const victims: Instance[] = [];
  while (victims.length < count && candidates.length > 0) {
    const index = largestGroupMember(candidates, groupings);
    victims.push(...candidates.splice(index, 1));
  }
  return victims;
}

/** The first candidate whose groups are as large as possible, lost or not started ones before all. */
function largestGroupMember(
  candidates: readonly Instance[],
  groupings: readonly Constraint[],
): number {
  const sizes = groupings.map((constraint) => {
    const counts = new Map<string, number>();
    for (const candidate of candidates) {
      const group = groupOf(candidate, constraint);
      if (group !== undefined) counts.set(group, (counts.get(group) ?? 0) + 1);
    }
    return counts;
  });
  let best = 0;
  let bestSize = -1;
  for (const [index, candidate] of candidates.entries()) {
    let size = 0;
    for (const [which, constraint] of groupings.entries()) {
      const group = groupOf(candidate, constraint);
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
