/**
 * The installer with instances of EC2: moto in its place, and a host with systemd for each instance that runs. From nothing
 * to a cluster that runs an app, through kills; larger, smaller; and nothing left but what others had there before.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setDefaultCACertificates } from 'node:tls';
import { DescribeInstancesCommand, type Filter } from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { temporaryDirectory, waitFor } from '@dcos/testkit';
import type { Ec2Moment } from './ec2-gate.ts';
import { everythingThere, makeNeighbour } from './ec2-inventory.ts';
import { AGENT_RESOURCES, ec2WorldNote, Ec2World, isEc2WorldAvailable } from './ec2-world.ts';
import { installerOf, saidBy, type InstallerEvent, type InstallerRun } from './installer-run.ts';
import { trustCluster } from './trust-cluster.ts';
import { WebApp } from './web-app.ts';

const PATIENCE_MS = 180_000;
/** Answers that the installer does not live to see; every call in turn is the business of `aws-kills.nightly.e2e.test.ts`. */
const LAST_CALLS: readonly Ec2Moment[] = [
  { at: 'CreateSecurityGroup', when: 'after' },
  { at: 'RunInstances', when: 'after' },
];
const NAME = 'skies';
const INSTANCES = 2;

const directory = temporaryDirectory('installer-aws');
const config = join(directory.path, 'cluster.yaml');
let world: Ec2World;
/** All that is there before the cluster: what a new account has, and things of somebody else. */
let before: readonly string[] = [];

function writeConfig(privateAgents: number): void {
  const aws = {
    ...world.settings,
    zones: 2,
    masters: { count: 1 },
    privateAgents: { count: privateAgents },
    publicAgents: { count: 1 },
  };
  // YAML is a superset of JSON.
  writeFileSync(
    config,
    JSON.stringify({
      name: NAME,
      provider: 'aws',
      aws,
      privateAgentResources: AGENT_RESOURCES,
      publicAgentResources: AGENT_RESOURCES,
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
    environment: world.environment,
  })(words, onEvent, killedBy);

/** Names of the cluster's instances that are not ended, in order. */
async function liveInstances(): Promise<readonly string[]> {
  const Filters: Filter[] = [
    { Name: 'tag:dcos:cluster', Values: [NAME] },
    { Name: 'instance-state-name', Values: ['pending', 'running', 'stopping', 'stopped'] },
  ];
  const { Reservations = [] } = await world.ec2.send(new DescribeInstancesCommand({ Filters }));
  return Reservations.flatMap(({ Instances = [] }) => Instances)
    .map(({ Tags = [] }) => Tags.find(({ Key }) => Key === 'dcos:resource')?.Value ?? '')
    .sort();
}

let url = '';
let app: WebApp;

describe.skipIf(!isEc2WorldAvailable)(`the installer with instances of EC2${ec2WorldNote}`, () => {
  beforeAll(async () => {
    world = await Ec2World.open('aws');
    await makeNeighbour(world.ec2);
    before = await everythingThere(world.ec2);
    writeConfig(1);
  });
  afterAll(async () => {
    await world?.close();
    directory.remove();
  });

  test('a deployment that is killed here and there ends in a cluster without duplicates', async () => {
    for (const moment of LAST_CALLS) {
      const { killedBy } = world.gate.watch(moment);
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
    expect([...(await world.instances.hosts()).keys()]).toHaveLength(3);
    url = String(last.events.find(({ event }) => event === 'cluster.url')?.['url']);
    const master = (await world.instances.hosts()).get(new URL(url).hostname);
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
    app = new WebApp(url);
    await app.start(INSTANCES);
    await app.allRun(INSTANCES);
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
    await app.allRun(INSTANCES);
  });

  test('destroyed, all in EC2 is as before, and no host is left', async () => {
    const { killedBy } = world.gate.watch({ at: 'TerminateInstances', when: 'after' });
    expect((await run(['destroy', '--yes'], undefined, killedBy)).code).toBeNull();
    const destroyed = await run(['destroy', '--yes']);
    expect(destroyed.code, saidBy(destroyed)).toBe(0);
    expect(await liveInstances()).toEqual([]);
    expect(await everythingThere(world.ec2)).toEqual(before);
    await waitFor(
      'the hosts to go',
      async () => (await world.instances.hosts()).size === 0,
      PATIENCE_MS,
    );
    expect((await run(['destroy', '--yes'])).code).toBe(0);
  });
});
