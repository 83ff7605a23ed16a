/**
 * Another release for a cluster of three masters that runs an app: through a killed installer; then a release that does not
 * serve.
 */

import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeRelease } from '@dcos/installer/release';
import { dockerImage, temporaryDirectory, waitFor } from '@dcos/testkit';
import { engine, HOST_IMAGE } from '../engine.ts';
import { installerOf, saidBy } from './installer-run.ts';
import { startRequestLoad } from './request-load.ts';

const facility = dockerImage(HOST_IMAGE);
const PATIENCE_MS = 180_000;
/** Two runs, one of which is killed, over three masters that are busy with answers meanwhile. */
const UPGRADE_MS_MAX = 900_000;
const NAME = `upgrade-${process.pid}`;
const directory = temporaryDirectory('installer-upgrade');
const config = join(directory.path, 'cluster.yaml');
const unpacked = join(directory.path, 'unpacked');
/** Of the routers, at their hosts: what is published at this machine takes connections also while nobody serves. */
let urls: readonly string[] = [];

const run = installerOf({ directory: directory.path, config });

/** The release of this checkout with other files in place of its own, as flags. */
async function releaseWith(
  version: string,
  changed: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const paths = readdirSync(unpacked, { recursive: true, encoding: 'utf8' }).filter(
    (path) => statSync(join(unpacked, path)).isFile() && !path.startsWith('manifest.json'),
  );
  const files = paths.map((path) => {
    const isProgram = (statSync(join(unpacked, path)).mode & 0o111) !== 0;
    const text = changed[path];
    const content = text === undefined ? readFileSync(join(unpacked, path)) : Buffer.from(text);
    return { path, mode: isProgram ? ('0755' as const) : ('0644' as const), content };
  });
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const archive = join(directory.path, `${version}.tar.gz`);
  const key = join(directory.path, `${version}.pub`);
  const platform = process.arch === 'arm64' ? 'linux-arm64' : 'linux-x64';
  await writeRelease(archive, { version, platform, files }, privateKey);
  writeFileSync(key, publicKey.export({ type: 'spki', format: 'pem' }));
  return ['--release', archive, '--release-key', key];
}

/** What the installer built for the deployment. */
function unpack(): void {
  const cache = join(directory.path, 'cache');
  const [built = ''] = readdirSync(cache).filter((name) => /^[0-9a-f]{16}$/.test(name));
  const archive = readdirSync(join(cache, built)).find((name) => name.endsWith('.tar.gz')) ?? '';
  mkdirSync(unpacked);
  execFileSync('tar', ['xzf', join(cache, built, archive), '-C', unpacked]);
}

interface Task {
  readonly id: string;
  readonly state: string;
  readonly startedAt: string;
}

async function ask<T>(path: string): Promise<T> {
  return (await (await fetch(`${urls[0]}${path}`)).json()) as T;
}

/** Which tasks run since when, and which agents there are, in a fixed order. */
async function whatRuns(): Promise<readonly string[]> {
  const { tasks } = await ask<{ readonly tasks: readonly Task[] }>(
    '/service/marathon/v2/apps/web/tasks',
  );
  const { slaves } = await ask<{ readonly slaves: readonly { id: string; active: boolean }[] }>(
    '/mesos/slaves',
  );
  const running = tasks.filter(({ state }) => state === 'TASK_RUNNING');
  return [
    ...running.map(({ id, startedAt }) => `${id} since ${startedAt}`).sort(),
    ...slaves.map(({ id, active }) => `${id} ${active}`).sort(),
  ];
}

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
    unpack();
    const created = await fetch(`${urls[0]}/service/marathon/v2/apps`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        id: '/web',
        cmd: 'exec python3 -m http.server $PORT0',
        cpus: 0.5,
        mem: 32,
        instances: 3,
        labels: {
          DCOS_SERVICE_NAME: 'web',
          DCOS_SERVICE_SCHEME: 'http',
          DCOS_SERVICE_PORT_INDEX: '0',
        },
      }),
    });
    expect(created.status).toBe(201);
    before = await waitFor(
      'three tasks on two agents',
      async () => {
        const running = await whatRuns();
        return running.length === 5 && running;
      },
      PATIENCE_MS,
    );
  });
  afterAll(async () => {
    await run(['destroy', '--yes']);
    directory.remove();
  });

  test(
    'comes host by host, killed in between; tasks and agents stay',
    async () => {
      const release = await releaseWith('0.1.1', {});
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
      expect(await whatRuns()).toEqual(before);
    },
    UPGRADE_MS_MAX,
  );

  test('that does not serve is taken back, and its last words are told', async () => {
    const router = 'console.error("seeded to fail"); process.exit(3);\n';
    const release = await releaseWith('0.1.2', { 'lib/router.js': router });
    const result = await run(['upgrade', '--soak', '1', ...release]);
    const said = saidBy(result);
    expect(result.code, said).toBe(8);
    expect(said).toContain('dcos-adminrouter.service does not serve');
    expect(said).toContain('seeded to fail');
    expect(result.events.filter(({ event }) => event === 'step.failed')).toHaveLength(1);
    expect(await whatRuns()).toEqual(before);
  });
});
