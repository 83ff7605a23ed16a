/** `doctor`: looks for what is wrong with a cluster and says how to mend it; changes nothing. */

import { errorText, OperationError, operationErrorCode } from '@dcos/base';
import { certificateFindings } from '../core/certificate-findings.ts';
import { wayFaults, waysInUse } from '../core/connectivity.ts';
import { diagnose, type Finding } from '../core/doctor.ts';
import { counted } from '../core/plan-text.ts';
import { lookForWays } from '../hosts/look-for-ways.ts';
import { unitReport } from '../hosts/readiness.ts';
import { onAll } from '../hosts/side-by-side.ts';
import {
  clusterOf,
  closeHosts,
  connectHosts,
  type ConnectedHost,
  type UnreachableHost,
} from './converge.ts';
import { existingCluster } from './existing.ts';
import type { Reporter } from './reporter.ts';
import type { Session } from './session.ts';

/** @throws OperationError `INSTALLER_UNHEALTHY` when something is found. */
export async function doctor(session: Session): Promise<void> {
  const { configuration, reporter } = session;
  const infrastructure = await existingCluster(session);
  const release = await session.release();
  const cluster = clusterOf(configuration, infrastructure);
  const connected = await connectHosts(cluster, infrastructure.hosts, release);
  const { hosts, rootless, unreachable, authority } = connected;
  try {
    const leafs = hosts.map(({ place, leaf }) => ({ host: place.name, leaf }));
    const findings = [
      ...unreachable.map(lostHost),
      ...diagnose([...hosts, ...rootless], certificateFindings(leafs, authority, Date.now())),
      ...(await connectionFindings(hosts)),
    ];
    for (const { host, severity, check, reason, remedy } of findings) {
      const word = severity === 'warning' ? 'warning: ' : '';
      reporter.tell(
        {
          event: `doctor.${severity === 'warning' ? 'warning' : 'finding'}`,
          host,
          check,
          reason,
          remedy,
        },
        `  ${host.padEnd(12)} ${word}${check}: ${reason}\n${' '.repeat(15)}mend it: ${remedy}`,
      );
    }
    await tellLogs(hosts, reporter);
    const errors = findings.filter(({ severity }) => severity === 'error').length;
    reporter.tell(
      { event: 'doctor.done', findings: errors, warnings: findings.length - errors },
      errors === 0 ? 'nothing is wrong' : counted(errors, 'finding'),
    );
    if (errors > 0)
      throw new OperationError('INSTALLER_UNHEALTHY', 'something is wrong: see above');
  } finally {
    await closeHosts(hosts);
  }
}

/** Between hosts that serve. What cannot be looked at is no reason to keep the rest for oneself. */
async function connectionFindings(hosts: readonly ConnectedHost[]): Promise<readonly Finding[]> {
  const ways = waysInUse(hosts);
  if (ways.length === 0) return [];
  try {
    return wayFaults(await lookForWays(ways, hosts));
  } catch (error) {
    if (operationErrorCode(error) === undefined) throw error;
    const reason = `nobody knows whether hosts reach each other: ${errorText(error)}`;
    const remedy = 'mend what else is told, and run it again';
    return [{ host: 'cluster', severity: 'warning', check: 'connection', reason, remedy }];
  }
}

/** The last lines of units that do not run. */
async function tellLogs(hosts: readonly ConnectedHost[], reporter: Reporter): Promise<void> {
  const sick = hosts.flatMap(({ connection, wanted, facts }) =>
    wanted.units
      .filter(({ name }) => !['active', undefined].includes(facts.units.get(name)?.active))
      .map(({ name }) => ({ host: wanted.host.name, unit: name, connection })),
  );
  const reports = await onAll(sick, async (one) => await unitReport(one.connection, one.unit));
  for (const [{ host, unit }, log] of reports) {
    const lines = log.replaceAll('\n', '\n    ');
    reporter.tell({ event: 'unit.log', host, unit, log }, `  ${host} ${unit}:\n    ${lines}`);
  }
}

function lostHost({ place, problem }: UnreachableHost): Finding {
  return {
    host: place.name,
    severity: 'error',
    check: 'host',
    reason: problem,
    remedy: 'start it, and look at the way to it; then: installer deploy',
  };
}
