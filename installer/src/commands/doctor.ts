/** `doctor`: looks for what is wrong with a cluster and says how to mend it; changes nothing. */

import { OperationError } from '@dcos/base';
import { certificateFindings } from '../core/certificate-findings.ts';
import { diagnose, type Finding } from '../core/doctor.ts';
import { counted } from '../core/plan-text.ts';
import { unitReport } from '../hosts/readiness.ts';
import { clusterOf, closeHosts, connectHosts, type UnreachableHost } from './converge.ts';
import { existingCluster } from './existing.ts';
import type { Session } from './session.ts';

/** @throws OperationError `INSTALLER_UNHEALTHY` when something is found. */
export async function doctor(session: Session): Promise<void> {
  const { configuration, reporter } = session;
  const infrastructure = await existingCluster(session);
  const release = await session.release();
  const cluster = clusterOf(configuration, infrastructure);
  const connected = await connectHosts(cluster, infrastructure.hosts, release);
  const { hosts, unreachable, authority } = connected;
  try {
    const leafs = hosts.map(({ place, leaf }) => ({ host: place.name, leaf }));
    const findings = [
      ...unreachable.map(lostHost),
      ...diagnose(hosts, Date.now() / 1000),
      ...certificateFindings(leafs, authority, Date.now()),
    ];
    for (const { host, check, reason, remedy } of findings) {
      reporter.tell(
        { event: 'doctor.finding', host, check, reason, remedy },
        `  ${host.padEnd(12)} ${check}: ${reason}\n${' '.repeat(15)}mend it: ${remedy}`,
      );
    }
    const sick = hosts.flatMap(({ connection, wanted, facts }) =>
      wanted.units
        .filter(({ name }) => !['active', undefined].includes(facts.units.get(name)?.active))
        .map(async ({ name }) => ({
          host: wanted.host.name,
          unit: name,
          log: await unitReport(connection, name),
        })),
    );
    for (const { host, unit, log } of await Promise.all(sick)) {
      const lines = log.replaceAll('\n', '\n    ');
      reporter.tell({ event: 'unit.log', host, unit, log }, `  ${host} ${unit}:\n    ${lines}`);
    }
    reporter.tell(
      { event: 'doctor.done', findings: findings.length },
      findings.length === 0 ? 'nothing is wrong' : counted(findings.length, 'finding'),
    );
    if (findings.length > 0)
      throw new OperationError('INSTALLER_UNHEALTHY', 'something is wrong: see above');
  } finally {
    await closeHosts(hosts);
  }
}

function lostHost({ place, problem }: UnreachableHost): Finding {
  return {
    host: place.name,
    check: 'host',
    reason: problem,
    remedy: 'start it, and look at the way to it; then: installer deploy',
  };
}
