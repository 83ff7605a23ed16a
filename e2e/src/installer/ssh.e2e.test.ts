/**
 * The installer with hosts that are there already, reached by SSH: three masters and four agents with systemd. Kills, a host
 * that loses its network in the middle of the copy, a second cluster that wants the same hosts, and nothing left at the end.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dockerImage, sshKeyPair, temporaryDirectory, waitFor } from '@dcos/testkit';
import { HOST_IMAGE, removeOrphans } from '../engine.ts';
import { HostNetwork } from '../host-network.ts';
import { Host } from '../host.ts';
import { installerOf, saidBy, type InstallerRun } from './installer-run.ts';
import { trustCluster } from './trust-cluster.ts';

const facility = dockerImage(HOST_IMAGE);
const PATIENCE_MS = 180_000;
/** Kills of one deployment; more with E2E_NIGHTLY=1. */
const KILLS = process.env['E2E_NIGHTLY'] === '1' ? 20 : 2;

interface Size {
  readonly masters: number;
  readonly privateAgents: number;
  readonly publicAgents: number;
}
const SIZE: Size = { masters: 3, privateAgents: 3, publicAgents: 1 };

const directory = temporaryDirectory('installer-ssh');
const config = join(directory.path, 'cluster.yaml');
const hosts: Host[] = [];
let network: HostNetwork;

const addressesOf = (prefix: string): readonly string[] =>
  hosts.filter(({ name }) => name.startsWith(prefix)).map(({ address }) => address);
const first = (prefix: string): Host => {
  const host = hosts.find(({ name }) => name.startsWith(prefix));
  if (host === undefined) throw new Error(`no ${prefix}`);
  return host;
};

async function boot(kind: string, count: number): Promise<void> {
  const names = Array.from({ length: count }, (_, index) => `${kind}-${index + 1}`);
  hosts.push(
    ...(await Promise.all(
      names.map(async (name) => await Host.boot(network, { name, mounts: {} })),
    )),
  );
}

const run = installerOf({ directory: directory.path, config });

/** @param isSmaller without the last of the private agents. */
function writeConfig(name: string, isSmaller = false): void {
  const document = {
    name,
    provider: 'ssh',
    ssh: { keyFile: join(directory.path, 'key'), keepAliveIntervalMs: 4_000 },
    hosts: {
      masters: addressesOf('master'),
      privateAgents: addressesOf('private').slice(0, isSmaller ? -1 : undefined),
      publicAgents: addressesOf('public'),
    },
    privateAgentResources: 'cpus:2;mem:1024;disk:1024;ports:[31000-31999]',
    publicAgentResources: 'cpus:2;mem:1024;disk:1024;ports:[31000-31999]',
  };
  // YAML is a superset of JSON.
  writeFileSync(config, JSON.stringify(document));
}

/** Of the steps that were done, those of one host. */
const stepsOn = ({ events }: InstallerRun, address: string): readonly unknown[] =>
  events
    .filter(({ event, host }) => event === 'step.done' && host === address)
    .map(({ step }) => step);

/** What an installation might leave. */
const TRACES = `
find / -xdev \\( -path /proc -o -path /sys -o -path /tmp -o -path /var/log \\) -prune -o \\
  \\( -name '*dcos*' -o -path '/root/.dcos*' \\) -print
systemctl list-units --all --plain --no-legend 'dcos*'
ps -eo args= | grep -E '[/]opt/dcos|[h]ttp.server|[z]ookeeper' || true
`;

describe.skipIf(!facility.available)(`the installer with hosts by SSH${facility.note}`, () => {
  beforeAll(async () => {
    await removeOrphans();
    network = await HostNetwork.create('ssh');
    await boot('master', SIZE.masters);
    await boot('private', SIZE.privateAgents);
    await boot('public', SIZE.publicAgents);
    const { publicKey } = sshKeyPair(directory.path, 'key');
    await Promise.all(hosts.map(async (host) => await host.opensDoor(publicKey)));
    writeConfig('first');
  });
  afterAll(async () => {
    await Promise.all(hosts.map(async (host) => await host.isRemoved()));
    await network?.isRemoved();
    directory.remove();
  });

  test('a host that loses its network in the middle of the copy holds up no other', async () => {
    const lost = first('private');
    let isParted: Promise<void> | undefined;
    const broken = await run(['deploy', '--verbose'], ({ event, host, step }) => {
      if (event !== 'step.begun' || host !== lost.address) return undefined;
      if (!String(step).endsWith('/release')) return undefined;
      isParted ??= lost.losesNetwork();
      return undefined;
    });
    await isParted;
    expect(broken.code, saidBy(broken)).toBe(1);
    const failed = broken.events.filter(({ event }) => event === 'step.failed');
    expect(failed.map(({ host }) => host)).toEqual([lost.address]);
    await lost.getsNetwork();
    const mended = await waitFor(
      'the host to be reached again',
      async () => {
        const again = await run(['deploy']);
        return again.events.some(({ event }) => event === 'step.done') && again;
      },
      PATIENCE_MS,
    );
    expect(mended.code, saidBy(mended)).toBe(0);
    const touched = mended.events.filter(({ event }) => event === 'step.done');
    expect([...new Set(touched.map(({ host }) => host))]).toEqual([lost.address]);
  });

  test('run again, it changes nothing', async () => {
    const unchanged = await run(['deploy']);
    expect(unchanged.code, saidBy(unchanged)).toBe(0);
    expect(unchanged.events.find(({ event }) => event === 'deploy.done')).toMatchObject({
      changed: 0,
    });
    expect((await run(['status'])).code).toBe(0);
  });

  test('a host that is away from the beginning holds up no other', async () => {
    const [away, idle] = hosts.filter(({ name }) => name.startsWith('private'));
    await away?.does('systemctl', 'stop', 'ssh');
    await idle?.does('systemctl', 'stop', 'dcos-mesos-slave');
    const rest = await run(['deploy']);
    expect(rest.code, saidBy(rest)).toBe(1);
    expect(
      rest.events.filter(({ event }) => event === 'host.unreachable').map(({ host }) => host),
    ).toEqual([away?.address]);
    expect(stepsOn(rest, idle?.address ?? '')).toEqual([`${idle?.address}/dcos-mesos-slave`]);
    await away?.does('systemctl', 'start', 'ssh');
    expect((await run(['status'])).code).toBe(0);
  });

  test('hosts of a cluster are not given to another', async () => {
    writeConfig('second');
    const refused = await run(['deploy']);
    expect(refused.code).toBe(1);
    expect(refused.events.at(-1)).toMatchObject({
      event: 'run.failed',
      code: 'HOST_OF_ANOTHER_CLUSTER',
    });
    expect((await run(['destroy', '--yes'])).code).toBe(1);
    writeConfig('first');
    expect((await run(['status'])).code).toBe(0);
  });

  test('an app runs, a host that is taken out is cleared, and destroyed the hosts have nothing of the cluster', async () => {
    await trustCluster(`https://${first('master').address}`);
    const url = `https://${first('master').address}/service/marathon/v2/apps`;
    const created = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        id: '/web',
        cmd: 'exec python3 -m http.server $PORT0',
        cpus: 0.1,
        mem: 32,
        instances: 2,
      }),
    });
    expect(created.status).toBe(201);
    await waitFor(
      'both instances',
      async () => {
        const { app } = (await (await fetch(`${url}/web`)).json()) as {
          readonly app: { readonly tasksRunning: number };
        };
        return app.tasksRunning === 2;
      },
      PATIENCE_MS,
    );
    const leaving = hosts.findLast(({ name }) => name.startsWith('private'));
    writeConfig('first', true);
    // Nobody can be asked whether that is meant.
    expect((await run(['deploy'])).code).toBe(2);
    const smaller = await run(['deploy', '--yes']);
    expect(smaller.code, saidBy(smaller)).toBe(0);
    expect(await leaving?.does('sh', '-c', TRACES)).toBe('');
    writeConfig('first');
    const destroyed = await run(['destroy', '--yes']);
    expect(destroyed.code, saidBy(destroyed)).toBe(0);
    for (const host of hosts) expect(await host.does('sh', '-c', TRACES), host.name).toBe('');
    expect((await run(['destroy', '--yes'])).code).toBe(0);
  });

  test(`a deployment that is killed ${KILLS} times is gone on with each time`, async () => {
    let kills = 0;
    for (let changes = 1; kills < KILLS; changes += 7) {
      let seen = 0;
      const killed = await run(['deploy'], ({ event }) => {
        if (!['infrastructure.changed', 'step.begun', 'step.done'].includes(event))
          return undefined;
        seen += 1;
        return seen === changes ? 'kill' : undefined;
      });
      if (killed.code !== null) break;
      kills += 1;
    }
    expect(kills).toBeGreaterThan(0);
    const last = await run(['deploy']);
    expect(last.code, saidBy(last)).toBe(0);
    for (const { address } of hosts) expect(stepsOn(last, address)).not.toContain(undefined);
    const again = await run(['deploy']);
    expect(again.events.find(({ event }) => event === 'deploy.done')).toMatchObject({ changed: 0 });
  });
});
