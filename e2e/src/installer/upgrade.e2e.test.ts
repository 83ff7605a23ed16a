/**
 * Another release for a cluster of three masters that runs an app: through a killed installer; then a release that does not
 * serve.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dockerImage, temporaryDirectory } from '@dcos/testkit';
import { engine, HOST_IMAGE } from '../engine.ts';
import { installerOf, saidBy } from './installer-run.ts';
import { startRequestLoad } from './request-load.ts';
import { SeededReleases } from './seeded-release.ts';
import { WebApp } from './web-app.ts';

const facility = dockerImage(HOST_IMAGE);
/** Two runs, one of which is killed, over three masters that are busy with answers meanwhile. */
const UPGRADE_MS_MAX = 900_000;
const NAME = `upgrade-${process.pid}`;
const directory = temporaryDirectory('installer-upgrade');
const config = join(directory.path, 'cluster.yaml');
/** Of the routers, at their hosts: what is published at this machine takes connections also while nobody serves. */
let urls: readonly string[] = [];
/** As the first router shows it. */
let app: WebApp;
let releases: SeededReleases;

const run = installerOf({ directory: directory.path, config });

describe.skipIf(!facility.available)(`another release${facility.note}`, () => {
  let before: readonly string[] = [];
  beforeAll(async () => {
    const docker = { masters: 3, privateAgents: 2, publicAgents: 0, image: HOST_IMAGE };
    const document = { name: NAME, provider: 'docker', docker: { ...docker, outbound: false } };
    writeFileSync(config, JSON.stringify(document));
    const deployed = await run(['deploy']);
    expect(deployed.code, saidBy(deployed)).toBe(0);
    const found = await engine.listContainers({ filters: { label: [`dcos.cluster=${NAME}`] } });
    urls = found
      .filter(({ Ports }) => Ports.some(({ PublicPort }) => PublicPort !== undefined))
      .flatMap(({ NetworkSettings }) => Object.values(NetworkSettings.Networks))
      .map(({ IPAddress }) => `http://${IPAddress}`);
    expect(urls).toHaveLength(3);
    releases = new SeededReleases(directory.path);
    app = new WebApp(urls[0] ?? '');
    await app.start(3);
    await app.allRun(3);
    before = await app.whatRuns();
    expect(before).toHaveLength(5);
  });
  afterAll(async () => {
    await run(['destroy', '--yes']);
    directory.remove();
  });

  test(
    'comes host by host, killed in between; tasks and agents stay',
    async () => {
      const release = await releases.write('0.1.1', {});
      const load = startRequestLoad({
        routers: urls,
        paths: [
          '/mesos/slaves',
          '/service/marathon/v2/apps/web',
          '/service/web/',
          '/dcos-metadata/dcos-version.json',
        ],
      });
      const killed = await run(['upgrade', '--soak', '1', ...release], ({ event, step }) =>
        event === 'step.done' && String(step).endsWith('whole 1') ? 'kill' : undefined,
      );
      expect(killed.code, saidBy(killed)).toBeNull();
      const refused = await run(['deploy']);
      expect(saidBy(refused)).toContain('INSTALLER_OTHER_RELEASE');
      const upgraded = await run(['upgrade', '--soak', '1', ...release]);
      expect(upgraded.code, saidBy(upgraded)).toBe(0);
      const { answered, failures, longestMs } = await load.stops();
      expect(failures, `of ${answered} requests, ${longestMs} ms at most`).toEqual([]);
      expect(answered).toBeGreaterThan(500);
      expect(await app.whatRuns()).toEqual(before);
      // With the former release nothing could come in the place of a host: it stays.
      const kept = await run(['replace', 'private-1', '--yes']);
      expect(saidBy(kept)).toContain('INSTALLER_OTHER_RELEASE');
      expect(await app.whatRuns()).toEqual(before);
    },
    UPGRADE_MS_MAX,
  );

  test('that does not serve is taken back, and its last words are told', async () => {
    const router = 'console.error("seeded to fail"); process.exit(3);\n';
    const release = await releases.write('0.1.2', { 'lib/router.js': router });
    const result = await run(['upgrade', '--soak', '1', ...release]);
    const said = saidBy(result);
    expect(result.code, said).toBe(8);
    expect(said).toContain('dcos-adminrouter.service does not serve');
    expect(said).toContain('seeded to fail');
    expect(result.events.filter(({ event }) => event === 'step.failed')).toHaveLength(1);
    expect(await app.whatRuns()).toEqual(before);
  });
});
