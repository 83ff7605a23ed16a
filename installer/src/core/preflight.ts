/**
 * Whether hosts are fit for what they shall become: every check has a name, a reason that shows what was found, and a
 * remedy. All hosts and all checks are looked at in one go. An error keeps anything from being installed; a warning is
 * for whoever reads it. What one host is on its own is looked at in `host-fitness.ts`.
 */

import { checkHost } from './host-fitness.ts';
import type { HostState } from './plan.ts';

export interface PreflightFault {
  readonly host: string;
  readonly severity: 'error' | 'warning';
  readonly check: string;
  readonly reason: string;
  readonly remedy: string;
}

export function preflightFaults(states: readonly HostState[]): readonly PreflightFault[] {
  const alone = states.flatMap((state) =>
    checkHost(state).map((finding) => ({ host: state.wanted.host.name, ...finding })),
  );
  return [...alone, ...states.flatMap((state, index) => checkTwins(state, states.slice(0, index)))];
}

/** Two entries of a configuration that are one machine, two machines with one address, copies of one machine. */
function checkTwins(
  { wanted: { host }, facts }: HostState,
  earlier: readonly HostState[],
): readonly PreflightFault[] {
  for (const other of earlier) {
    const { name, address } = other.wanted.host;
    const isSameMachine = facts.machineId !== '' && facts.machineId === other.facts.machineId;
    const fault = { host: host.name, severity: 'error', check: 'address' } as const;
    if (address === host.address) {
      const remedy = 'give each host an address of its own';
      return [{ ...fault, reason: `${host.address} is that of ${name}, too`, remedy }];
    }
    if (isSameMachine && facts.addresses.has(address) && facts.addresses.has(host.address)) {
      return [
        {
          ...fault,
          reason: `it is the same machine as ${name}: both addresses are of one host`,
          remedy: 'name each machine once, by one address',
        },
      ];
    }
    if (facts.addresses.has(address)) {
      return [
        {
          ...fault,
          reason: `it has the address ${address} of ${name}, too`,
          remedy: 'take that address away from one of them',
        },
      ];
    }
    if (isSameMachine) {
      return [
        {
          ...fault,
          severity: 'warning',
          check: 'machine',
          reason: `its machine id is that of ${name}: one is a copy of the other`,
          remedy: 'empty /etc/machine-id and boot it again',
        },
      ];
    }
  }
  return [];
}
