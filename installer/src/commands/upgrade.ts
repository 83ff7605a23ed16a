/**
 * `upgrade`: the cluster goes to another release, one master at a time, the leading one last, then agents in small groups.
 * The release is on all hosts before the first of them changes. After each round the cluster has to be whole, and what was
 * started has to stay up; if not, all hosts that have changed go back by themselves, with the configuration that they had.
 * Cut short anywhere, it goes on when it is run again.
 */

import { errorText, OperationError, operationErrorCode } from '@dcos/base';
import type { Cluster } from '../core/cluster.ts';
import { AGENTS_AT_A_TIME, hostsThatGoBack, isBetweenReleases, planBack } from '../core/plan.ts';
import { counted, shortHash } from '../core/plan-text.ts';
import { clusterReadiness } from '../core/wanted-host.ts';
import { waitUntilReady } from '../hosts/readiness.ts';
import type { Release } from '../hosts/release.ts';
import {
  ANY_RELEASE,
  closeHosts,
  clusterOf,
  connectHosts,
  leadersOf,
  planFor,
  unusableHosts,
  type ConnectedHost,
} from './converge.ts';
import { execute, postflight, tellUnreachable, type ExecuteContext } from './deploy.ts';
import { existingCluster } from './existing.ts';
import { throwIfInterrupted } from './interrupted.ts';
import { checkHosts } from './preflight.ts';
import type { CommonOptions, Session, Surroundings } from './session.ts';

export interface UpgradeOptions extends CommonOptions {
  readonly back?: boolean;
  readonly rollback?: boolean;
  readonly agentsAtATime?: string;
  readonly soak?: string;
}

/** Programs that end by themselves have mostly done so by then. */
const SOAK_SECONDS = 30;
/** Of a cluster that is to be changed, and should be whole already. */
const WHOLE_TIMEOUT_MS = 30_000;

interface Run extends ExecuteContext {
  readonly session: Session;
  readonly agentsAtATime: number;
  /** Whether hosts go back when the release does not serve. */
  readonly fallsBack: boolean;
}

/** @throws OperationError `INSTALLER_WENT_BACK` when the release does not serve and the hosts have the former one again. */
export async function upgrade(
  session: Session,
  options: UpgradeOptions,
  surroundings: Surroundings,
): Promise<void> {
  const { reporter } = session;
  const agentsAtATime = countOf('--agents-at-a-time', options.agentsAtATime, AGENTS_AT_A_TIME);
  if (agentsAtATime === 0)
    throw new OperationError('INSTALLER_USAGE', '--agents-at-a-time is 1 at least');
  const soakMs = countOf('--soak', options.soak, SOAK_SECONDS) * 1000;
  const infrastructure = await existingCluster(session);
  const cluster = clusterOf(session.configuration, infrastructure);
  const release = options.back === true ? undefined : await session.release();
  const wish = { nowMs: Date.now(), issues: release !== undefined };
  const places = infrastructure.hosts;
  const connected = await connectHosts(cluster, places, release ?? ANY_RELEASE, wish);
  const { hosts } = connected;
  const unreachable = unusableHosts(connected);
  const fallsBack = options.rollback !== false;
  const run = { cluster, session, reporter, surroundings, soakMs, agentsAtATime, fallsBack };
  try {
    tellUnreachable(unreachable, reporter);
    if (unreachable.length > 0) {
      throw new OperationError(
        'INSTALLER_HOSTS_MISSING',
        'a cluster is upgraded as a whole: mend the hosts that cannot be reached, or take them out; nothing was changed',
      );
    }
    if (release === undefined) {
      const going = hostsThatGoBack(hosts);
      if (going.length === 0) {
        throw new OperationError(
          'INSTALLER_USAGE',
          'no host has a release that it could go back to; nothing was changed',
        );
      }
      await goBack(going, hosts, run);
      reporter.tell({ event: 'upgrade.back' }, 'done: the hosts have the release before');
    } else {
      await checkHosts(connected, reporter);
      await goTo(release, hosts, run);
    }
  } finally {
    await closeHosts(hosts);
  }
}

function countOf(flag: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (!/^\d{1,5}$/.test(text))
    throw new OperationError('INSTALLER_USAGE', `${flag} is a number, not ${text}`);
  return Number(text);
}

async function goTo(
  release: Release,
  hosts: readonly ConnectedHost[],
  { session, agentsAtATime, fallsBack, ...context }: Run,
): Promise<void> {
  const { cluster, reporter, surroundings } = context;
  const name = shortHash(release.hash);
  await beWhole(hosts, cluster, release.hash);
  const steps = await planFor(hosts, agentsAtATime);
  const from = [...new Set(hosts.map(({ facts }) => shortHash(facts.activeRelease)))].join(', ');
  reporter.tell(
    { event: 'upgrade.begun', from, to: release.hash, version: release.version },
    `  from ${from} to ${name} (${release.version}): ${counted(steps.length, 'step')}`,
  );
  try {
    await execute(steps, hosts, { ...context, release });
    await postflight(hosts, cluster, reporter);
  } catch (error) {
    throwIfInterrupted(surroundings);
    if (!fallsBack || operationErrorCode(error) === undefined) throw error;
    await fallBack(error, release, { session, agentsAtATime, fallsBack, ...context });
  }
  session.keep();
  reporter.tell(
    { event: 'upgrade.done', changed: steps.length, release: release.hash },
    `${steps.length === 0 ? 'no change' : 'done'}: all hosts have the release ${name}`,
  );
}

/** A host that an interrupted run left in the middle is what this run mends: it need not serve. */
async function beWhole(
  hosts: readonly ConnectedHost[],
  cluster: Cluster,
  hash: string,
): Promise<void> {
  const needed = hosts.filter(
    ({ place, facts }) => place.role === 'master' || facts.activeRelease !== hash,
  );
  const problem = await wholenessProblem(needed, cluster, WHOLE_TIMEOUT_MS);
  if (problem === undefined) return;
  const isBegun = hosts.some(
    ({ facts }) => isBetweenReleases(facts) || facts.activeRelease === hash,
  );
  const remedy = isBegun
    ? '; "installer upgrade --back" takes back the hosts that a former run had reached'
    : '';
  throw new OperationError(
    'INSTALLER_UNHEALTHY',
    `the cluster is not whole, and is not upgraded like this: ${problem}. "installer doctor" says why${remedy}; nothing was changed`,
  );
}

/** Why these hosts are no whole cluster; undefined when they are, or when nobody can be asked. */
async function wholenessProblem(
  hosts: readonly ConnectedHost[],
  cluster: Cluster,
  timeoutMs: number,
): Promise<string | undefined> {
  const master = hosts.find(({ place }) => place.role === 'master');
  const agents = hosts.filter(({ place }) => place.role !== 'master');
  const readiness = clusterReadiness(cluster, agents.length);
  return master && (await waitUntilReady(master.connection, { readiness, timeoutMs }));
}

async function goBack(
  going: readonly ConnectedHost[],
  hosts: readonly ConnectedHost[],
  { agentsAtATime, ...context }: Omit<Run, 'session' | 'fallsBack'>,
): Promise<void> {
  const leaders = await leadersOf(hosts);
  const broken = await brokenHosts(going);
  const states = hosts.map((host) => {
    if (going.includes(host)) return host;
    const { formerRelease: _kept, ...facts } = host.facts;
    return { ...host, facts };
  });
  const isWhole = (await wholenessProblem(hosts, context.cluster, 0)) === undefined;
  await execute(planBack(states, broken, { leaders, agentsAtATime, isWhole }), hosts, context);
}

/** Names of those of which a unit does not serve now. */
async function brokenHosts(hosts: readonly ConnectedHost[]): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const { place, connection, wanted } of hosts) {
    for (const { readiness } of wanted.units) {
      const problem = await waitUntilReady(connection, { readiness, timeoutMs: 0 });
      if (problem !== undefined) found.add(place.name);
    }
  }
  return found;
}

/** Takes all hosts back that have the release; always throws. */
async function fallBack(
  reason: unknown,
  { hash }: Pick<Release, 'hash'>,
  { session, ...run }: Run,
): Promise<never> {
  const infrastructure = await existingCluster(session);
  const { hosts } = await connectHosts(run.cluster, infrastructure.hosts, ANY_RELEASE);
  try {
    const going = hosts.filter(
      ({ facts }) =>
        isBetweenReleases(facts) ||
        (facts.activeRelease === hash && facts.formerRelease !== undefined),
    );
    // What failed was preparation: nobody noticed it, and the next run goes on.
    if (going.length === 0) throw reason;
    const why = errorText(reason);
    run.reporter.problem(
      { event: 'upgrade.failed', release: hash, problem: why },
      `  the release ${shortHash(hash)} does not serve, ${counted(going.length, 'host')} will go back: ${why}`,
    );
    await goBack(going, hosts, run);
  } finally {
    await closeHosts(hosts);
  }
  throw new OperationError(
    'INSTALLER_WENT_BACK',
    `the release ${shortHash(hash)} does not serve (see above); all hosts have the release before again`,
  );
}
