/**
 * What an operator waits for: from `deploy` until the first app runs, by step, with images and packages present and the
 * release built. `--area=docker` makes its hosts; `--area=ssh` has three; `--area=transfer` holds the way of a release to
 * twenty hosts against that to five. All hosts share this machine: what they do at once costs here what it does not
 * elsewhere. So `--area=line` does the same where the installer's line is what takes the time, as from a laptop (as root).
 */

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dockerImage, sshKeyPair, temporaryDirectory, waitFor } from '@dcos/testkit';
import { engine, HOST_IMAGE, removeOrphans } from '../../e2e/src/engine.ts';
import { Host } from '../../e2e/src/host.ts';
import { HostNetwork } from '../../e2e/src/host-network.ts';
import {
  runInstaller,
  saidBy,
  type InstallerEvent,
  type InstallerRun,
} from '../../e2e/src/installer/installer-run.ts';
import { trustCluster } from '../../e2e/src/installer/trust-cluster.ts';
import { runAreas } from './areas.ts';
import { row, type Row } from './row.ts';
import { Stage } from './failover-stage.ts';

const APP_TIMEOUT_MS = 120_000;
const RESOURCES = 'cpus:2;mem:1024;disk:1024;ports:[31000-31999]';
const FEW_HOSTS = 5;
const MANY_HOSTS = 20;
const LINE_MBIT = 200;

export async function benchmarkInstaller(): Promise<readonly Row[]> {
  const facility = dockerImage(HOST_IMAGE);
  if (!facility.available) return [{ what: 'installer', unavailable: facility.note }];
  await removeOrphans();
  return await runAreas({
    docker: inContainers,
    ssh: bySsh,
    transfer: async () => await transfer(),
    line: async () => await transfer(LINE_MBIT),
  });
}

/** A place for what an installer keeps, with one configuration. */
interface Place {
  readonly directory: string;
  readonly config: string;
}

function makePlace(stage: Stage, document: (directory: string) => unknown): Place {
  const directory = temporaryDirectory('bench-installer');
  stage.add(directory, async () => await Promise.resolve(directory.remove()));
  const config = join(directory.path, 'cluster.yaml');
  // YAML is a superset of JSON.
  writeFileSync(config, JSON.stringify(document(directory.path)));
  return { directory: directory.path, config };
}

/** The first run of a checkout builds its release. Neither it nor what it needs is part of a deployment. */
async function buildRelease(stage: Stage, place: Place): Promise<void> {
  const run = runInstaller(['deploy'], {
    ...place,
    onEvent: ({ event }) => (event === 'infrastructure.changed' ? 'kill' : undefined),
  });
  await stage.step('the release', run);
  await succeeds(stage, place, ['destroy', '--yes']);
}

async function succeeds(
  stage: Stage,
  place: Place,
  words: readonly string[],
  onEvent?: (event: InstallerEvent) => void,
): Promise<InstallerRun> {
  const options = { ...place, ...(onEvent !== undefined && { onEvent }) };
  const run = await stage.step(words.join(' '), runInstaller(words, options));
  if (run.code !== 0) throw new Error(saidBy(run));
  return run;
}

async function inContainers(): Promise<readonly Row[]> {
  const stage = new Stage();
  try {
    const place = makePlace(stage, () => ({
      name: `bench-${process.pid}`,
      provider: 'docker',
      docker: { image: HOST_IMAGE, masters: 1, privateAgents: 2, publicAgents: 1, outbound: false },
    }));
    await buildRelease(stage, place);
    stage.add(place, async () => await runInstaller(['destroy', '--yes'], place));
    return await deployment(stage, place, { name: 'containers, 4 hosts', budget: '30 s' });
  } finally {
    await stage.close();
  }
}

async function bySsh(): Promise<readonly Row[]> {
  const stage = new Stage();
  try {
    const { place } = await hostsBySsh(stage, 3);
    await buildRelease(stage, place);
    return await deployment(stage, place, { name: 'SSH, 3 hosts', budget: '60 s' });
  } finally {
    await stage.close();
  }
}

/** Hosts with sshd and nothing else, the first of them the master to be. */
async function hostsBySsh(
  stage: Stage,
  count: number,
  lineMbit?: number,
): Promise<{ readonly place: Place; readonly hosts: readonly Host[] }> {
  const network = await HostNetwork.create('bench');
  stage.add(network, async () => await network.isRemoved());
  if (lineMbit !== undefined) await narrow(network, lineMbit);
  const names = Array.from({ length: count }, (_, index) => `host-${index + 1}`);
  const boot = async (name: string): Promise<Host> => {
    const host = await Host.boot(network, { name, mounts: {} });
    return stage.add(host, async () => await host.isRemoved());
  };
  const hosts = await stage.step(`${count} hosts`, Promise.all(names.map(boot)));
  let publicKey = '';
  const place = makePlace(stage, (directory) => {
    ({ publicKey } = sshKeyPair(directory, 'key'));
    const [master, ...agents] = hosts.map(({ address }) => address);
    return {
      name: 'bench',
      provider: 'ssh',
      ssh: { keyFile: join(directory, 'key') },
      hosts: { masters: [master], privateAgents: agents },
      privateAgentResources: RESOURCES,
    };
  });
  await stage.step('sshd', Promise.all(hosts.map(async (host) => await host.opensDoor(publicKey))));
  return { place, hosts };
}

/** Bounds what goes from this machine to hosts; among themselves they go on as they were. */
async function narrow({ name }: HostNetwork, mbit: number): Promise<void> {
  const { Id } = (await engine.getNetwork(name).inspect()) as { readonly Id: string };
  const words = ['qdisc', 'replace', 'dev', `br-${Id.slice(0, 12)}`, 'root', 'tbf'];
  execFileSync('tc', [...words, 'rate', `${mbit}mbit`, 'burst', '512kb', 'latency', '50ms']);
}

/** What the last event of a phase is like, in the order of the phases. */
const PHASES: readonly (readonly [string, (event: InstallerEvent) => boolean])[] = [
  ['hosts found or made', ({ event }) => event === 'infrastructure.changed'],
  ['hosts booted, looked at and fit', ({ event }) => event === 'preflight.done'],
  ['release on all hosts', (event) => isStep(event, 'release')],
  ['settings on all hosts', (event) => isStep(event, 'configuration')],
  ['all units serve', (event) => isStep(event, 'dcos-')],
  ['looked at as a whole', ({ event }) => event === 'deploy.done'],
];

function isStep({ event, step }: InstallerEvent, what: string): boolean {
  return event === 'step.done' && String(step).split('/')[1]?.startsWith(what) === true;
}

/** Deploys, then an app; when each phase was at its end, since the beginning. */
async function deployment(
  stage: Stage,
  place: Place,
  { name, budget }: { readonly name: string; readonly budget: string },
): Promise<readonly Row[]> {
  const startedMs = performance.now();
  const sinceStart = (): number => (performance.now() - startedMs) / 1000;
  const ends = new Map<string, number>();
  const run = await succeeds(stage, place, ['deploy'], (event) => {
    for (const [phase, isLast] of PHASES) if (isLast(event)) ends.set(phase, sinceStart());
  });
  const url = String(run.events.find(({ event }) => event === 'cluster.url')?.['url']);
  if (url.startsWith('https:')) await trustCluster(url);
  await stage.step('an app', firstApp(url));
  ends.set('first app runs', sinceStart());
  return [...ends].map(([phase, seconds]) =>
    row(`${name}: ${phase}, after`, 's', [seconds], phase === 'first app runs' ? budget : ''),
  );
}

async function firstApp(url: string): Promise<void> {
  const apps = `${url}/service/marathon/v2/apps`;
  const created = await fetch(apps, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ id: '/first', cmd: 'exec sleep 1000', cpus: 0.1, mem: 16 }),
  });
  if (created.status !== 201) throw new Error(`the app: ${created.status}`);
  await waitFor(
    'the app to run',
    async () => {
      const { app } = (await (await fetch(`${apps}/first`)).json()) as {
        readonly app: { readonly tasksRunning: number };
      };
      return app.tasksRunning === 1;
    },
    APP_TIMEOUT_MS,
  );
}

interface Transfer {
  /** From the first host that is sent the release to the last where it has arrived. */
  readonly arrivedSeconds: number;
  /** The same to the last where it is unpacked. */
  readonly unpackedSeconds: number;
  /** Hosts to which the installer sent it; the others had it from these. */
  readonly sent: number;
}

async function transfer(lineMbit?: number): Promise<readonly Row[]> {
  const few = await transferTo(FEW_HOSTS, lineMbit);
  const many = await transferTo(MANY_HOSTS, lineMbit);
  const line = lineMbit === undefined ? '' : ` over ${lineMbit} Mbit/s`;
  const exponent = (what: (one: Transfer) => number): number =>
    Math.log(what(many) / what(few)) / Math.log(MANY_HOSTS / FEW_HOSTS);
  const rowsOf = (count: number, one: Transfer): readonly Row[] => [
    row(`the release to ${count} hosts by SSH${line}`, 's', [one.arrivedSeconds], ''),
    row(`the same, unpacked`, 's', [one.unpackedSeconds], ''),
    row(`the same, sent by the installer to`, 'hosts', [one.sent], ''),
  ];
  return [
    ...rowsOf(FEW_HOSTS, few),
    ...rowsOf(MANY_HOSTS, many),
    row(`growth with hosts${line}`, 'exponent', [exponent((one) => one.arrivedSeconds)], '0.5'),
    row(
      `growth with hosts${line}, unpacked`,
      'exponent',
      [exponent((one) => one.unpackedSeconds)],
      '',
    ),
  ];
}

async function transferTo(count: number, lineMbit?: number): Promise<Transfer> {
  const stage = new Stage();
  try {
    const { place } = await hostsBySsh(stage, count, lineMbit);
    await buildRelease(stage, place);
    const moments: number[] = [];
    const sent = new Set<unknown>();
    let arrivedMs = 0;
    let has = 0;
    const run = runInstaller(['deploy'], {
      ...place,
      onEvent({ event, step, host, text }) {
        if (!String(step).endsWith('/release')) return undefined;
        moments.push(performance.now());
        if (event === 'step.progress' && text === 'unpack') arrivedMs = performance.now();
        else if (event === 'step.progress') sent.add(host);
        if (event === 'step.done') has += 1;
        return has === count ? 'kill' : undefined;
      },
    });
    const result = await stage.step(`the release to ${count} hosts`, run);
    if (has !== count) throw new Error(saidBy(result));
    const [startedMs = 0] = moments;
    return {
      arrivedSeconds: (arrivedMs - startedMs) / 1000,
      unpackedSeconds: ((moments.at(-1) ?? 0) - startedMs) / 1000,
      sent: sent.size,
    };
  } finally {
    await stage.close();
  }
}
