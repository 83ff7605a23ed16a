/**
 * Machines of the maintenance schedule: how they are named, and which one an agent runs on.
 */

import type { MachineID } from '@dcos/wire';
import type { Agent, Machine, MasterState } from './state.ts';

/** A machine's name in maps and in the registry; host names are compared without case. */
export function machineKey({ hostname = '', ip = '' }: MachineID): string {
  return `${hostname.toLowerCase()} ${ip}`;
}

/** The machine that an agent runs on, if maintenance knows it. */
export function machineOf(
  state: MasterState,
  agent: Pick<Agent, 'info' | 'ip'>,
): Machine | undefined {
  if (state.machines.size === 0) return undefined;
  const { hostname } = agent.info;
  return (
    state.machines.get(machineKey({ hostname, ip: agent.ip })) ??
    state.machines.get(machineKey({ hostname })) ??
    state.machines.get(machineKey({ ip: agent.ip }))
  );
}
