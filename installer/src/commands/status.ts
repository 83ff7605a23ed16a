/** `status`: what every host and every component is doing, asked now; changes nothing. */

import { leafProblem } from '../core/certificates.ts';
import { clusterReadiness, type WantedUnit } from '../core/wanted-host.ts';
import { OperationError } from '@dcos/base';
import { unitReport, waitUntilReady } from '../hosts/readiness.ts';
import { onAll } from '../hosts/side-by-side.ts';
import {
  ANY_RELEASE,
  clusterOf,
  closeHosts,
  connectHosts,
  unusableHosts,
  urlsOf,
  type ConnectedHost,
} from './converge.ts';
import { existingCluster } from './existing.ts';
import type { Session } from './session.ts';
import { tellAuthority } from './tell-certificates.ts';

interface UnitStatus {
  readonly host: string;
  readonly role: string;
  readonly address: string;
  readonly unit: string;
  readonly isHealthy: boolean;
  /** What it is doing; the reason when it does not serve. */
  readonly state: string;
  /** Its last lines, when it does not serve. */
  readonly log: string;
}

/** @throws OperationError `INSTALLER_UNHEALTHY` when something does not serve. */
export async function status(session: Session): Promise<void> {
  const { configuration, reporter } = session;
  const infrastructure = await existingCluster(session);
  const cluster = clusterOf(configuration, infrastructure);
  const connected = await connectHosts(cluster, infrastructure.hosts, ANY_RELEASE);
  const { hosts } = connected;
  const unreachable = unusableHosts(connected);
  try {
    for (const { name: host, role, address } of infrastructure.leaving) {
      reporter.tell(
        { event: 'host.leaving', host, role, address },
        `  ${host.padEnd(12)} ${address.padEnd(16)} is not in the configuration any more; "installer deploy" takes it out`,
      );
    }
    for (const { place, problem } of unreachable) {
      const { name: host, role, address } = place;
      reporter.tell(
        { event: 'host.unreachable', host, role, address, problem },
        `  ${host.padEnd(12)} ${address.padEnd(16)} ${problem}`,
      );
    }
    const units = hosts.flatMap((host) => host.wanted.units.map((unit) => ({ host, unit })));
    const found = await onAll(units, async ({ host, unit }) => await unitStatus(host, unit));
    const all = found.map(([, one]) => one);
    for (const one of all) {
      const { host, role, address, unit, isHealthy, state, log } = one;
      const line = `  ${host.padEnd(12)} ${address.padEnd(16)} ${unit.padEnd(26)} ${state}`;
      reporter.tell(
        { event: 'unit.status', host, role, address, unit, healthy: isHealthy, state, log },
        line,
      );
      if (log !== '') reporter.tell({ event: 'unit.log', host, unit, log }, indented(log));
    }
    const agents = cluster.hosts.filter(({ role }) => role !== 'master').length;
    const master = hosts.find(({ place }) => place.role === 'master');
    const refused = hosts.flatMap(({ place, leaf }) => {
      const problem = leaf && leafProblem(leaf);
      return problem === undefined ? [] : [{ place, problem }];
    });
    for (const { place, problem } of refused) {
      const { name: host, role, address } = place;
      reporter.tell(
        { event: 'certificate.problem', host, role, address, problem: problem.reason },
        `  ${host.padEnd(12)} ${address.padEnd(16)} ${'certificate'.padEnd(26)} ${problem.reason}`,
      );
    }
    tellAuthority(connected.authority, reporter);
    const urls = urlsOf(configuration, infrastructure);
    const whole =
      master === undefined ||
      !all.some(({ host, isHealthy }) => host === master.place.name && isHealthy)
        ? 'no master can be asked'
        : await waitUntilReady(master.connection, {
            readiness: clusterReadiness(cluster, agents),
            timeoutMs: 0,
          });
    reporter.tell(
      {
        event: 'cluster.status',
        healthy: whole === undefined,
        state: whole ?? 'ready',
        urls,
      },
      `  ${'cluster'.padEnd(56)} ${whole ?? `ready at ${urls.join(', ')}`}`,
    );
    const bad = all.filter(({ isHealthy }) => !isHealthy);
    if (bad.length > 0 || refused.length > 0 || unreachable.length > 0 || whole !== undefined)
      throw new OperationError('INSTALLER_UNHEALTHY', 'not everything serves: see above');
  } finally {
    await closeHosts(hosts);
  }
}

async function unitStatus(
  { place, facts, connection }: ConnectedHost,
  { name, readiness }: WantedUnit,
): Promise<UnitStatus> {
  const base = { host: place.name, role: place.role, address: place.address, unit: name };
  const found = facts.units.get(name);
  if (found === undefined) return { ...base, isHealthy: false, state: 'not installed', log: '' };
  const problem =
    facts.activeRelease === undefined
      ? 'no release is in use'
      : await waitUntilReady(connection, { readiness, timeoutMs: 0 });
  if (problem === undefined) return { ...base, isHealthy: true, state: 'serves', log: '' };
  const state = `${found.active}, does not serve: ${problem}`;
  return { ...base, isHealthy: false, state, log: await unitReport(connection, name) };
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
}
