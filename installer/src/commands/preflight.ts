/**
 * Whether hosts are fit, before anything is installed: what they told of themselves, whether packages can be had, and
 * whether they reach each other. All faults of all hosts are told at once.
 */

import { OperationError } from '@dcos/base';
import { waysOf, wayFaults } from '../core/connectivity.ts';
import { counted } from '../core/plan-text.ts';
import { preflightFaults, type PreflightFault } from '../core/preflight.ts';
import { missingPackages } from '../core/java-package.ts';
import { lookForPackages } from '../hosts/look-for-packages.ts';
import { lookForWays } from '../hosts/look-for-ways.ts';
import { onAll } from '../hosts/side-by-side.ts';
import type { Connected, ConnectedHost } from './converge.ts';
import type { Reporter } from './reporter.ts';

/** @throws OperationError `INSTALLER_PREFLIGHT` when a host is not fit. */
export async function checkHosts(
  { hosts, rootless }: Pick<Connected, 'hosts' | 'rootless'>,
  reporter: Reporter,
): Promise<void> {
  const [packages, ways] = await Promise.all([packageFaults(hosts), connectionFaults(hosts)]);
  const faults = [...preflightFaults([...hosts, ...rootless]), ...packages, ...ways];
  for (const { host, severity, check, reason, remedy } of faults) {
    const facts = { host, check, reason, remedy };
    const text = `${host}: ${check}: ${reason}; ${remedy}`;
    if (severity === 'warning')
      reporter.tell({ event: 'preflight.warning', ...facts }, `  warning: ${text}`);
    else reporter.problem({ event: 'preflight.failed', ...facts }, `  ${text}`);
  }
  const errors = faults.filter(({ severity }) => severity === 'error').length;
  if (errors > 0) {
    throw new OperationError(
      'INSTALLER_PREFLIGHT',
      `${counted(errors, 'fault')} of hosts; nothing was installed`,
    );
  }
}

async function packageFaults(hosts: readonly ConnectedHost[]): Promise<readonly PreflightFault[]> {
  const lacking = hosts.flatMap(({ place, connection, wanted, facts }) => {
    const names = missingPackages(wanted.host, facts);
    return names.length === 0 ? [] : [{ host: place.name, connection, names }];
  });
  const found = await onAll(
    lacking,
    async ({ connection, names }) => await lookForPackages(connection, names),
  );
  return found.flatMap(([{ host, names }, reasons]) => {
    const remedy = `let it reach a mirror of its distribution, or install there: ${names.join(', ')}`;
    return reasons.map((reason): PreflightFault => {
      return { host, severity: 'error', check: 'packages', reason, remedy };
    });
  });
}

async function connectionFaults(
  hosts: readonly ConnectedHost[],
): Promise<readonly PreflightFault[]> {
  const ways = waysOf(hosts);
  return ways.length === 0 ? [] : wayFaults(await lookForWays(ways, hosts));
}
