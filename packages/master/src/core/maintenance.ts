/**
 * Maintenance of machines: a schedule says which will be away and when (DRAINING); an operator takes them
 * down (DOWN) and brings them up again, which ends their part of the schedule. Nothing is triggered by
 * time. A machine is a host name, an address, or both.
 *
 * Invariants: a machine is in at most one window; the registry holds a change before anybody sees it;
 * agents of a machine that is DOWN are not registered.
 * Source: the original's rules and recorded texts.
 */

import { compareText } from '@dcos/base';
import { MachineIDType, toJsonText, type MachineID, type maintenance } from '@dcos/wire';
import { removeAgent } from './agents.ts';
import type { Context } from './context.ts';
import { rescindInverseOffers } from './inverse-offers.ts';
import { machineKey, machineOf } from './machines.ts';
import { rescindAgentOffers } from './offers.ts';
import { deleteRecord, keyProblem, putRecord } from './registry.ts';
import type { Agent, Machine, MasterState } from './state.ts';

/** Machines that a schedule may name; they are one batch of the store. */
const MACHINES_MAX = 5_000;

export interface MaintenanceRefusal {
  readonly status: 400 | 403;
  readonly text: string;
}

function machineText(id: MachineID): string {
  return `Machine '${toJsonText(MachineIDType, id)}'`;
}

function agentsOn(state: MasterState, keys: ReadonlySet<string>): readonly Agent[] {
  return [...state.agents.values()].filter((agent) => {
    const machine = machineOf(state, agent);
    return machine !== undefined && keys.has(machineKey(machine.id));
  });
}

/** UPDATE_MAINTENANCE_SCHEDULE: replaces the whole schedule; machines that are DOWN must stay in it. */
export function updateSchedule(
  context: Context,
  schedule: maintenance.Schedule,
  principal: string | undefined,
): MaintenanceRefusal | undefined {
  const { state, authorizer } = context;
  const problem = scheduleProblem(state, schedule);
  if (problem !== undefined) return { status: 400, text: problem };
  if (!authorizer.allows({ action: 'UPDATE_MAINTENANCE_SCHEDULE', principal }))
    return { status: 403, text: 'Not authorized to update the maintenance schedule' };
  const wanted = new Map<string, Machine>();
  for (const [window, { machine_ids: ids = [], unavailability }] of (
    schedule.windows ?? []
  ).entries()) {
    for (const id of ids) {
      const key = machineKey(id);
      const mode = state.machines.get(key)?.mode ?? 'DRAINING';
      wanted.set(key, { id, mode, unavailability, window });
    }
  }
  const dropped = [...state.machines.keys()].filter((key) => !wanted.has(key));
  context.emit({
    kind: 'persist',
    writes: [
      ...dropped.map((key) => deleteRecord('machines', key)),
      ...Array.from(wanted, ([key, machine]) => putRecord({ kind: 'machine', key, machine })),
    ],
  });
  const affected = agentsOn(state, new Set([...dropped, ...wanted.keys()]));
  state.machines.clear();
  for (const [key, machine] of wanted) state.machines.set(key, machine);
  const all = new Set([...affected, ...agentsOn(state, new Set(wanted.keys()))]);
  for (const agent of all) tellUnavailability(context, agent);
  return undefined;
}

/** What was offered of the agent said otherwise, so it is offered anew. */
function tellUnavailability(context: Context, agent: Agent): void {
  rescindInverseOffers(context, agent);
  rescindAgentOffers(context, agent);
  context.allocator.updateUnavailability(agent.id, machineOf(context.state, agent)?.unavailability);
}

function scheduleProblem(
  state: MasterState,
  { windows = [] }: maintenance.Schedule,
): string | undefined {
  const seen = new Set<string>();
  for (const { machine_ids: ids = [], unavailability } of windows) {
    if (ids.length === 0) return 'List of machines in the maintenance window is empty';
    const problem = unavailabilityProblem(unavailability);
    if (problem !== undefined) return problem;
    for (const id of ids) {
      const invalid = machineProblem(id);
      if (invalid !== undefined) return invalid;
      const key = machineKey(id);
      if (seen.has(key)) return `${machineText(id)} appears more than once in the schedule`;
      seen.add(key);
      if (seen.size > MACHINES_MAX) return `The schedule names more than ${MACHINES_MAX} machines`;
    }
  }
  for (const [key, { id, mode }] of state.machines) {
    if (mode === 'DOWN' && !seen.has(key))
      return `${machineText(id)} is deactivated and cannot be removed from the schedule`;
  }
  return undefined;
}

function unavailabilityProblem({
  duration,
}: maintenance.Window['unavailability']): string | undefined {
  return duration !== undefined && duration.nanoseconds < 0
    ? "Unavailability 'duration' is negative"
    : undefined;
}

function machineProblem(id: MachineID): string | undefined {
  const { hostname = '', ip = '' } = id;
  if (hostname === '' && ip === '') return "Both 'hostname' and 'ip' for a machine are empty";
  if (ip !== '' && !isAddress(ip)) return `Failed to parse IPv4: ${ip}`;
  return keyProblem(machineKey(id));
}

function isAddress(ip: string): boolean {
  const parts = ip.split('.');
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
}

function machinesProblem(
  state: MasterState,
  ids: readonly MachineID[],
  expected: Machine['mode'],
): string | undefined {
  if (ids.length === 0) return 'List of machines is empty';
  const seen = new Set<string>();
  for (const id of ids) {
    const invalid = machineProblem(id);
    if (invalid !== undefined) return invalid;
    const key = machineKey(id);
    if (seen.has(key)) return `${machineText(id)} appears more than once`;
    seen.add(key);
    const machine = state.machines.get(key);
    if (machine === undefined) return `${machineText(id)} is not part of a maintenance schedule`;
    if (machine.mode !== expected) {
      return expected === 'DRAINING'
        ? `${machineText(id)} is not in DRAINING mode and cannot be brought down`
        : `${machineText(id)} is not in DOWN mode and cannot be brought up`;
    }
  }
  return undefined;
}

/** START_MAINTENANCE, /machine/down: agents of the machines are shut down and not let in again. */
export function startMaintenance(
  context: Context,
  ids: readonly MachineID[],
  principal: string | undefined,
): MaintenanceRefusal | undefined {
  const { state, authorizer } = context;
  const problem = machinesProblem(state, ids, 'DRAINING');
  if (problem !== undefined) return { status: 400, text: problem };
  if (!authorizer.allows({ action: 'START_MAINTENANCE', principal }))
    return { status: 403, text: 'Not authorized to start maintenance' };
  const keys = ids.map(machineKey);
  for (const key of keys) {
    const machine = state.machines.get(key);
    if (machine !== undefined) state.machines.set(key, { ...machine, mode: 'DOWN' });
  }
  context.emit({
    kind: 'persist',
    writes: keys.flatMap((key) => {
      const machine = state.machines.get(key);
      return machine === undefined ? [] : [putRecord({ kind: 'machine', key, machine })];
    }),
  });
  const message = "Operator initiated 'Machine DOWN'";
  for (const agent of agentsOn(state, new Set(keys))) {
    removeAgent(context, agent, {
      state: 'TASK_GONE',
      reason: 'REASON_AGENT_REMOVED',
      operationState: 'OPERATION_DROPPED',
      message,
      writes: [deleteRecord('agents', agent.id)],
      farewell: { type: 'SHUTDOWN', shutdown: { message } },
    });
  }
  return undefined;
}

/** STOP_MAINTENANCE, /machine/up: the machines leave the schedule, their agents may register. */
export function stopMaintenance(
  context: Context,
  ids: readonly MachineID[],
  principal: string | undefined,
): MaintenanceRefusal | undefined {
  const { state, authorizer } = context;
  const problem = machinesProblem(state, ids, 'DOWN');
  if (problem !== undefined) return { status: 400, text: problem };
  if (!authorizer.allows({ action: 'STOP_MAINTENANCE', principal }))
    return { status: 403, text: 'Not authorized to stop maintenance' };
  const keys = ids.map(machineKey);
  context.emit({ kind: 'persist', writes: keys.map((key) => deleteRecord('machines', key)) });
  for (const key of keys) state.machines.delete(key);
  return undefined;
}

/** GET_MAINTENANCE_SCHEDULE: windows in the order in which they were given. */
export function scheduleOf(state: MasterState): maintenance.Schedule {
  const windows = new Map<number, Machine[]>();
  for (const machine of state.machines.values()) {
    const members = windows.get(machine.window) ?? [];
    windows.set(machine.window, members);
    members.push(machine);
  }
  const ordered = [...windows].sort(([left], [right]) => left - right);
  if (ordered.length === 0) return {};
  return {
    windows: ordered.flatMap(([, members]) => {
      const [first] = members;
      return first === undefined
        ? []
        : [{ machine_ids: members.map(({ id }) => id), unavailability: first.unavailability }];
    }),
  };
}

/** GET_MAINTENANCE_STATUS: machines that drain, with what frameworks answered, and those that are down. */
export function clusterStatus({
  state,
  allocator,
}: Pick<Context, 'state' | 'allocator'>): maintenance.ClusterStatus {
  const answers = allocator.inverseOfferAnswers();
  const machines = [...state.machines].sort(([left], [right]) => compareText(left, right));
  const down = machines.filter(([, { mode }]) => mode === 'DOWN').map(([, { id }]) => id);
  const draining = machines.filter(([, { mode }]) => mode === 'DRAINING');
  const agentsByMachine = Map.groupBy(state.agents.values(), (agent) => {
    const machine = machineOf(state, agent);
    return machine === undefined ? undefined : machineKey(machine.id);
  });
  const statusesOf = (
    key: string,
  ): NonNullable<maintenance.ClusterStatus_DrainingMachine['statuses']> =>
    (agentsByMachine.get(key) ?? []).flatMap((agent) =>
      Array.from(answers.get(agent.id) ?? [], ([framework, { willing, instant }]) => ({
        status: willing ? ('ACCEPT' as const) : ('DECLINE' as const),
        framework_id: { value: framework },
        timestamp: { nanoseconds: Math.round(instant * 1e6) },
      })),
    );
  return {
    ...(draining.length > 0 && {
      draining_machines: draining.map(([key, { id }]) => {
        const statuses = statusesOf(key);
        return { id, ...(statuses.length > 0 && { statuses }) };
      }),
    }),
    ...(down.length > 0 && { down_machines: down }),
  };
}
