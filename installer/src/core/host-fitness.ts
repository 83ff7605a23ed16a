/** What a host on its own lacks of what a host of a cluster needs. */

import { PORTS } from './component-settings.ts';
import type { HostState } from './plan.ts';
import type { PreflightFault } from './preflight.ts';

type Finding = Omit<PreflightFault, 'host'>;

const MEBIBYTE = 1024 * 1024;
const SYSTEMD_MIN = 200;
const MEMORY_MIB_MIN = 900;
/** For the release, twice, and room to work. */
const DISK_MIB_MIN = 2_048;
/** For what a component has to remember. */
const STATE_MIB_MIN = 512;
/** Beyond that, certificates and logs of hosts do not fit together. */
const CLOCK_SKEW_SECONDS_MAX = 30;
const ARCHITECTURES = ['x86_64', 'aarch64'];
const NEEDED_PROGRAMS = ['systemctl', 'journalctl', 'tar', 'sha256sum', 'timeout'];

/** All that is wrong with it, errors and warnings. */
export function checkHost(state: HostState): readonly Finding[] {
  return [
    ...checkRoot(state),
    ...checkSystem(state),
    ...checkRoom(state),
    ...checkClock(state),
    ...checkPorts(state),
    ...checkAddress(state),
    ...checkSurroundings(state),
  ];
}

function error(check: string, reason: string, remedy: string): Finding {
  return { severity: 'error', check, reason, remedy };
}

function warning(check: string, reason: string, remedy: string): Finding {
  return { severity: 'warning', check, reason, remedy };
}

function checkRoot({ facts }: HostState): readonly Finding[] {
  if (facts.isRoot) return [];
  const reason = facts.rootProblem ?? 'programs do not run as root';
  return [error('root', reason, sudoRemedy(reason))];
}

function sudoRemedy(reason: string): string {
  if (reason.includes('not found')) return 'install sudo, or log in as root';
  if (reason.includes('password is wrong')) return 'name the right one in ssh.sudoPassword';
  if (reason.includes('not in the sudoers') || reason.includes('not allowed'))
    return 'let the user use sudo for everything, or log in as root';
  return 'let the user use sudo without a password, name one in ssh.sudoPassword, or log in as root';
}

function checkSystem({ facts }: HostState): readonly Finding[] {
  const findings: Finding[] = [];
  if (!ARCHITECTURES.includes(facts.architecture)) {
    const remedy = `take a host with ${ARCHITECTURES.join(' or ')}`;
    findings.push(error('architecture', `it is ${facts.architecture || 'unknown'}`, remedy));
  }
  if (facts.systemd < SYSTEMD_MIN) {
    const found = facts.systemd === 0 ? 'it is not the first process' : `it is ${facts.systemd}`;
    findings.push(error('systemd', found, `take a host with systemd ${SYSTEMD_MIN} or newer`));
  }
  if (facts.cgroups === 0) {
    const remedy = 'mount them at /sys/fs/cgroup, as systemd does';
    findings.push(error('cgroups', 'no control groups are mounted', remedy));
  }
  const missing = NEEDED_PROGRAMS.filter((name) => !facts.programs.has(name));
  if (missing.length > 0) {
    const remedy = "install them with the distribution's package manager";
    findings.push(error('programs', `${missing.join(', ')} not found`, remedy));
  }
  return findings;
}

function checkRoom({ facts, wanted }: HostState): readonly Finding[] {
  const findings: Finding[] = [];
  const memory = Math.floor(facts.memoryBytes / MEBIBYTE);
  if (memory < MEMORY_MIB_MIN)
    findings.push(error('memory', `${memory} MiB`, `give it ${MEMORY_MIB_MIN} MiB at least`));
  // What is installed already has taken its room.
  if (!facts.releases.has(wanted.releaseHash)) {
    const disk = Math.floor(facts.diskFreeBytes / MEBIBYTE);
    if (disk < DISK_MIB_MIN) {
      const remedy = `free ${DISK_MIB_MIN} MiB at least`;
      findings.push(error('disk', `${disk} MiB free at /opt`, remedy));
    }
    const state = facts.disks.get('/var/lib');
    const isOther = state !== undefined && state.mount !== facts.disks.get('/opt')?.mount;
    const left = Math.floor((state?.freeBytes ?? 0) / MEBIBYTE);
    if (isOther && left < STATE_MIB_MIN) {
      const remedy = `free ${STATE_MIB_MIN} MiB at least`;
      findings.push(error('disk', `${left} MiB free at /var/lib`, remedy));
    }
  }
  const programs = facts.disks.get('/opt') ?? facts.disks.get('/');
  if (programs?.isNoexec === true) {
    const reason = `${programs.mount} is mounted noexec, and the release is below it, at /opt/dcos`;
    findings.push(error('noexec', reason, `mount -o remount,exec ${programs.mount}`));
  }
  const sandboxes = facts.disks.get('/var/lib/dcos') ?? facts.disks.get('/var/lib');
  if (wanted.host.role !== 'master' && sandboxes?.isNoexec === true) {
    const reason = `${sandboxes.mount} is mounted noexec: programs that tasks bring cannot be started`;
    findings.push(warning('noexec', reason, `mount -o remount,exec ${sandboxes.mount}`));
  }
  return findings;
}

function checkClock({ facts }: HostState): readonly Finding[] {
  const skew = Math.round(facts.clockSkewSeconds);
  if (Math.abs(skew) > CLOCK_SKEW_SECONDS_MAX) {
    const reason = `${Math.abs(skew)} s ${skew > 0 ? 'ahead of' : 'behind'} this machine`;
    return [error('clock', reason, 'set the clock of the host, best by NTP')];
  }
  if (facts.isClockSynchronised !== false) return [];
  const remedy = 'run chrony or systemd-timesyncd: timedatectl set-ntp true';
  return [warning('clock', 'it is right now, but nothing keeps it so', remedy)];
}

function checkPorts({ facts, wanted }: HostState): readonly Finding[] {
  // Nobody else sees which unit it is that listens.
  if (!facts.isRoot) return [];
  return wanted.units.flatMap((unit) => {
    // Its own.
    if (facts.units.get(unit.name)?.fingerprint !== undefined) return [];
    return unit.ports
      .filter((port) => facts.ports.has(port) || isInTheWay(port, facts.loopbackPorts))
      .map((port) =>
        error(
          'ports',
          `port ${port} of ${unit.name} is in use`,
          `stop what listens there: ss -lntup 'sport = :${port}'`,
        ),
      );
  });
}

/** Mesos-DNS listens on the host's own address alone: a resolver on loopback, as systemd has one, may stay. */
function isInTheWay(port: number, loopbackPorts: ReadonlySet<number>): boolean {
  return port !== PORTS.dns && loopbackPorts.has(port);
}

function checkAddress({ facts, wanted: { host } }: HostState): readonly Finding[] {
  if (facts.addresses.size === 0 || facts.addresses.has(host.address)) return [];
  const reason = `${host.address} is none of its addresses (${[...facts.addresses].join(', ')})`;
  return [error('address', reason, 'name the address that the host itself has')];
}

/** What may get in the way later, and need not. */
function checkSurroundings({ facts }: HostState): readonly Finding[] {
  const findings: Finding[] = [];
  if (!facts.resolvesOwnName) {
    const reason = 'the host does not find an address for its own name';
    findings.push(warning('names', reason, 'add a line for it to /etc/hosts'));
  }
  if (facts.isSelinuxEnforcing) {
    const remedy = 'look for denials when a unit does not start: ausearch -m avc -ts recent';
    findings.push(warning('selinux', 'it is enforcing, which is not tested', remedy));
  }
  if (facts.hasFirewalld) {
    const remedy =
      'let the hosts of the cluster talk to each other: firewall-cmd --permanent --zone=trusted --add-source=<their network>';
    findings.push(warning('firewall', 'firewalld is active', remedy));
  }
  return findings;
}
