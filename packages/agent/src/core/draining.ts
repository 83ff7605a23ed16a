/**
 * DRAIN: the agent ends all its tasks, within the grace that the operator allows, and takes no new ones
 * until nothing is left. That it drains is durable; the master says so again at every registration.
 * Source: mesos-kernel §10.
 */

import type { DrainConfig, KillPolicy } from '@dcos/wire';
import { log, type Context } from './context.ts';
import { graceOf, killTask } from './killing.ts';
import { isTerminal, type TaskRecord } from './model.ts';
import { DRAIN_KEY, drainToJson } from './records.ts';

/** Begins to drain, or goes on with what was begun. */
export function drain(context: Context, config: DrainConfig): void {
  context.drain = config;
  context.effects.push({ kind: 'persist', key: DRAIN_KEY, value: drainToJson(config) });
  log(context, 'info', 'agent.draining', 'the agent is being drained');
  killAll(context, config);
}

function killAll(context: Context, config: DrainConfig): void {
  for (const task of context.live.values()) {
    if (!isTerminal(task.state)) killTask(context, task, 'drain', policyFor(context, task, config));
  }
}

/** The task's own grace, but no longer than the operator allows. */
function policyFor(
  context: Context,
  task: TaskRecord,
  { max_grace_period: bound }: DrainConfig,
): KillPolicy | undefined {
  if (bound === undefined) return undefined;
  const nanoseconds = Math.min(graceOf(context, task, undefined) * 1e6, bound.nanoseconds);
  return { grace_period: { nanoseconds } };
}

/** After a restart: tasks that were not told to end yet are told now. */
export function resumeDraining(context: Context): void {
  if (context.drain !== undefined) killAll(context, context.drain);
}

/** When nothing is left, whatever comes next may be launched: the master decides whether anything does. */
export function finishDraining(context: Context): void {
  if (context.drain === undefined) return;
  if (context.live.size > 0 || context.operations.size > 0 || context.executors.size > 0) return;
  context.drain = undefined;
  context.effects.push({ kind: 'persist', key: DRAIN_KEY, value: undefined });
  log(context, 'info', 'agent.drained', 'nothing is left on the agent');
}
