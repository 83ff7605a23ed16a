/**
 * Whether hosts are fit for what they shall become: every check has a name, a reason that shows what was found, and a
 * remedy. All hosts and all checks are looked at in one go.
 */

import type { HostState } from './plan.ts';

export interface PreflightFault {
  readonly host: string;
  readonly check: string;
  readonly reason: string;
  readonly remedy: string;
}

type Finding = Omit<PreflightFault, 'host'>;

const MEBIBYTE = 1024 * 1024;
const SYSTEMD_MIN = 200;
const MEMORY_MIB_MIN = 900;
/** For the release, twice, and room to work. */
const DISK_MIB_MIN = 2_048;
/** Beyond that, certificates and logs of hosts do not fit together. */
const CLOCK_SKEW_SECONDS_MAX = 30;
const ARCHITECTURES = ['x86_64', 'aarch64'];
const NEEDED_PROGRAMS = ['systemctl', 'journalctl', 'tar', 'sha256sum', 'timeout'];

/** @param nowSeconds the installer's own clock. */
export function preflightFaults(
  states: readonly HostState[],
  nowSeconds: number,
): readonly PreflightFault[] {
  const alone = states.flatMap((state) =>
    [
      ...checkSystem(state),
      ...checkRoom(state),
      ...checkClock(state, nowSeconds),
      ...checkPorts(state),
      ...checkAddress(state),
    ].map((finding) => ({ host: state.wanted.host.name, ...finding })),
  );
  return [...alone, ...checkDuplicates(states)];
}

function checkSystem({ facts }: HostState): readonly Finding[] {
  const findings: Finding[] = [];
  if (!facts.isRoot) {
    findings.push({
      check: 'root',
      reason: 'programs do not run as root',
      remedy: 'log in as root, or let the user use sudo without a password',
    });
  }
  if (!ARCHITECTURES.includes(facts.architecture)) {
    findings.push({
      check: 'architecture',
      reason: `it is ${facts.architecture || 'unknown'}`,
      remedy: `take a host with ${ARCHITECTURES.join(' or ')}`,
    });
  }
  if (facts.systemd < SYSTEMD_MIN) {
    const found = facts.systemd === 0 ? 'it is not the first process' : `it is ${facts.systemd}`;
    findings.push({
      check: 'systemd',
      reason: found,
      remedy: `take a host with systemd ${SYSTEMD_MIN} or newer`,
    });
  }
  const missing = NEEDED_PROGRAMS.filter((name) => !facts.programs.has(name));
  if (missing.length > 0) {
    findings.push({
      check: 'programs',
      reason: `${missing.join(', ')} not found`,
      remedy: "install them with the distribution's package manager",
    });
  }
  return findings;
}

function checkRoom({ facts, wanted }: HostState): readonly Finding[] {
  const findings: Finding[] = [];
  const memory = Math.floor(facts.memoryBytes / MEBIBYTE);
  if (memory < MEMORY_MIB_MIN) {
    findings.push({
      check: 'memory',
      reason: `${memory} MiB`,
      remedy: `give it ${MEMORY_MIB_MIN} MiB at least`,
    });
  }
  const disk = Math.floor(facts.diskFreeBytes / MEBIBYTE);
  // What is installed already has taken its room.
  if (disk < DISK_MIB_MIN && !facts.releases.has(wanted.releaseHash)) {
    findings.push({
      check: 'disk',
      reason: `${disk} MiB free at /opt`,
      remedy: `free ${DISK_MIB_MIN} MiB at least`,
    });
  }
  return findings;
}

function checkClock({ facts }: HostState, nowSeconds: number): readonly Finding[] {
  const skew = Math.round(facts.clockSeconds - nowSeconds);
  if (Math.abs(skew) <= CLOCK_SKEW_SECONDS_MAX) return [];
  return [
    {
      check: 'clock',
      reason: `${Math.abs(skew)} s ${skew > 0 ? 'ahead of' : 'behind'} this machine`,
      remedy: 'set the clock of the host, best by NTP',
    },
  ];
}

function checkPorts({ facts, wanted }: HostState): readonly Finding[] {
  return wanted.units.flatMap((unit) => {
    // Its own.
    if (facts.units.get(unit.name)?.fingerprint !== undefined) return [];
    return unit.ports
      .filter((port) => facts.ports.has(port))
      .map((port) => ({
        check: 'ports',
        reason: `port ${port} of ${unit.name} is in use`,
        remedy: 'stop what listens there',
      }));
  });
}

function checkAddress({ facts, wanted: { host } }: HostState): readonly Finding[] {
  if (facts.addresses.size === 0 || facts.addresses.has(host.address)) return [];
  return [
    {
      check: 'address',
      reason: `${host.address} is none of its addresses (${[...facts.addresses].join(', ')})`,
      remedy: 'name the address that the host itself has',
    },
  ];
}

function checkDuplicates(states: readonly HostState[]): readonly PreflightFault[] {
  const first = new Map<string, string>();
  return states.flatMap(({ wanted: { host } }) => {
    const other = first.get(host.address);
    first.set(host.address, other ?? host.name);
    if (other === undefined) return [];
    return [
      {
        host: host.name,
        check: 'address',
        reason: `${host.address} is that of ${other}, too`,
        remedy: 'give each host an address of its own',
      },
    ];
  });
}
