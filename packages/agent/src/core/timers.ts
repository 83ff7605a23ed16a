/** Names of the timers that the core sets; the container's id is part of each name. */

import { containerId, type ContainerId } from '@dcos/base';

export type TaskTimer = 'retry' | 'kill' | 'health' | 'check' | 'completion';

/** Attempt to connect, answer to REGISTER, silence of the master. */
export type AgentTimer = 'connect' | 'registration' | 'silence';

export const taskTimer = (timer: TaskTimer, id: ContainerId): string => `${timer}/${id}`;

/** Splits the name of a task's timer; undefined for the agent's own timers. */
export function parseTaskTimer(
  name: string,
): { readonly timer: TaskTimer; readonly id: ContainerId } | undefined {
  const [, timer, id] = /^(retry|kill|health|check|completion)\/(.+)$/.exec(name) ?? [];
  if (timer === undefined || id === undefined) return undefined;
  return { timer: timer as TaskTimer, id: containerId(id) };
}
