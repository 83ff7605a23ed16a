/**
 * What every part of the core works with while one event is handled.
 */

import type { Allocator } from '@dcos/allocator';
import type { AgentId, FrameworkId, Instant, MasterId, Random } from '@dcos/base';
import type { agentProtocol, masterApi, scheduler } from '@dcos/wire';
import { PERMISSIVE, type Authorizer } from './authorization.ts';
import type { Effect } from './effects.ts';
import type { MasterOptions } from './options.ts';
import type { Agent, Framework, MasterState } from './state.ts';
import { ownerOf } from './visible-event.ts';

export interface Context {
  readonly masterId: MasterId;
  readonly state: MasterState;
  readonly allocator: Allocator;
  readonly authorizer: Authorizer;
  readonly random: Random;
  readonly options: MasterOptions;
  /** The instant of the event that is being handled. */
  now: Instant;
  /** Never goes back: what is due after a while is measured by it. */
  monotonicMs: number;
  emit(effect: Effect): void;
}

/** Increments a counter by the original's name. */
export function count(context: Context, name: string, by = 1): void {
  const { counters } = context.state;
  counters.set(name, (counters.get(name) ?? 0) + by);
}

/** Increments a counter of one framework; names are those of calls, events, operations and states. */
export function countOf({ counters }: Framework, name: string, by = 1): void {
  counters.set(name, (counters.get(name) ?? 0) + by);
}

/** Counts one of a kind, in total and by its type. */
export function countKind(
  framework: Framework,
  kind: 'calls' | 'events' | 'operations',
  type = 'UNKNOWN',
): void {
  countOf(framework, kind);
  countOf(framework, `${kind}/${type.toLowerCase()}`);
}

/** Sends an event to a framework; dropped when it has no stream, as the original does. */
export function sendToFramework(
  context: Context,
  framework: Framework,
  event: scheduler.Event,
): boolean {
  if (framework.streamId === undefined) return false;
  countKind(framework, 'events', event.type);
  context.emit({ kind: 'sendToFramework', streamId: framework.streamId, event });
  return true;
}

/** Sends a frame to an agent; dropped when it is not connected. */
export function sendToAgent(context: Context, agent: Agent, frame: agentProtocol.ToAgent): boolean {
  if (agent.connection === undefined) return false;
  context.emit({ kind: 'sendToAgent', connection: agent.connection, frame });
  return true;
}

/** Tells all operator streams. */
export function tellOperators(context: Context, event: masterApi.Event): void {
  context.emit({
    kind: 'operatorEvent',
    event,
    // Without access control lists nobody ever asks.
    ...(context.authorizer !== PERMISSIVE && { owner: ownerOf(context.state, event) }),
  });
}

/** A line for the log about something that a client or agent did. */
export function note(
  context: Context,
  level: 'info' | 'warn',
  event: string,
  message: string,
  about: { readonly frameworkId?: FrameworkId; readonly agentId?: AgentId } = {},
): void {
  context.emit({ kind: 'log', level, event, message, ...about });
}
