/**
 * `deploy`: makes the cluster as the configuration says, or brings the one that is there into that state. Run again it
 * changes nothing; cut short anywhere it goes on where it was.
 */

import { OperationError } from '@dcos/base';
import { restartsMaster, type Step } from '../core/plan.ts';
import { counted, shortHash, stepDetails, stepText } from '../core/plan-text.ts';
import { clusterReadiness } from '../core/wanted-host.ts';
import { executePlan, type StepEvent } from '../hosts/execute-plan.ts';
import { passGate } from '../hosts/pass-gate.ts';
import { performStep, READY_TIMEOUT_MS } from '../hosts/perform-step.ts';
import { unitReport, waitUntilReady } from '../hosts/readiness.ts';
import { onAll } from '../hosts/side-by-side.ts';
import type { Release } from '../hosts/release.ts';
import { ReleaseRelay } from '../hosts/release-relay.ts';
import {
  clusterOf,
  closeHosts,
  connectHosts,
  leadersOf,
  planFor,
  urlsOf,
  type ConnectedHost,
  type UnreachableHost,
} from './converge.ts';
import { checkHosts } from './preflight.ts';
import type { Cluster } from '../core/cluster.ts';
import { tellAuthority, tellCertificates } from './tell-certificates.ts';
import type { Progress } from '../providers/provider.ts';
import type { Reporter } from './reporter.ts';
import { throwIfInterrupted } from './interrupted.ts';
import type { CommonOptions, Session, Surroundings } from './session.ts';
import { confirmTakingOut, takeOut } from './take-out.ts';

/** Steps at a time, over all hosts. */
const PARALLEL_MAX = 20;

export async function deploy(
  session: Session,
  options: CommonOptions,
  surroundings: Surroundings,
): Promise<void> {
  const { configuration, provider, reporter } = session;
  const startedMs = performance.now();
  const release = await session.release();
  const changes = await provider.changes();
  if (changes.some(({ action }) => action === 'remove')) {
    const found = await provider.existing();
    await confirmTakingOut(found?.leaving ?? [], options, surroundings);
  }
  // Known from the first moment on, so that it can be removed whatever happens next.
  session.keep();
  const progress: Progress = (text) =>
    reporter.tell({ event: 'infrastructure.changed', text }, `  ${text}`);
  const infrastructure = await provider.ensure(progress);
  throwIfInterrupted(surroundings);
  const cluster = clusterOf(configuration, infrastructure);
  const connected = await connectHosts(cluster, infrastructure.hosts, release, {
    nowMs: Date.now(),
    issues: true,
  });
  const { hosts, unreachable } = connected;
  try {
    tellUnreachable(unreachable, reporter);
    await checkHosts(connected, reporter);
    needMasters(unreachable);
    tellCertificates(hosts, reporter);
    await refuseOtherRelease(hosts, release);
    await infrastructure.claim?.(progress);
    const steps = await planFor(hosts);
    if (unreachable.some(({ place }) => place.role === 'master') && restartsMaster(steps, hosts)) {
      throw new OperationError(
        'INSTALLER_HOSTS_MISSING',
        'a master cannot be reached, and others would have to start again: that might cost the cluster its majority. Mend it and run again',
      );
    }
    reporter.detail(
      { event: 'preflight.done', hosts: hosts.length, steps: steps.length },
      `  ${counted(hosts.length, 'host')} fit, ${counted(steps.length, 'step')} to do`,
    );
    await execute(steps, hosts, { cluster, release, reporter, surroundings, soakMs: 0 });
    // New hosts serve by now and take what these ran.
    await takeOut(infrastructure.leaving, hosts, session, surroundings);
    await postflight(hosts, cluster, reporter);
    if (unreachable.length > 0) {
      throw new OperationError(
        'INSTALLER_HOSTS_MISSING',
        `${counted(unreachable.length, 'host')} could not be reached; all others are as wanted. Mend it and run again`,
      );
    }
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    const isUnchanged = steps.length === 0 && changes.length === 0;
    const urls = urlsOf(configuration, infrastructure);
    const done = {
      event: 'deploy.done',
      changed: steps.length + changes.length,
      urls,
    };
    reporter.tell(
      done,
      isUnchanged ? 'no change: the cluster is as the configuration says' : `done in ${seconds} s`,
    );
    tellAuthority(connected.authority, reporter);
    for (const url of urls) reporter.tell({ event: 'cluster.url', url }, `ready ${url}`);
  } finally {
    await closeHosts(hosts);
  }
}

/** A cluster that serves goes to another release by "upgrade", which watches it and can go back. */
export async function refuseOtherRelease(
  hosts: readonly ConnectedHost[],
  { hash }: Release,
): Promise<void> {
  const other = hosts.find(
    ({ facts }) => facts.activeRelease !== undefined && facts.activeRelease !== hash,
  );
  if (other === undefined || (await leadersOf(hosts)).master === undefined) return;
  throw new OperationError(
    'INSTALLER_OTHER_RELEASE',
    `${other.place.name} has the release ${shortHash(other.facts.activeRelease)}, and this is ${shortHash(hash)}; nothing was changed. "installer upgrade" brings the whole cluster to this one; "installer upgrade --back" takes hosts of an upgrade that was cut short back`,
  );
}

/** The cluster can do without an agent meanwhile; its masters decide together. */
export function tellUnreachable(unreachable: readonly UnreachableHost[], reporter: Reporter): void {
  for (const { place, problem } of unreachable) {
    reporter.problem(
      { event: 'host.unreachable', host: place.name, problem },
      `  ${place.name}: ${problem}`,
    );
  }
}

function needMasters(unreachable: readonly UnreachableHost[]): void {
  if (unreachable.some(({ place }) => place.role === 'master')) {
    throw new OperationError(
      'INSTALLER_HOSTS_MISSING',
      'a master cannot be reached; nothing was installed',
    );
  }
}

export interface ExecuteContext {
  readonly cluster: Cluster;
  /** What is pushed; nothing is where no step pushes. */
  readonly release?: Release;
  readonly reporter: Reporter;
  readonly surroundings: Surroundings;
  /** How long a host has to stay up before the next one. */
  readonly soakMs: number;
}

/** @throws OperationError `INSTALLER_STEPS_FAILED`, `INSTALLER_INTERRUPTED` */
export async function execute(
  steps: readonly Step[],
  hosts: readonly ConnectedHost[],
  { cluster, release, reporter, surroundings, soakMs }: ExecuteContext,
): Promise<void> {
  const agents = hosts.filter(({ place }) => place.role !== 'master').length;
  const byName = new Map(hosts.map((host) => [host.place.name, host]));
  const relay = new ReleaseRelay(steps.filter(({ kind }) => kind === 'release').length);
  const run = executePlan(steps, {
    parallelMax: PARALLEL_MAX,
    signal: surroundings.signal,
    onEvent: (event) => tellStep(event, reporter),
    async perform(step) {
      const host = byName.get(step.host);
      if (host === undefined) throw new Error(`no host ${step.host}`);
      if (step.kind === 'gate') {
        const watched = hosts
          .filter(({ place }) => step.watched.includes(place.name))
          .map(({ place: { name }, connection, wanted: { units } }) => ({
            name,
            connection,
            units,
          }));
        const readiness = clusterReadiness(cluster, agents);
        const { signal } = surroundings;
        await passGate({ readiness, asked: host.connection, watched, soakMs, signal });
        return;
      }
      await performStep(step, {
        connection: host.connection,
        place: host.place,
        ...(release !== undefined && { push: { release, relay } }),
        onProgress: (text) =>
          reporter.detail(
            { event: 'step.progress', host: step.host, step: step.id, text },
            `  ${step.host.padEnd(12)} ${stepText(step)}: ${text}`,
          ),
      });
    },
  });
  try {
    await run;
  } finally {
    await relay.close();
  }
  const { failed, held } = await run;
  throwIfInterrupted(surroundings);
  if (failed.length > 0) {
    const rest = held.length > 0 ? `, ${counted(held.length, 'step')} behind held up` : '';
    throw new OperationError(
      'INSTALLER_STEPS_FAILED',
      `${counted(failed.length, 'step')} failed${rest}; mend it and run again`,
    );
  }
}

function tellStep(event: StepEvent, reporter: Reporter): void {
  const { kind, step } = event;
  const facts = { host: step.host, step: step.id, text: stepText(step) };
  const label = `  ${step.host.padEnd(12)} ${stepText(step)}`;
  switch (kind) {
    case 'begun':
      reporter.detail({ event: 'step.begun', ...facts }, `${label} …`);
      return;
    case 'done':
      reporter.tell(
        { event: 'step.done', ...facts, tookMs: Math.round(event.tookMs) },
        `${label.padEnd(60)} ${(event.tookMs / 1000).toFixed(1)} s`,
      );
      for (const line of stepDetails(step))
        reporter.detail({ event: 'step.detail', ...facts, line }, `${' '.repeat(15)}${line}`);
      return;
    case 'failed':
      reporter.problem(
        { event: 'step.failed', ...facts, problem: event.problem },
        `${label}: failed: ${event.problem}`,
      );
  }
}

/** Every unit of every host serves, and all of them together are a cluster. */
export async function postflight(
  hosts: readonly ConnectedHost[],
  cluster: Cluster,
  reporter: Reporter,
): Promise<void> {
  const units = hosts.flatMap(({ place, connection, wanted }) =>
    wanted.units.map((unit) => ({ place, connection, unit })),
  );
  const answers = await onAll(units, async ({ connection, unit: { name, readiness } }) => {
    const question = { readiness, unit: name, timeoutMs: READY_TIMEOUT_MS };
    const problem = await waitUntilReady(connection, question);
    return problem && `${name} does not serve: ${problem}\n${await unitReport(connection, name)}`;
  });
  const problems = answers.flatMap(([{ place }, problem]) =>
    problem === undefined ? [] : [`${place.name}: ${problem}`],
  );
  const master = hosts.find(({ place }) => place.role === 'master');
  if (problems.length === 0 && master !== undefined) {
    const agents = hosts.filter(({ place }) => place.role !== 'master').length;
    const readiness = clusterReadiness(cluster, agents);
    const question = { readiness, timeoutMs: READY_TIMEOUT_MS };
    const problem = await waitUntilReady(master.connection, question);
    if (problem !== undefined) problems.push(`the cluster: ${problem}`);
  }
  for (const problem of problems)
    reporter.problem({ event: 'postflight.failed', problem }, `  ${problem}`);
  if (problems.length > 0) {
    throw new OperationError(
      'INSTALLER_POSTFLIGHT',
      `installed, but ${counted(problems.length, 'part')} of the cluster do not serve`,
    );
  }
}
