/**
 * Asking the master what became of the tasks that are thought to exist: of each by name after every
 * subscription, again with growing pauses until all are answered, then of all at a long interval.
 * A master that has not heard from an agent yet does not answer, which is why asking once is not enough.
 */

import { isActive } from './instance.ts';
import { emit, type Step } from './state.ts';
import { parseTaskId } from './task-id.ts';

/** Tasks named in one call at most. */
const TASKS_PER_CALL_MAX = 1000;

/** Begins a round: every task that may exist has to be accounted for. */
export function beginReconciliation(step: Step): void {
  const { state, now } = step;
  const { pending } = state.reconciliation;
  pending.clear();
  for (const instance of state.instances.all()) {
    if (instance.task !== undefined && isActive(instance)) pending.add(instance.id);
  }
  state.reconciliation.attempt = 0;
  askForPending(step);
  emit(step, { kind: 'reconcile', tasks: [] });
  state.timers.set({ kind: 'reconcilePeriodic', id: '' }, now + state.settings.reconcileIntervalMs);
}

/** Asks again for the tasks that nothing was heard of. */
export function askForPending(step: Step): void {
  const { state, now } = step;
  const { pending } = state.reconciliation;
  if (pending.size === 0 || !state.connected) return;
  const tasks: { taskId: string; agentId?: string }[] = [];
  for (const id of pending) {
    const instance = state.instances.get(id);
    if (instance?.task === undefined) {
      pending.delete(id);
      continue;
    }
    const agentId = instance.placement?.agentId;
    tasks.push({ taskId: instance.task.id, ...(agentId === undefined ? {} : { agentId }) });
  }
  for (let from = 0; from < tasks.length; from += TASKS_PER_CALL_MAX) {
    emit(step, { kind: 'reconcile', tasks: tasks.slice(from, from + TASKS_PER_CALL_MAX) });
  }
  const { reconcileRetryMsMin, reconcileRetryMsMax } = state.settings;
  const pause = Math.min(
    reconcileRetryMsMin * 2 ** state.reconciliation.attempt,
    reconcileRetryMsMax,
  );
  state.reconciliation.attempt += 1;
  state.timers.set({ kind: 'reconcile', id: '' }, now + pause);
}

/** A launch whose ACCEPT failed on the way: the master is asked whether it got it. */
export function askForLaunches(step: Step, taskIds: readonly string[]): void {
  const { state, now } = step;
  for (const taskId of taskIds) {
    const instance = state.instances.get(parseTaskId(taskId)?.instanceId ?? '');
    if (instance?.task?.id === taskId) state.reconciliation.pending.add(instance.id);
  }
  state.timers.set({ kind: 'reconcile', id: '' }, now + state.settings.reconcileRetryMsMin);
}
