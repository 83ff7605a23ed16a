/** A plan as people read it: one line a change, then the sums, then what they should know. */

import { actionText, markOf, type ChangeMark } from './action.ts';
import { actionsOf, type Plan } from './plan.ts';

export interface PlanSummary {
  readonly creates: number;
  readonly changes: number;
  readonly deletes: number;
}

/** How many changes of each sort. */
export function summaryOf(plan: Plan): PlanSummary {
  const marks = actionsOf(plan).map(markOf);
  const count = (mark: ChangeMark): number => marks.filter((one) => one === mark).length;
  return { creates: count('+'), changes: count('~'), deletes: count('-') };
}

/** Lines that end with the sums; `No change.` when there is nothing to do. */
export function diffText(plan: Plan): string {
  const { creates, changes, deletes } = summaryOf(plan);
  const lines = actionsOf(plan).map((action) => `${markOf(action)} ${actionText(action)}`);
  const sums =
    lines.length === 0
      ? 'No change.'
      : `Plan: ${creates} to create, ${changes} to change, ${deletes} to delete.`;
  return [...lines, sums, ...plan.notes.map((note) => `Note: ${note}`)].join('\n');
}
