/**
 * `replace HOST`: another host in the place of one that burned or has to go. An agent is drained, if it can be, and gone;
 * the next one is new to the masters. A master keeps its address and its id in the ensemble; it gets what it has to know
 * from the others, which have to be a healthy majority without it. A run that was cut short is gone on with by the
 * same words, or by `deploy`, which makes hosts that are missing.
 */

import { OperationError } from '@dcos/base';
import { askedFor } from '../config/asked-for.ts';
import { counted } from '../core/plan-text.ts';
import { waitUntilReady } from '../hosts/readiness.ts';
import type { Infrastructure, ProvidedHost } from '../providers/provider.ts';
import {
  ANY_RELEASE,
  clusterOf,
  closeHosts,
  connectHosts,
  type ConnectedHost,
} from './converge.ts';
import { deploy, refuseOtherRelease } from './deploy.ts';
import { existingCluster } from './existing.ts';
import { throwIfInterrupted } from './interrupted.ts';
import type { CommonOptions, Session, Surroundings } from './session.ts';
import { takeOut } from './take-out.ts';

/** How long another master may take to show that it serves. */
const HEALTHY_TIMEOUT_MS = 10_000;

/** @throws OperationError `INSTALLER_USAGE`, `INSTALLER_OTHER_RELEASE`, `MASTERS_NOT_HEALTHY`, and what `deploy` throws */
export async function replace(
  session: Session,
  options: CommonOptions,
  surroundings: Surroundings,
): Promise<void> {
  const infrastructure = await existingCluster(session);
  const { argument: name = '' } = options;
  const host = infrastructure.hosts.find((one) => one.name === name || one.address === name);
  if (host === undefined) {
    checkIsAskedFor(session, name);
    session.reporter.tell(
      { event: 'replace.missing', host: name },
      `  ${name} is not there: it is made`,
    );
  } else {
    await confirmReplacement(host, options, surroundings);
    await takeAway(session, infrastructure, host, surroundings);
  }
  throwIfInterrupted(surroundings);
  await deploy(session, options, surroundings);
  session.reporter.tell({ event: 'replace.done', host: name }, `${name} is replaced`);
}

/** One that the configuration asks for and that is not there burned, and is made like any that is missing. */
function checkIsAskedFor({ configuration }: Pick<Session, 'configuration'>, name: string): void {
  const names = Object.values(askedFor(configuration)).flat();
  if (names.includes(name)) return;
  throw new OperationError(
    'INSTALLER_USAGE',
    `the cluster has no host ${name}; it has ${names.join(', ')}`,
  );
}

async function confirmReplacement(
  { name, role }: ProvidedHost,
  { yes = false }: CommonOptions,
  { confirm }: Pick<Surroundings, 'confirm'>,
): Promise<void> {
  if (yes) return;
  if (confirm === undefined) {
    throw new OperationError(
      'INSTALLER_USAGE',
      `what ${name} holds goes, and nobody can be asked whether that is meant; say so with --yes`,
    );
  }
  const what = role === 'master' ? 'The others serve meanwhile' : 'Its tasks start elsewhere';
  if (!(await confirm(`Replace ${name}? ${what}; what the host holds goes.`)))
    throw new OperationError('INSTALLER_DECLINED', 'nothing was changed');
}

async function takeAway(
  session: Session,
  infrastructure: Infrastructure,
  host: ProvidedHost,
  surroundings: Surroundings,
): Promise<void> {
  const { configuration, provider, reporter } = session;
  const cluster = clusterOf(configuration, infrastructure);
  const release = await session.release();
  const { hosts } = await connectHosts(cluster, infrastructure.hosts, ANY_RELEASE);
  try {
    // What comes in its place would not be given it, and this one would be gone.
    await refuseOtherRelease(hosts, release);
    if (host.role !== 'master') return await takeOut([host], hosts, session, surroundings);
    const others = hosts.filter(({ place }) => place.role === 'master' && place.name !== host.name);
    await checkMajority(host, others, askedFor(configuration).master.length);
    const own = hosts.find(({ place }) => place.name === host.name);
    for (const { name } of own?.wanted.units.toReversed() ?? []) {
      const text = `stop ${name}`;
      reporter.tell(
        { event: 'host.leaving', host: host.name, text },
        `  ${host.name.padEnd(12)} ${text}`,
      );
      await own?.connection.run(['systemctl', 'stop', '--quiet', `${name}.service`]);
    }
    await provider.remove([host], (text) =>
      reporter.tell({ event: 'infrastructure.removed', text }, `  ${text}`),
    );
  } finally {
    await closeHosts(hosts);
  }
}

/** Without this master the others have to decide, and hold all that was decided. */
async function checkMajority(
  host: ProvidedHost,
  others: readonly ConnectedHost[],
  masters: number,
): Promise<void> {
  const problems: string[] = [];
  await Promise.all(
    others.map(async ({ place, connection, wanted }) => {
      for (const unit of wanted.units) {
        const question = { readiness: unit.readiness, timeoutMs: HEALTHY_TIMEOUT_MS };
        const problem = await waitUntilReady(connection, question);
        if (problem === undefined) continue;
        problems.push(`${place.name}: ${unit.name}: ${problem}`);
        return;
      }
    }),
  );
  const healthy = others.length - problems.length;
  const needed = Math.floor(masters / 2) + 1;
  if (healthy >= needed) return;
  const why = problems.map((problem) => `\n${problem}`).join('');
  const remedy =
    masters === 1
      ? 'it holds all that the cluster knows: installer backup, destroy, deploy, restore'
      : 'mend the others first';
  throw new OperationError(
    'MASTERS_NOT_HEALTHY',
    `without ${host.name} there are ${counted(healthy, 'healthy master')} of ${masters}, ${needed} are needed; ${remedy}${why}`,
  );
}
