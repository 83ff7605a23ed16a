/**
 * Does the steps of a plan, those of different hosts side by side, with a bound. A step that fails holds up what waits
 * for it and nothing else.
 */

import { errorText } from '@dcos/base';
import type { Step } from '../core/plan.ts';
import { Schedule } from '../core/schedule.ts';

export type StepEvent =
  | { readonly kind: 'begun'; readonly step: Step }
  | { readonly kind: 'done'; readonly step: Step; readonly tookMs: number }
  | {
      readonly kind: 'failed';
      readonly step: Step;
      readonly problem: string;
      readonly tookMs: number;
    };

export interface PlanResult {
  readonly failed: readonly string[];
  /** Steps that were not begun. */
  readonly held: readonly string[];
}

export interface ExecuteOptions {
  readonly parallelMax: number;
  readonly perform: (step: Step) => Promise<void>;
  readonly onEvent: (event: StepEvent) => void;
  /** Once aborted, nothing new begins; what runs is waited for. */
  readonly signal: AbortSignal;
}

export async function executePlan(
  steps: readonly Step[],
  { parallelMax, perform, onEvent, signal }: ExecuteOptions,
): Promise<PlanResult> {
  const schedule = new Schedule(steps);
  const running = new Set<Promise<void>>();
  const run = async (step: Step): Promise<void> => {
    const startedMs = performance.now();
    onEvent({ kind: 'begun', step });
    try {
      await perform(step);
      schedule.end(step.id, true);
      onEvent({ kind: 'done', step, tookMs: performance.now() - startedMs });
    } catch (error) {
      schedule.end(step.id, false);
      const tookMs = performance.now() - startedMs;
      onEvent({ kind: 'failed', step, problem: errorText(error), tookMs });
    }
  };
  for (;;) {
    if (!signal.aborted) {
      for (const step of schedule.begin(parallelMax)) {
        const one = run(step).finally(() => running.delete(one));
        running.add(one);
      }
    }
    if (running.size === 0) break;
    await Promise.race(running);
  }
  return { failed: schedule.failed, held: schedule.held };
}
