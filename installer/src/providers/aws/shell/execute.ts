/** Carries a plan out, stage by stage; what a stage made is ready for use, and what it ended is gone, before the next. */

import type { Action } from '../core/action.ts';
import { actionText, markOf } from '../core/action.ts';
import type { Plan } from '../core/plan.ts';
import { isStale } from './create-instance.ts';
import { perform, type PerformDeps } from './perform.ts';
import { waitUntilRunning, waitUntilTerminated } from './wait-for-instances.ts';

/** Requests under way at the same time: EC2 refuses those who hurry. */
const CONCURRENT_MAX = 6;

export interface ExecuteDeps extends Omit<PerformDeps, 'ids'> {
  /** Ids of what was made in this run; added to. */
  readonly made: Set<string>;
}

/** Carries it out; throws the most telling error of a stage, after all of its actions have ended. */
export async function execute(plan: Plan, deps: ExecuteDeps): Promise<void> {
  const ids = new Map(plan.ids);
  for (const stage of plan.stages) {
    await performStage(stage, { ...deps, ids });
    const starting = stage.flatMap((action) => {
      if (action.kind === 'createInstance') return ids.get(action.instance.name) ?? [];
      return action.kind === 'startInstance' || action.kind === 'awaitRunning' ? [action.id] : [];
    });
    await waitUntilRunning(starting, deps.ec2, deps.context);
    const ending = stage.flatMap((action) =>
      action.kind === 'terminateInstance' || action.kind === 'awaitTerminated' ? [action.id] : [],
    );
    await waitUntilTerminated(ending, deps.ec2, deps.context);
  }
}

async function performStage(
  stage: readonly Action[],
  deps: PerformDeps & { readonly made: Set<string> },
): Promise<void> {
  const waiting = [...stage];
  const errors: unknown[] = [];
  const work = async (): Promise<void> => {
    for (let action = waiting.shift(); action !== undefined; action = waiting.shift()) {
      try {
        deps.context.onProgress(`${markOf(action)} ${actionText(action)}`);
        const id = await perform(action, deps);
        if (id !== undefined) deps.made.add(id);
        if (markOf(action) === '-' && 'id' in action) deps.made.delete(action.id);
      } catch (error) {
        errors.push(error);
        // What has not begun is left for the next run.
        waiting.length = 0;
      }
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_MAX }, work));
  // One that is only out of date would hide the reason that a person has to know.
  const telling = errors.find((error) => !isStale(error)) ?? errors[0];
  if (telling !== undefined) throw telling;
}
