/** Names of the timers that the core sets (the container's id is part of each name), and since when they count. */

import { containerId, type ContainerId } from '@dcos/base';
import type { Context } from './context.ts';
import type { TaskRecord } from './model.ts';

export type TaskTimer =
  | 'retry'
  | 'kill'
  | 'health'
  | 'check'
  | 'completion'
  | 'subscription'
  | 'shutdown';

/** Attempt to connect, answer to REGISTER, silence of the master. */
export type AgentTimer = 'connect' | 'registration' | 'silence';

export const taskTimer = (timer: TaskTimer, id: ContainerId): string => `${timer}/${id}`;

/** Splits the name of a task's timer; undefined for the agent's own timers. */
export function parseTaskTimer(
  name: string,
): { readonly timer: TaskTimer; readonly id: ContainerId } | undefined {
  const [, timer, id] =
    /^(retry|kill|health|check|completion|subscription|shutdown)\/(.+)$/.exec(name) ?? [];
  if (timer === undefined || id === undefined) return undefined;
  return { timer: timer as TaskTimer, id: containerId(id) };
}

/**
 * For how long a container has run when its timers are set: not at all the first time, and after a restart of the
 * agent what the wall clock says, which may have been set back.
 */
export function elapsedSinceStart(
  { now }: Context,
  { startedAt = now }: TaskRecord,
  when: 'first' | 'again',
): number {
  return when === 'first' ? 0 : Math.max(0, now - startedAt);
}
