/**
 * What is wrong with a cluster that is installed, from what its hosts tell, each with a remedy. It looks for causes where
 * `status` shows what does not serve.
 */

import { isOfCertificates } from './certificate-steps.ts';
import { counted } from './plan-text.ts';
import { planCluster, type HostState } from './plan.ts';
import { preflightFaults, type PreflightFault } from './preflight.ts';

export type Finding = PreflightFault;

/** A disk is full when this part of it is used, or less than that is left. */
const DISK_USED_MAX = 0.95;
const DISK_FREE_MIB_MIN = 200;
const MEBIBYTE = 1024 * 1024;
/** Restarts of a unit since the host booted that nobody need look at. */
const RESTARTS_MAX = 5;

/** @param certificates what is wrong with those of the hosts, which is no difference beside. */
export function diagnose(
  all: readonly HostState[],
  certificates: readonly Finding[] = [],
): readonly Finding[] {
  // Whoever is not root does not see the rest.
  const states = all.filter(({ facts }) => facts.isRoot);
  return [
    ...preflightFaults(all),
    ...states.flatMap((state) =>
      [...checkUnits(state), ...checkDisks(state)].map((finding) => ({
        host: state.wanted.host.name,
        severity: 'error' as const,
        ...finding,
      })),
    ),
    ...certificates,
    ...checkDifferences(states, new Set(certificates.map(({ host }) => host))),
  ];
}

type HostFinding = Omit<Finding, 'host' | 'severity'>;

function checkUnits({ wanted, facts }: HostState): readonly HostFinding[] {
  return wanted.units.flatMap(({ name }) => {
    const unit = facts.units.get(name);
    if (unit === undefined) {
      return [{ check: 'unit', reason: `${name} is not installed`, remedy: 'installer deploy' }];
    }
    if (unit.active !== 'active') {
      const remedy = `"installer deploy", or on the host: systemctl start ${name}; its log: journalctl -u ${name}`;
      return [{ check: 'unit', reason: `${name} is ${unit.active}`, remedy }];
    }
    if (unit.restarts <= RESTARTS_MAX) return [];
    return [
      {
        check: 'unit',
        reason: `${name} ended and was started again ${unit.restarts} times`,
        remedy: `look why it ends: journalctl -u ${name}`,
      },
    ];
  });
}

function checkDisks({ facts }: HostState): readonly HostFinding[] {
  const seen = new Set<string>();
  return [...facts.disks].flatMap(([path, { mount, sizeBytes, freeBytes }]) => {
    if (seen.has(mount) || sizeBytes === 0) return [];
    seen.add(mount);
    const used = 1 - freeBytes / sizeBytes;
    if (used <= DISK_USED_MAX && freeBytes >= Math.min(DISK_FREE_MIB_MIN * MEBIBYTE, sizeBytes / 2))
      return [];
    return [
      {
        check: 'disk',
        reason: `${path} is ${Math.round(used * 100)} % full: ${Math.floor(freeBytes / MEBIBYTE)} MiB are free at ${mount}`,
        remedy: `free some; what takes it, the most last: du -xh -d 2 ${mount} | sort -h`,
      },
    ];
  });
}

/**
 * Hosts that are not as the configuration says; units that do not run are told by themselves.
 * @param renewed hosts that get another certificate, for a reason that is told.
 */
function checkDifferences(
  states: readonly HostState[],
  renewed: ReadonlySet<string>,
): readonly Finding[] {
  const counts = new Map<string, number>();
  for (const step of planCluster(states)) {
    if (step.kind === 'gate' || (step.kind === 'unit' && step.action === 'start')) continue;
    if (renewed.has(step.host) && isOfCertificates(step)) continue;
    counts.set(step.host, (counts.get(step.host) ?? 0) + 1);
  }
  return [...counts].map(([host, count]) => ({
    host,
    severity: 'error' as const,
    check: 'configuration',
    reason: `it differs from the configuration in ${counted(count, 'thing')}`,
    remedy: '"installer plan" shows what, "installer deploy" mends it',
  }));
}
