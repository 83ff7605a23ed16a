/**
 * Agents that were found unreachable or gone long ago are forgotten, in the registry too, from time to time.
 * How many there are at most is looked at when one is added.
 *
 * Invariant: what is forgotten is older than `removedAgentAgeMaxMs`. An agent that was forgotten and comes
 * back with its id is admitted like one that the registry lost.
 * Source: the original's registry_gc_interval and registry_max_agent_age.
 */

import type { AgentId, Instant } from '@dcos/base';
import { forgetPolicy } from './agents.ts';
import { note, type Context } from './context.ts';
import type { RegistryWrite } from './effects.ts';
import { sawAgentGone } from './incident-sightings.ts';
import { deleteRecord } from './registry.ts';

const GC_TIMER = 'registry-gc';

/** Records of one write; well below what the store takes for a batch. */
const RECORDS_PER_WRITE = 1_000;

/** Starts the period until the next look. */
export function scheduleGc(context: Context): void {
  const { registryGcIntervalMs: afterMs } = context.options;
  context.emit({ kind: 'setTimer', timer: GC_TIMER, afterMs });
}

/** The period has passed. */
export function onGcTimer(context: Context, timer: string): boolean {
  if (timer !== GC_TIMER) return false;
  const { unreachableAgents, unreachableFrameworks, goneAgents } = context.state;
  const writes: RegistryWrite[] = [];
  const forgotten: AgentId[] = [];
  for (const id of takeOld(context, unreachableAgents)) {
    unreachableFrameworks.delete(id);
    forgotten.push(id);
    writes.push(deleteRecord('unreachable', id), ...forgetPolicy(context, id));
  }
  for (const id of takeOld(context, goneAgents)) writes.push(deleteRecord('gone', id));
  for (let from = 0; from < writes.length; from += RECORDS_PER_WRITE)
    context.emit({ kind: 'persist', writes: writes.slice(from, from + RECORDS_PER_WRITE) });
  for (const id of forgotten) sawAgentGone(context, id);
  if (writes.length > 0)
    note(context, 'info', 'registry.pruned', `${writes.length} old records were deleted`);
  scheduleGc(context);
  return true;
}

/** Takes the agents out whose time is over. */
function takeOld({ now, options }: Context, agents: Map<AgentId, Instant>): readonly AgentId[] {
  const old: AgentId[] = [];
  for (const [id, since] of agents) {
    // They are in the order of their time.
    if (now - since <= options.removedAgentAgeMaxMs) break;
    old.push(id);
  }
  for (const id of old) agents.delete(id);
  return old;
}
