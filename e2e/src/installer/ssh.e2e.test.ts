/**
 * The installer with hosts that are there already, reached by SSH: three masters and four agents with systemd. Kills, a host
 * that loses its network in the middle of the copy, a second cluster that wants the same hosts, and nothing left at the end.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { randomBelow, seededRandom } from '@dcos/base';
import { dockerImage, temporaryDirectory, waitFor } from '@dcos/testkit';
import { HOST_IMAGE, removeOrphans } from '../engine.ts';
import { HostNetwork } from '../host-network.ts';
import { installerOf, saidBy, type InstallerEvent, type InstallerRun } from './installer-run.ts';
import { SshHosts, tracesOn } from './ssh-hosts.ts';
import { trustCluster } from './trust-cluster.ts';
import { WebApp } from './web-app.ts';

const facility = dockerImage(HOST_IMAGE);
const PATIENCE_MS = 180_000;
const PRIVATE_AGENTS = 3;
const IS_NIGHTLY = process.env['E2E_NIGHTLY'] === '1';
/** From nothing, through kills at random moments, to the end. */
const ROUNDS = IS_NIGHTLY ? 20 : 1;
const KILLS_IN_A_ROW = IS_NIGHTLY ? 1 : 2;
/** `E2E_SEED` repeats the moments of a run, as far as a machine does the same twice. */
const SEED = Number(process.env['E2E_SEED'] ?? Date.now() % 2 ** 32);
/** Within which the first kills come: much less than a deployment takes anywhere. */
const FIRST_MOMENTS_MS = 12_000;
const TIMEOUT_MS = IS_NIGHTLY ? 5_400_000 : 300_000;

const directory = temporaryDirectory('installer-ssh');
const config = join(directory.path, 'cluster.yaml');
let network: HostNetwork;
let hosts: SshHosts;

const run = installerOf({ directory: directory.path, config });

function writeConfig(name: string, privateAgents = PRIVATE_AGENTS): void {
  writeFileSync(config, JSON.stringify(hosts.configuration(name, privateAgents)));
}

/** Of the steps that were done, those of one host. */
const stepsOn = ({ events }: InstallerRun, address: string): readonly unknown[] =>
  events
    .filter(({ event, host }) => event === 'step.done' && host === address)
    .map(({ step }) => step);

/** What a run was at. */
function lastOf(events: readonly InstallerEvent[]): string {
  const last = events.at(-1);
  return [last?.event ?? 'nothing', last?.['step']].join(' ').trim();
}

async function runKilledAfter(
  momentMs: number,
): Promise<{ readonly killed: boolean; readonly events: readonly InstallerEvent[] }> {
  const { code, events } = await run(['deploy'], undefined, AbortSignal.timeout(momentMs));
  return { killed: code === null, events };
}

async function fullDeploymentMs(): Promise<number> {
  const startedMs = performance.now();
  const whole = await run(['deploy']);
  expect(whole.code, saidBy(whole)).toBe(0);
  const tookMs = Math.round(performance.now() - startedMs);
  expect((await run(['destroy', '--yes'])).code).toBe(0);
  return tookMs;
}

describe.skipIf(!facility.available)(`the installer with hosts by SSH${facility.note}`, () => {
  beforeAll(async () => {
    await removeOrphans();
    network = await HostNetwork.create('ssh');
    hosts = new SshHosts(network, directory.path);
    await hosts.boot('master', 3);
    await hosts.boot('private', PRIVATE_AGENTS);
    await hosts.boot('public', 1);
    writeConfig('first');
  });
  afterAll(async () => {
    await hosts?.isRemoved();
    await network?.isRemoved();
    directory.remove();
  });

  test('killed while hosts listen for one another, the next run does not take that for somebody else', async () => {
    const [master, agent] = [hosts.one('master', 1), hosts.one('private', 1)];
    const isListening = ['systemctl', 'is-active', `dcos-preflight-${master.address}.service`];
    // Whoever looks waits for that one until it gives up: time enough to see the others listen.
    await agent.dropsPackets(master.address, true, [5051]);
    const kill = new AbortController();
    const killed = run(['deploy'], undefined, kill.signal);
    await waitFor('a listener', async () => (await master.run(...isListening)).code === 0);
    kill.abort();
    expect((await killed).code).toBeNull();
    await agent.dropsPackets(master.address, false, [5051]);
    expect((await master.run(...isListening)).code).toBe(0);
    const next = await run(['deploy'], ({ event }) =>
      event === 'step.begun' ? 'kill' : undefined,
    );
    expect(next.code, saidBy(next)).toBeNull();
    expect((await master.run(...isListening)).code).not.toBe(0);
  });

  test('a host that loses its network in the middle of the copy holds up no other', async () => {
    const lost = hosts.one('private', 1);
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
    const [away, idle] = [hosts.one('private', 1), hosts.one('private', 2)];
    await away.does('systemctl', 'stop', 'ssh');
    await idle.does('systemctl', 'stop', 'dcos-mesos-slave');
    const rest = await run(['deploy']);
    expect(rest.code, saidBy(rest)).toBe(1);
    expect(
      rest.events.filter(({ event }) => event === 'host.unreachable').map(({ host }) => host),
    ).toEqual([away.address]);
    expect(stepsOn(rest, idle.address)).toEqual([`${idle.address}/dcos-mesos-slave`]);
    await away.does('systemctl', 'start', 'ssh');
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
    const url = `https://${hosts.one('master', 1).address}`;
    await trustCluster(url);
    const app = new WebApp(url);
    await app.start(2);
    await app.allRun(2);
    const leaving = hosts.one('private', PRIVATE_AGENTS);
    writeConfig('first', PRIVATE_AGENTS - 1);
    // Nobody can be asked whether that is meant.
    expect((await run(['deploy'])).code).toBe(2);
    const smaller = await run(['deploy', '--yes']);
    expect(smaller.code, saidBy(smaller)).toBe(0);
    expect(await tracesOn(leaving)).toBe('');
    writeConfig('first');
    const destroyed = await run(['destroy', '--yes']);
    expect(destroyed.code, saidBy(destroyed)).toBe(0);
    for (const host of hosts.all) expect(await tracesOn(host), host.name).toBe('');
    expect((await run(['destroy', '--yes'])).code).toBe(0);
  });

  test(
    `killed ${ROUNDS * KILLS_IN_A_ROW} times at moments of the seed ${SEED}, the next run goes on to the end`,
    async ({ annotate }) => {
      const random = seededRandom(SEED);
      let kills = 0;
      let endMs = FIRST_MOMENTS_MS;
      for (let round = 1; kills < ROUNDS * KILLS_IN_A_ROW; round++) {
        // One that ends before its moment is none; there are few of those.
        expect(round, `${kills} kills`).toBeLessThanOrEqual(2 * ROUNDS);
        const moments: string[] = [];
        for (let one = 0; one < KILLS_IN_A_ROW; one++) {
          const momentMs = randomBelow(random, endMs);
          const { killed, events } = await runKilledAfter(momentMs);
          moments.push(`${momentMs} ms (${killed ? 'killed' : 'ended before'}: ${lastOf(events)})`);
          if (killed) kills += 1;
        }
        const told = `round ${round}, ${moments.join(', ')}`;
        const startedMs = performance.now();
        const last = await run(['deploy']);
        expect(last.code, `${told}\n${saidBy(last)}`).toBe(0);
        await annotate(`${told}: went on for ${Math.round(performance.now() - startedMs)} ms`);
        const again = await run(['deploy']);
        const done = again.events.find(({ event }) => event === 'deploy.done');
        expect(done, `${told}\n${saidBy(again)}`).toMatchObject({ changed: 0 });
        if (kills === ROUNDS * KILLS_IN_A_ROW) break;
        const destroyed = await run(['destroy', '--yes']);
        expect(destroyed.code, `${told}\n${saidBy(destroyed)}`).toBe(0);
        for (const host of hosts.all)
          expect(await tracesOn(host), `${told}: ${host.name}`).toBe('');
        if (round > 1) continue;
        endMs = await fullDeploymentMs();
        await annotate(`a whole deployment takes ${endMs} ms`);
      }
    },
    TIMEOUT_MS,
  );
});
