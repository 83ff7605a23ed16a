/**
 * Three masters, two schedulers and a router as an upgrade meets them: each of them is asked to end and starts again,
 * the leading ones last, while clients read and write. No request fails, and nothing is lost or done twice.
 */

import { join } from 'node:path';
import {
  startZooKeeperEnsemble,
  waitFor,
  workspaceRoot,
  zooKeeper,
  type ZooKeeperEnsemble,
} from '@dcos/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  ask,
  Component,
  leaderOf,
  startMasterProcess,
  type MasterProcess,
} from './testing/master-processes.ts';
import { startSteadyLoad } from './testing/steady-load.ts';

const facility = zooKeeper();
const SESSION_TIMEOUT_MS = 30_000;
const START_TIMEOUT_MS = 60_000;

interface Serving extends Component {
  readonly url: string;
}

/** Starts a program of ours; resolves when it serves. */
async function startProgram(name: string, flags: readonly string[]): Promise<Serving> {
  const main = join(workspaceRoot, 'packages', name, 'src', 'main.ts');
  const started = new Component(main, flags);
  const url = await waitFor(
    `a ${name} that serves`,
    () => /"url":"(http:[^"]+)"/.exec(started.output)?.[1],
    START_TIMEOUT_MS,
  );
  return Object.assign(started, { url });
}

const portOf = (url: string): string => new URL(url).port;

describe.skipIf(!facility.available)(`a rolling restart${facility.note}`, () => {
  const running = new Set<Component>();
  let ensemble: ZooKeeperEnsemble;

  beforeAll(async () => {
    ensemble = await startZooKeeperEnsemble(1);
  });
  afterAll(async () => {
    await Promise.all([...running].map(async (component) => await component.kill()));
    await ensemble?.stop();
  });

  const kept = <T extends Component>(component: T): T => {
    running.add(component);
    return component;
  };

  const startMaster = async (port = '0'): Promise<MasterProcess> =>
    kept(
      await startMasterProcess(ensemble.address('/mesos'), `${SESSION_TIMEOUT_MS / 1000}secs`, [
        `--port=${port}`,
      ]),
    );

  const startMarathon = async (port = '0'): Promise<Serving> =>
    kept(
      await startProgram('marathon', [
        `--masters=${ensemble.address('/mesos')}`,
        `--zk=${ensemble.address('/marathon')}`,
        `--zk-session-timeout-ms=${SESSION_TIMEOUT_MS}`,
        `--http-port=${port}`,
      ]),
    );

  /** Those that do not lead first, as an upgrade does it. */
  function leaderLast<T extends Serving>(all: readonly T[], leader: T | undefined): readonly T[] {
    return leader === undefined ? all : [...all.filter((one) => one !== leader), leader];
  }

  async function marathonLeader(all: readonly Serving[]): Promise<Serving | undefined> {
    const { text } = await ask(`${all[0]?.url}/v2/leader`);
    const { leader } = JSON.parse(text) as { readonly leader: string };
    return all.find(({ url }) => url.endsWith(`:${leader.split(':')[1]}`));
  }

  test('of masters and schedulers fails no request and loses no write', async () => {
    const masters = await Promise.all([1, 2, 3].map(async () => await startMaster()));
    await waitFor('a leading master', async () => await leaderOf(masters));
    const marathons = await Promise.all([1, 2].map(async () => await startMarathon()));
    const router = kept(
      await startProgram('router', [`--masters=${ensemble.address('/mesos')}`, '--port=0']),
    );
    const appsUrl = `${router.url}/service/marathon/v2/apps`;
    await waitFor('the way to Marathon', async () => (await ask(appsUrl)).status === 200);

    const load = startSteadyLoad(router.url);
    const goesOn = async (): Promise<void> => {
      const { answered } = load;
      await waitFor('answers', () => load.answered > answered + 20 || load.failures.length > 0);
    };
    await goesOn();
    for (const master of leaderLast(masters, await leaderOf(masters))) {
      expect(await master.terminate(), master.output).toBe(0);
      await startMaster(portOf(master.url));
      await goesOn();
    }
    for (const marathon of leaderLast(marathons, await marathonLeader(marathons))) {
      expect(await marathon.terminate(), marathon.output).toBe(0);
      await startMarathon(portOf(marathon.url));
      await goesOn();
    }
    await load.stop();

    process.stdout.write(
      `${load.answered} requests, the slowest in ${Math.round(load.slowestMs)} ms\n`,
    );
    expect(load.failures).toEqual([]);
    const { apps } = JSON.parse((await ask(appsUrl)).text) as {
      readonly apps: readonly { readonly id: string; readonly labels: object }[];
    };
    expect(apps.map(({ id }) => id).toSorted()).toEqual([...load.apps].toSorted());
    expect(apps.filter(({ labels }) => !('changed' in labels))).toEqual([]);
    const weights = JSON.parse((await ask(`${router.url}/mesos/weights`)).text) as readonly {
      readonly role: string;
    }[];
    expect(weights.map(({ role }) => role).toSorted()).toEqual([...load.roles].toSorted());
  });
});
