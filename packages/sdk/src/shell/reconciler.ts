/**
 * Asks the master for the state of tasks after a subscription, again and again with a growing wait, until
 * every one of them was heard of. A master that has just taken over is silent about tasks of agents that it
 * still waits for, hence the repetition.
 *
 * Invariants: one round is under way at most; nothing is asked after `cancel`.
 * Source: the reconciliation algorithm that the original recommends to frameworks.
 */

import type { Cancel, Clock } from '@dcos/base';
import type { scheduler } from '@dcos/wire';

/** Wait before what was not answered is asked for again; it doubles up to the bound. */
export const RECONCILE_AGAIN_MS_MIN = 2_000;
/** Bound on that wait. */
export const RECONCILE_AGAIN_MS_MAX = 60_000;

type Task = scheduler.Call_Reconcile_Task;

export class Reconciler {
  readonly #ask: (tasks: readonly Task[]) => void;
  readonly #clock: Clock;
  readonly #unheard = new Map<string, Task>();
  #cancelTimer: Cancel | undefined;

  constructor(clock: Clock, ask: (tasks: readonly Task[]) => void) {
    this.#clock = clock;
    this.#ask = ask;
  }

  /** Begins a round: first the named tasks, so that lost ones are told, then whatever there is. */
  begin(tasks: Iterable<Task>): void {
    this.cancel();
    for (const { task_id, agent_id } of tasks)
      this.#unheard.set(task_id.value, { task_id, ...(agent_id !== undefined && { agent_id }) });
    if (this.#unheard.size > 0) this.#askAgain(RECONCILE_AGAIN_MS_MIN);
    this.#ask([]);
  }

  /** The master told the state of this task. */
  heard(taskId: string): void {
    if (this.#unheard.delete(taskId) && this.#unheard.size === 0) this.cancel();
  }

  cancel(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#unheard.clear();
  }

  #askAgain(waitMs: number): void {
    this.#ask([...this.#unheard.values()]);
    this.#cancelTimer = this.#clock.setTimer(waitMs, () =>
      this.#askAgain(Math.min(waitMs * 2, RECONCILE_AGAIN_MS_MAX)),
    );
  }
}
