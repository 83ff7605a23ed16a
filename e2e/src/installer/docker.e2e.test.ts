/**
 * The installer with hosts in containers: from nothing to a cluster that serves an app, through kills, a second run at the
 * same time and a port that somebody holds; then to nothing again.
 */

import { execFileSync } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dockerImage, temporaryDirectory, waitFor, workspaceRoot } from '@dcos/testkit';
import { DEMO_IMAGE, engine } from '../engine.ts';
import { installerOf, saidBy, type InstallerRun } from './installer-run.ts';

const facility = dockerImage(DEMO_IMAGE);
const PATIENCE_MS = 120_000;
/** Kills of one deployment; more with E2E_NIGHTLY=1. */
const KILLS = process.env['E2E_NIGHTLY'] === '1' ? 20 : 2;
const NAME = `e2e-${process.pid}`;
const CLUSTER = { label: [`dcos.cluster=${NAME}`] };
/** Three of four hosts are agents. */
const HOSTS = 4;

const directory = temporaryDirectory('installer');
const config = join(directory.path, 'cluster.yaml');
let url = '';
/** What packet filters name for as long as the cluster is there: its network's bridge and its addresses. */
let marks: readonly string[] = [];

const run = installerOf({ directory: directory.path, config });

/** A run that is killed when it has told of so many changes; undefined when it ended before. */
async function killedAfter(changes: number): Promise<boolean> {
  let seen = 0;
  const { code } = await run(['deploy'], ({ event }) => {
    if (!['infrastructure.changed', 'step.begun', 'step.done'].includes(event)) return undefined;
    seen += 1;
    return seen === changes ? 'kill' : undefined;
  });
  return code === null;
}

async function inHost(name: string, ...command: readonly string[]): Promise<void> {
  execFileSync('docker', ['exec', `dcos-${NAME}-${name}`, ...command]);
}

/**
 * How often systemd started components of a host again that had ended by themselves. One that leads ends when it is no
 * longer sure to, as on a machine that stood still for seconds; that is no matter of the order in which they start.
 */
function endsOf(name: string): number {
  const command = ['journalctl', '--no-pager', '--output=cat', '--unit=dcos-*'];
  const log = execFileSync('docker', ['exec', `dcos-${NAME}-${name}`, ...command], {
    encoding: 'utf8',
  });
  const linesWith = (text: string): number =>
    log.split('\n').filter((line) => line.includes(text)).length;
  return linesWith('Scheduled restart job') - linesWith('leadership was lost","msg"');
}

/** Steps that were done, in a fixed order. */
function stepsOf({ events }: InstallerRun): readonly string[] {
  return events
    .filter(({ event }) => event === 'step.done')
    .map(({ step }) => String(step))
    .sort();
}

interface Task {
  readonly id: string;
  readonly state: string;
  readonly startedAt: string;
}

/** Which instance runs since when, in a fixed order. */
async function runningTasks(): Promise<readonly string[]> {
  const answer = await fetch(`${url}/service/marathon/v2/apps/oinker/tasks`);
  const { tasks } = (await answer.json()) as { readonly tasks: readonly Task[] };
  return tasks
    .filter(({ state }) => state === 'TASK_RUNNING')
    .map(({ id, startedAt }) => `${id} since ${startedAt}`)
    .sort();
}

/** Lines of packet filters, of all their tables, that are there because of the cluster. */
function filterLines(): readonly string[] {
  const text = execFileSync('iptables-save', { encoding: 'utf8' });
  return text.split('\n').filter((line) => marks.some((mark) => line.includes(mark)));
}

describe.skipIf(!facility.available)(`the installer with containers${facility.note}`, () => {
  beforeAll(() => {
    writeFileSync(config, `name: ${NAME}\nprovider: docker\ndocker:\n  outbound: false\n`);
  });
  afterAll(async () => {
    await run(['destroy', '--yes']);
    directory.remove();
  });

  test('a deployment that was killed once its hosts were there tells of ports that are taken', async () => {
    const first = await run(['deploy'], ({ event }) =>
      event === 'preflight.done' ? 'kill' : undefined,
    );
    expect(first.code, saidBy(first)).toBeNull();
    // As servers do, it takes up a port of which a connection has ended just now.
    const listener =
      'import socket,time; s=socket.create_server(("0.0.0.0", PORT)); time.sleep(3600)';
    const listen = async (host: string, port: number): Promise<void> =>
      await inHost(
        host,
        'systemd-run',
        '--quiet',
        '--unit=squatter',
        'python3',
        '-c',
        listener.replace('PORT', String(port)),
      );
    await listen('master-1', 5050);
    await listen('private-2', 5051);
    const refused = await waitFor(
      'both ports to be held',
      async () => {
        const again = await run(['deploy']);
        return (
          again.events.filter(({ event }) => event === 'preflight.failed').length === 2 && again
        );
      },
      PATIENCE_MS,
    );
    expect(refused.code).toBe(4);
    expect(
      refused.events
        .filter(({ event }) => event === 'preflight.failed')
        .map(({ host, reason }) => `${String(host)}: ${String(reason)}`),
    ).toEqual([
      'master-1: port 5050 of dcos-mesos-master is in use',
      'private-2: port 5051 of dcos-mesos-slave is in use',
    ]);
    await inHost('master-1', 'systemctl', 'stop', 'squatter');
    await inHost('private-2', 'systemctl', 'stop', 'squatter');
  });

  test(`a deployment that is killed ${KILLS} times is gone on with each time`, async () => {
    for (let kills = 0; kills < KILLS;) {
      if (await killedAfter(1 + ((kills * 7) % 17))) kills += 1;
      // There was nothing left to kill it at.
      else await run(['destroy', '--yes']);
    }
    let second: Promise<InstallerRun> | undefined;
    const last = await run(['deploy'], () => {
      second ??= run(['deploy']);
      return undefined;
    });
    expect(last.code, saidBy(last)).toBe(0);
    // The one that came while the other was at it.
    const refused = await second;
    expect(refused?.code).toBe(5);
    expect(await engine.listContainers({ all: true, filters: CLUSTER })).toHaveLength(HOSTS);
    const networks = await engine.listNetworks({ filters: CLUSTER });
    expect(networks).toHaveLength(1);
    const subnet = networks[0]?.IPAM?.Config?.[0]?.Subnet ?? '';
    expect(subnet).toMatch(/\.0\/24$/);
    marks = [`br-${networks[0]?.Id.slice(0, 12)}`, subnet.slice(0, -'0/24'.length)];
    url = String(last.events.find(({ event }) => event === 'cluster.url')?.['url']);
    for (const host of ['master-1', 'private-1', 'private-2', 'public-1'])
      expect([host, endsOf(host)]).toEqual([host, 0]);
  });

  test('the app of the talk is deployed, and answers, at the address that was printed', async () => {
    const created = await fetch(`${url}/service/marathon/v2/apps`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: readFileSync(join(workspaceRoot, 'examples', 'oinker.json')),
    });
    expect(created.status).toBe(201);
    await waitFor('all instances', async () => (await runningTasks()).length === 3, PATIENCE_MS);
    const oinker = `${url}/service/oinker/`;
    await waitFor(
      'an oink to be taken through the router',
      async () => (await fetch(oinker, { method: 'POST', body: 'hello' })).status === 201,
      PATIENCE_MS,
    );
    // Each instance keeps its own.
    await waitFor(
      'the oink to be read',
      async () => {
        const { version, oinks } = (await (await fetch(oinker)).json()) as {
          readonly version: string;
          readonly oinks: readonly { readonly text: string }[];
        };
        return version === '1' && oinks.some(({ text }) => text === 'hello');
      },
      PATIENCE_MS,
    );
    const console_ = await fetch(`${url}/`);
    expect(await console_.text()).toContain('<title>');
  });

  test('another run changes nothing', async () => {
    const unchanged = await run(['deploy']);
    expect(unchanged.code, saidBy(unchanged)).toBe(0);
    expect(stepsOf(unchanged)).toEqual([]);
    expect(unchanged.events.find(({ event }) => event === 'deploy.done')).toMatchObject({
      changed: 0,
    });
  });

  test('a changed setting restarts what it is for; tasks go on', async () => {
    const before = await runningTasks();
    appendFileSync(config, 'privateAgentResources: cpus:5;mem:4096;disk:8192;ports:[1025-32000]\n');
    const changed = await run(['deploy']);
    expect(changed.code, saidBy(changed)).toBe(0);
    expect(stepsOf(changed)).toEqual([
      'private-1/configuration',
      'private-1/dcos-mesos-slave',
      'private-2/configuration',
      'private-2/dcos-mesos-slave',
    ]);
    expect(await runningTasks()).toEqual(before);
  });

  test('a host that does not answer is named, and keeps nothing from the others', async () => {
    const container = engine.getContainer(`dcos-${NAME}-private-2`);
    await container.pause();
    await inHost('master-1', 'rm', '/etc/dcos/role');
    const [sick, deployed] = [await run(['status']), await run(['deploy'])];
    await container.unpause();
    expect([sick.code, deployed.code]).toEqual([6, 1]);
    for (const { events } of [sick, deployed]) {
      const silent = events.filter(({ event }) => event === 'host.unreachable');
      expect(silent.map(({ host }) => host)).toEqual(['private-2']);
    }
    expect(stepsOf(deployed)).toEqual(['master-1/configuration']);
    const again = await run(['deploy']);
    expect(again.code, saidBy(again)).toBe(0);
  });

  test('destroyed, it leaves nothing: no container, network, volume, or line of a packet filter', async () => {
    const containers = await engine.listContainers({ all: true, filters: CLUSTER });
    const volumes = containers.flatMap(({ Mounts }) => Mounts.flatMap(({ Name }) => Name ?? []));
    expect(filterLines().length).toBeGreaterThan(0);
    const destroyed = await run(['destroy', '--yes']);
    expect(destroyed.code, saidBy(destroyed)).toBe(0);
    expect(await engine.listContainers({ all: true, filters: CLUSTER })).toEqual([]);
    expect(await engine.listNetworks({ filters: CLUSTER })).toEqual([]);
    const { Volumes } = await engine.listVolumes();
    expect(Volumes.filter(({ Name }) => volumes.includes(Name))).toEqual([]);
    expect(filterLines()).toEqual([]);
    expect((await run(['destroy', '--yes'])).code).toBe(0);
  });
});
