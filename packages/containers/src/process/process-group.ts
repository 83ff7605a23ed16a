/** Signals to the processes of a task: its group. What is in other groups of its session ends with the task. */

import { assert } from '@dcos/base';
import type { ContainerSignal } from '../runtime.ts';

/** Sends to the group; what is stopped is woken up, since it would not hear the signal otherwise. */
export function signalGroup(group: number, signal: ContainerSignal): void {
  sendToGroup(group, signal);
  if (signal !== 'SIGKILL' && signal !== 'SIGSTOP') sendToGroup(group, 'SIGCONT');
}

/** Sends to one group; one that is gone is no error. */
export function sendToGroup(group: number, signal: ContainerSignal | 'SIGCONT' | number): void {
  assert(group > 1, 'a group id is above 1');
  try {
    process.kill(-group, signal);
  } catch (error) {
    // ESRCH: the group ended meanwhile, which is what a signal was meant to achieve or cannot change.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
