/**
 * The first event of a master: what its predecessors left in the registry. Agents are expected back
 * within the re-registration time-out, frameworks within their failover time-outs.
 */

import type { AgentId, Instant } from '@dcos/base';
import { note, type Context } from './context.ts';
import type { RegistryEntry } from './effects.ts';
import { addFramework, keepCompleted } from './frameworks.ts';
import { capabilitiesOf, rolesOf } from './framework-validation.ts';
import { ALLOCATE_ALL_TIMER } from './offers.ts';
import { sawElection } from './incident-sightings.ts';
import { loadIncident, type Incident } from './incidents.ts';
import { quotaOf } from './quota.ts';
import { putRecord, readRecord, type RegistryRecord } from './registry.ts';
import { scheduleGc } from './registry-gc.ts';
import { REREGISTER_TIMER } from './silent-agents.ts';

/** Loads the registry and starts the periodic work. */
export function onRecovered(context: Context, entries: readonly RegistryEntry[]): void {
  const { state, options } = context;
  state.startedAt = context.now;
  const completed: Extract<RegistryRecord, { kind: 'framework' }>[] = [];
  const incidents: Incident[] = [];
  for (const entry of entries) {
    const record = readRecord(entry);
    if (record?.kind === 'framework' && record.completedAt !== undefined) completed.push(record);
    else if (record?.kind === 'incident') incidents.push(record.incident);
    else if (record !== undefined) load(context, record);
  }
  incidents.sort((left, right) => left.number - right.number);
  for (const incident of incidents) loadIncident(context, incident);
  completed.sort((left, right) => (left.completedAt ?? 0) - (right.completedAt ?? 0));
  for (const { id, info, registeredAt, completedAt = 0 } of completed) {
    keepCompleted(context, {
      id,
      info,
      capabilities: capabilitiesOf(info),
      roles: rolesOf(info),
      registeredAt,
      reregisteredAt: undefined,
      unregisteredAt: completedAt,
      completedTasks: new Map(),
    });
  }
  for (const agents of [state.unreachableAgents, state.goneAgents]) orderByAge(agents);
  setInitialWeights(context);
  state.recovered = true;
  state.agentsRecovered = state.recoveredAgents.size;
  sawElection(context, entries.length > 0);
  pauseForQuota(context);
  if (state.recoveredAgents.size > 0) {
    context.emit({
      kind: 'setTimer',
      timer: REREGISTER_TIMER,
      afterMs: options.agentReregisterTimeoutMs,
    });
  }
  context.emit({
    kind: 'setTimer',
    timer: ALLOCATE_ALL_TIMER,
    afterMs: options.allocationIntervalMs,
  });
  scheduleGc(context);
}

/** The registry gives them in the order of their names; the oldest is forgotten first. */
function orderByAge(agents: Map<AgentId, Instant>): void {
  const ordered = [...agents].sort(([, left], [, right]) => left - right);
  agents.clear();
  for (const [id, since] of ordered) agents.set(id, since);
}

/** Weights of the registry win over those that the operator gave for a new cluster. */
function setInitialWeights(context: Context): void {
  const { state, options, allocator } = context;
  const { initialWeights } = options;
  if (state.weights.size > 0) {
    if (initialWeights.size > 0)
      note(context, 'warn', 'weights.ignored', 'the registry has weights; those given are ignored');
  } else if (initialWeights.size > 0) {
    for (const [role, weight] of initialWeights) state.weights.set(role, weight);
    context.emit({
      kind: 'persist',
      writes: Array.from(initialWeights, ([role, weight]) =>
        putRecord({ kind: 'weight', role, weight }),
      ),
    });
  }
  if (state.weights.size > 0) allocator.updateWeights(state.weights);
}

/** Timer that ends the wait for agents when there is quota. */
const RECOVERY_TIMER = 'allocator-recovery';

/** With quota nothing is offered before enough agents are back: guarantees would seem unmet. */
function pauseForQuota(context: Context): void {
  const { state, options, allocator } = context;
  const expected = Math.ceil(state.recoveredAgents.size * options.allocatorRecoveryFactor);
  if (state.quotas.size === 0 || expected === 0) return;
  state.agentsAwaited = expected;
  allocator.pause();
  context.emit({
    kind: 'setTimer',
    timer: RECOVERY_TIMER,
    afterMs: options.allocatorRecoveryTimeoutMs,
  });
}

/** One of the agents of the registry is back. */
export function agentReturned(context: Context): void {
  const { state, allocator } = context;
  if (state.agentsAwaited === 0) return;
  state.agentsAwaited -= 1;
  if (state.agentsAwaited > 0) return;
  context.emit({ kind: 'cancelTimer', timer: RECOVERY_TIMER });
  allocator.resume();
}

/** The wait has lasted long enough. */
export function onRecoveryTimer({ state, allocator }: Context, timer: string): boolean {
  if (timer !== RECOVERY_TIMER) return false;
  state.agentsAwaited = 0;
  allocator.resume();
  return true;
}

function load(context: Context, record: Exclude<RegistryRecord, { kind: 'incident' }>): void {
  const { state } = context;
  switch (record.kind) {
    case 'agent':
      state.recoveredAgents.set(record.id, { id: record.id, info: record.info });
      return;
    case 'unreachable':
      state.unreachableAgents.set(record.id, record.since);
      return;
    case 'gone':
      state.goneAgents.set(record.id, record.since);
      return;
    case 'framework':
      addFramework(context, record.id, record.info, { recovered: true });
      return;
    case 'weight':
      state.weights.set(record.role, record.weight);
      return;
    case 'quota':
      state.quotas.set(record.role, record.config);
      context.allocator.updateQuota(record.role, quotaOf(record.config));
      return;
    case 'policy':
      state.policies.set(record.id, record.policy);
      if (record.policy.drain?.state === 'DRAINING') state.drainingAgents.add(record.id);
      return;
    case 'machine':
      state.machines.set(record.key, record.machine);
  }
}
