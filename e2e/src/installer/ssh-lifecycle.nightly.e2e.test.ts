/**
 * The life of a cluster on hosts that are reached by SSH, at night: what `lifecycle.e2e.test.ts` and `upgrade.e2e.test.ts`
 * do with containers, where machines are not made anew but cleared, or come as new ones at the same address. Three masters,
 * TLS, an app that runs all the while.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dockerImage, temporaryDirectory, waitFor } from '@dcos/testkit';
import { HOST_IMAGE, removeOrphans } from '../engine.ts';
import { HostNetwork } from '../host-network.ts';
import { installerOf, saidBy, type InstallerRun } from './installer-run.ts';
import { SeededReleases } from './seeded-release.ts';
import { SshHosts, tracesOn } from './ssh-hosts.ts';
import { trustCluster } from './trust-cluster.ts';
import { WebApp } from './web-app.ts';

const facility = dockerImage(HOST_IMAGE);
const TIMEOUT_MS = 1_800_000;
const PATIENCE_MS = 300_000;
const INSTANCES = 3;
/** Added to a router that serves until then. */
const ENDS_LATER = `
setTimeout(() => {
  console.error('seeded to end later');
  process.exit(3);
}, 20_000);
`;
const FAILS = 'console.error("seeded to fail"); process.exit(3);\n';
const ROUTER = 'lib/router.js';

const directory = temporaryDirectory('installer-ssh-life');
const config = join(directory.path, 'cluster.yaml');
const backup = join(directory.path, 'cluster.backup');
let network: HostNetwork;
let hosts: SshHosts;
let app: WebApp;
let releases: SeededReleases;

const run = installerOf({ directory: directory.path, config });

async function succeeds(...words: readonly string[]): Promise<InstallerRun> {
  const result = await run(words);
  expect(result.code, saidBy(result)).toBe(0);
  return result;
}

/** All hosts are as the configuration says, and all serve; but for a release that they came back from. */
async function isWhole(): Promise<void> {
  await waitFor('all to serve', async () => (await run(['status'])).code === 0, PATIENCE_MS);
  const { events } = await succeeds('deploy');
  for (const { event, step } of events) if (event === 'step.done') expect(step).toMatch(/\/tidy$/);
  expect((await succeeds('plan')).events.at(-1)).toMatchObject({ changes: 0 });
}

function writeConfig(privateAgents: number): void {
  writeFileSync(config, JSON.stringify(hosts.configuration('life', privateAgents)));
}

describe.skipIf(!facility.available)(
  `the life of a cluster by SSH${facility.note}`,
  { timeout: TIMEOUT_MS },
  () => {
    beforeAll(async () => {
      await removeOrphans();
      network = await HostNetwork.create('life');
      hosts = new SshHosts(network, directory.path);
      await hosts.boot('master', 3);
      await hosts.boot('private', 2);
      writeConfig(1);
      await succeeds('deploy');
      const url = `https://${hosts.one('master', 1).address}`;
      await trustCluster(url);
      app = new WebApp(url);
      await app.start(INSTANCES);
      await app.allRun(INSTANCES);
      releases = new SeededReleases(directory.path);
    }, TIMEOUT_MS);
    afterAll(async () => {
      await hosts?.isRemoved();
      await network?.isRemoved();
      directory.remove();
    });

    test('scaled by hosts of the configuration: out, in with a drain, and out again', async () => {
      expect((await run(['scale', '--private-agents', '2'])).code).toBe(2);
      writeConfig(2);
      await succeeds('deploy');
      expect(await app.agents()).toHaveLength(2);
      writeConfig(1);
      await succeeds('deploy', '--yes');
      expect(await tracesOn(hosts.one('private', 2))).toBe('');
      await app.allRun(INSTANCES);
      writeConfig(2);
      await succeeds('deploy');
      await isWhole();
    });

    test('another release: the same tasks and agents', async () => {
      const before = await app.whatRuns();
      const release = await releases.write('0.1.1', {});
      await succeeds('upgrade', '--soak', '1', ...release);
      expect(await app.whatRuns()).toEqual(before);
      await succeeds('upgrade', '--back', '--soak', '1');
      await isWhole();
      expect(await app.whatRuns()).toEqual(before);
    });

    test.for([
      [
        'does not serve',
        '0.1.2',
        (): string => FAILS,
        'dcos-adminrouter.service does not serve',
        '1',
      ],
      [
        'serves, and ends after 20 s',
        '0.1.3',
        (): string => `${releases.textOf(ROUTER)}${ENDS_LATER}`,
        'dcos-adminrouter.service served, and ended again',
        '30',
      ],
    ] as const)('a release that %s is taken back', async ([, version, router, why, soak]) => {
      const before = await app.whatRuns();
      const release = await releases.write(version, { [ROUTER]: router() });
      const result = await run(['upgrade', '--soak', soak, ...release]);
      expect(result.code, saidBy(result)).toBe(8);
      expect(saidBy(result)).toContain(why);
      expect(saidBy(result)).toContain('seeded to');
      await isWhole();
      expect(await app.whatRuns()).toEqual(before);
    });

    test('with --no-rollback it stays as it is, until it is taken back by hand', async () => {
      const before = await app.whatRuns();
      const release = await releases.write('0.1.4', { [ROUTER]: FAILS });
      const stays = await run(['upgrade', '--soak', '1', '--no-rollback', ...release]);
      expect(stays.code, saidBy(stays)).toBe(1);
      expect((await run(['status'])).code).toBe(6);
      await succeeds('upgrade', '--back', '--soak', '1');
      await isWhole();
      expect(await app.whatRuns()).toEqual(before);
    });

    test('an agent is replaced in its place, a master by a new machine at its address', async () => {
      const [, second] = await app.agents();
      await succeeds('replace', hosts.one('private', 1).address, '--yes');
      expect(await app.agents()).toHaveLength(2);
      await app.allRun(INSTANCES);
      await isWhole();
      const before = await app.tasks();
      const { address } = await hosts.isNewMachine(hosts.one('master', 2));
      await succeeds('replace', address, '--yes');
      await isWhole();
      expect(await app.tasks()).toEqual(before);
      expect(await app.agents()).toContain(second);
    });

    test('a backup brings back what was lost', async () => {
      await succeeds('backup', backup);
      await app.remove();
      await succeeds('restore', backup, '--yes', '--replace');
      await app.allRun(INSTANCES);
      await isWhole();
    });

    test('destroyed, nothing is left on any host', async () => {
      await succeeds('destroy', '--yes');
      for (const host of hosts.all) expect(await tracesOn(host), host.name).toBe('');
    });
  },
);
