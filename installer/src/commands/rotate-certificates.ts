/**
 * `rotate-certificates`: gives every host another certificate, whatever is left of the one that it has. With `--authority`
 * the authority is exchanged, in the stages of `core/certificates.ts`; each is at its end when every component shows what
 * its host has now. Cut short anywhere, the next run goes on from the stage that the masters know of.
 *
 * Invariant: nothing else changes. A cluster that is not as its configuration says is left alone.
 */

import { OperationError } from '@dcos/base';
import { isOfCertificates } from '../core/certificate-steps.ts';
import type { AuthorityStage } from '../core/certificates.ts';
import type { Cluster } from '../core/cluster.ts';
import { counted } from '../core/plan-text.ts';
import { nextStage, type AuthorityState } from '../hosts/authority.ts';
import { hasZooKeeper } from '../hosts/has-zookeeper.ts';
import { onAll } from '../hosts/side-by-side.ts';
import type { Infrastructure } from '../providers/provider.ts';
import {
  clusterOf,
  closeHosts,
  connectHosts,
  planFor,
  unusableHosts,
  type CertificateWish,
  type Connected,
  type ConnectedHost,
} from './converge.ts';
import { execute, postflight } from './deploy.ts';
import { existingCluster } from './existing.ts';
import { throwIfInterrupted } from './interrupted.ts';
import { checkHosts } from './preflight.ts';
import type { CommonOptions, Session, Surroundings } from './session.ts';

export interface RotateOptions extends CommonOptions {
  readonly authority?: boolean;
  /** Ends when all trust the next authority. */
  readonly introduce?: boolean;
}

const STAGES: Readonly<Record<AuthorityStage, string>> = {
  introduced: 'all trust the next authority, too',
  adopted: 'all show certificates of the next authority',
  steady: 'all trust the new authority alone',
};

interface Rotation {
  readonly session: Session;
  readonly surroundings: Surroundings;
  readonly cluster: Cluster;
  readonly infrastructure: Infrastructure;
}

/** @throws OperationError `INSTALLER_USAGE` for a cluster without TLS, `INSTALLER_DIFFERS`, `INSTALLER_OTHER_RELEASE`, `INSTALLER_HOSTS_MISSING`. */
export async function rotateCertificates(
  session: Session,
  options: RotateOptions,
  surroundings: Surroundings,
): Promise<void> {
  const { configuration, reporter } = session;
  if (!configuration.settings.tls) {
    throw new OperationError('INSTALLER_USAGE', 'the cluster has no certificates: tls is false');
  }
  const infrastructure = await existingCluster(session);
  const cluster = clusterOf(configuration, infrastructure);
  const rotation = { session, surroundings, cluster, infrastructure };
  if (options.introduce === true) await introduceAuthority(rotation);
  else if (options.authority === true) await exchangeAuthority(rotation);
  else await round(rotation, { isForced: true });
  const done =
    options.introduce === true ? STAGES.introduced : 'every component shows another certificate';
  reporter.tell({ event: 'rotate.done' }, `done: ${done}`);
}

/** Clients outside can be given the next authority from then on, before anybody shows what it signed. */
async function introduceAuthority(rotation: Rotation): Promise<void> {
  const authority = await round(rotation, {});
  if (authority.stage === 'steady') await advance(rotation, authority);
  rotation.session.reporter.tell(
    { event: 'rotate.introduced' },
    '  give clients the authorities anew (/ca/dcos-ca.crt), then: installer rotate-certificates --authority',
  );
}

async function exchangeAuthority(rotation: Rotation): Promise<void> {
  // One that was cut short is brought to the end of its stage first.
  let authority = await round(rotation, {});
  do authority = await advance(rotation, authority);
  while (authority.stage !== 'steady');
}

/** Resolves at the end of the next stage. */
async function advance(rotation: Rotation, from: AuthorityState): Promise<AuthorityState> {
  const { session, surroundings, cluster } = rotation;
  throwIfInterrupted(surroundings);
  const next = await nextStage(from, cluster.settings.name, Date.now());
  const { stage, generation } = await round(rotation, { authority: next });
  session.reporter.tell({ event: 'rotate.stage', stage, generation }, `  ${STAGES[stage]}`);
  return next;
}

/** Brings all hosts into one state of the authority; resolves when every component shows what its host has. */
async function round(
  { session, surroundings, cluster, infrastructure }: Rotation,
  wish: Partial<CertificateWish>,
): Promise<AuthorityState> {
  const { reporter } = session;
  const connected = await connectHosts(cluster, infrastructure.hosts, 'active', {
    nowMs: Date.now(),
    issues: true,
    ...wish,
  });
  const { hosts, authority } = connected;
  try {
    refuseMissing(connected);
    await checkHosts(connected, reporter);
    await refuseOtherZooKeeper(hosts);
    const steps = await planFor(hosts);
    const others = steps.filter((step) => !isOfCertificates(step));
    if (authority === undefined || others.length > 0) {
      throw new OperationError(
        'INSTALLER_DIFFERS',
        `the cluster differs from its configuration in ${counted(others.length, 'thing')} beside certificates; "installer plan" shows them, "installer deploy" mends them`,
      );
    }
    await execute(steps, hosts, { cluster, reporter, surroundings, soakMs: 0 });
    await postflight(hosts, cluster, reporter);
    return authority;
  } finally {
    await closeHosts(hosts);
  }
}

/** It starts again for its certificate, by a unit of this installer: what that starts has to be there. */
async function refuseOtherZooKeeper(hosts: readonly ConnectedHost[]): Promise<void> {
  const masters = hosts.filter(({ place }) => place.role === 'master');
  const found = await onAll(masters, async ({ connection }) => await hasZooKeeper(connection));
  const without = found.filter(([, has]) => !has).map(([{ place }]) => place.name);
  if (without.length === 0) return;
  throw new OperationError(
    'INSTALLER_OTHER_RELEASE',
    `the release in use brings another ZooKeeper than this installer knows (${without.join(', ')}); nothing was changed. "installer upgrade" first, or take the installer of that release`,
  );
}

/** Whoever is away would come back with what nobody accepts any more. */
function refuseMissing(connected: Connected): void {
  const unusable = unusableHosts(connected);
  if (unusable.length === 0) return;
  const lines = unusable.map(({ place, problem }) => `${place.name}: ${problem}`);
  throw new OperationError(
    'INSTALLER_HOSTS_MISSING',
    `not every host can be reached; mend that and run it again:\n${lines.join('\n')}`,
  );
}
