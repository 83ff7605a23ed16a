/**
 * The installer with instances of EC2: moto in its place, and a host with systemd for each instance that runs. From nothing
 * to a cluster that runs an app, through kills; larger, smaller; and nothing left but what others had there before.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setDefaultCACertificates } from 'node:tls';
import { DescribeInstancesCommand, EC2Client, type Filter } from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  dockerImage,
  motoServer,
  startMotoServer,
  temporaryDirectory,
  waitFor,
  type MotoServer,
} from '@dcos/testkit';
import { HOST_IMAGE, removeOrphans } from '../engine.ts';
import { HostNetwork } from '../host-network.ts';
import { BootedInstances } from './booted-instances.ts';
import { Ec2Gate, type Ec2Moment } from './ec2-gate.ts';
import { everythingThere, makeNeighbour } from './ec2-inventory.ts';
import { installerOf, saidBy, type InstallerEvent, type InstallerRun } from './installer-run.ts';
import { trustCluster } from './trust-cluster.ts';

const facilities = [dockerImage(HOST_IMAGE), motoServer()];
const isAvailable = facilities.every(({ available }) => available);
const note = facilities.map((facility) => facility.note).join('');
const PATIENCE_MS = 180_000;
const REGION = 'eu-central-1';
/** Answers that the installer does not live to see; every call in turn is the business of `aws-kills.nightly.e2e.test.ts`. */
const LAST_CALLS: readonly Ec2Moment[] = [
  { at: 'CreateSecurityGroup', when: 'after' },
  { at: 'RunInstances', when: 'after' },
];
const NAME = 'skies';
const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };

const directory = temporaryDirectory('installer-aws');
const config = join(directory.path, 'cluster.yaml');
let network: HostNetwork;
let moto: MotoServer;
let gate: Ec2Gate;
let ec2: EC2Client;
let instances: BootedInstances;
/** All that is there before the cluster: what a new account has, and things of somebody else. */
let before: readonly string[] = [];

function writeConfig(privateAgents: number): void {
  const aws = {
    region: REGION,
    vpc: { cidr: network.range },
    zones: 2,
    masters: { count: 1 },
    privateAgents: { count: privateAgents },
    publicAgents: { count: 1 },
    adminLocations: ['203.0.113.0/24'],
    // One of those that moto knows.
    image: { owner: 'amazon', name: 'amzn2-ami-hvm-2*', user: 'root' },
    connectTo: 'private',
  };
  const offered = 'cpus:2;mem:1024;disk:1024;ports:[31000-31999]';
  // YAML is a superset of JSON.
  writeFileSync(
    config,
    JSON.stringify({
      name: NAME,
      provider: 'aws',
      aws,
      privateAgentResources: offered,
      publicAgentResources: offered,
    }),
  );
}

/** Behind a gate that ends it, or not. */
const run = async (
  words: readonly string[],
  onEvent?: (event: InstallerEvent) => 'kill' | void,
  killedBy?: AbortSignal,
): Promise<InstallerRun> =>
  await installerOf({
    directory: directory.path,
    config,
    environment: {
      AWS_ENDPOINT_URL_EC2: gate.endpoint,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      AWS_EC2_METADATA_DISABLED: 'true',
    },
  })(words, onEvent, killedBy);

/** Names of the cluster's instances that are not ended, in order. */
async function liveInstances(): Promise<readonly string[]> {
  const Filters: Filter[] = [
    { Name: 'tag:dcos:cluster', Values: [NAME] },
    { Name: 'instance-state-name', Values: ['pending', 'running', 'stopping', 'stopped'] },
  ];
  const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({ Filters }));
  return Reservations.flatMap(({ Instances = [] }) => Instances)
    .map(({ Tags = [] }) => Tags.find(({ Key }) => Key === 'dcos:resource')?.Value ?? '')
    .sort();
}

let url = '';

async function tasksRunning(app: string): Promise<number> {
  const answer = await fetch(`${url}service/marathon/v2/apps/${app}`);
  const body = (await answer.json()) as { readonly app: { readonly tasksRunning: number } };
  return body.app.tasksRunning;
}

describe.skipIf(!isAvailable)(`the installer with instances of EC2${note}`, () => {
  beforeAll(async () => {
    await removeOrphans();
    network = await HostNetwork.create('aws');
    moto = await startMotoServer();
    gate = await Ec2Gate.open(moto.endpoint);
    ec2 = new EC2Client({ region: REGION, endpoint: moto.endpoint, credentials: CREDENTIALS });
    await makeNeighbour(ec2);
    before = await everythingThere(ec2);
    instances = new BootedInstances(ec2, network);
    writeConfig(1);
  });
  afterAll(async () => {
    await instances?.close();
    ec2?.destroy();
    await gate?.close();
    await moto?.close();
    await network?.isRemoved();
    directory.remove();
  });

  test('a deployment that is killed here and there ends in a cluster without duplicates', async () => {
    for (const moment of LAST_CALLS) {
      const { killedBy } = gate.watch(moment);
      const killed = await run(['deploy'], undefined, killedBy);
      expect(killed.code, saidBy(killed)).toBeNull();
    }
    const installing = await run(['deploy'], ({ event }) =>
      event === 'step.done' ? 'kill' : undefined,
    );
    expect(installing.code, saidBy(installing)).toBeNull();
    const last = await run(['deploy']);
    expect(last.code, saidBy(last)).toBe(0);
    expect(await liveInstances()).toEqual(['master-1', 'private-1', 'public-1']);
    expect([...(await instances.hosts()).keys()]).toHaveLength(3);
    url = String(last.events.find(({ event }) => event === 'cluster.url')?.['url']);
    const master = (await instances.hosts()).get(new URL(url).hostname);
    // What this process asks from now on, it asks as one that trusts the cluster's authorities.
    setDefaultCACertificates([(await master?.does('cat', '/etc/dcos/tls/ca.crt')) ?? '']);
    const again = await run(['deploy']);
    expect(
      again.events.find(({ event }) => event === 'deploy.done'),
      saidBy(again),
    ).toMatchObject({
      changed: 0,
    });
    expect((await run(['status'])).code).toBe(0);
  });

  test('an app runs', async () => {
    await trustCluster(url);
    const created = await fetch(`${url}service/marathon/v2/apps`, {
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
    await waitFor('both instances', async () => (await tasksRunning('web')) === 2, PATIENCE_MS);
  });

  test('scaled out and in: tasks of the agent that goes start elsewhere', async () => {
    const out = await run(['scale', '--private-agents', '2']);
    expect(out.code, saidBy(out)).toBe(0);
    expect(await liveInstances()).toEqual(['master-1', 'private-1', 'private-2', 'public-1']);
    const killed = await run(['scale', '--private-agents', '1', '--yes'], ({ event }) =>
      event === 'infrastructure.removed' ? 'kill' : undefined,
    );
    expect(killed.code, saidBy(killed)).toBeNull();
    const in_ = await run(['deploy', '--yes']);
    expect(in_.code, saidBy(in_)).toBe(0);
    expect(await liveInstances()).toEqual(['master-1', 'private-1', 'public-1']);
    await waitFor('both instances', async () => (await tasksRunning('web')) === 2, PATIENCE_MS);
  });

  test('destroyed, all in EC2 is as before, and no host is left', async () => {
    const { killedBy } = gate.watch({ at: 'TerminateInstances', when: 'after' });
    expect((await run(['destroy', '--yes'], undefined, killedBy)).code).toBeNull();
    const destroyed = await run(['destroy', '--yes']);
    expect(destroyed.code, saidBy(destroyed)).toBe(0);
    expect(await liveInstances()).toEqual([]);
    expect(await everythingThere(ec2)).toEqual(before);
    await waitFor('the hosts to go', async () => (await instances.hosts()).size === 0, PATIENCE_MS);
    expect((await run(['destroy', '--yes'])).code).toBe(0);
  });
});
