/** Names of the masters that stand for election in a real ZooKeeper. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seededRandom, silentLogger } from '@dcos/base';
import { systemClock } from '@dcos/sdk';
import { FakeMaster } from '@dcos/sdk/testing';
import {
  masterElectionLayout,
  openZooKeeperStore,
  parseZooKeeperAddress,
  type Lease,
  type Store,
} from '@dcos/store';
import { startZooKeeperEnsemble, waitFor, zooKeeper, type ZooKeeperEnsemble } from '@dcos/testkit';
import { startMesosDns, type MesosDns } from './start.ts';

const facility = zooKeeper();
const PATH = '/mesos';
/** Longer than a busy machine lets a process wait for its turn. */
const SESSION_TIMEOUT_MS = 10_000;

describe.skipIf(!facility.available)(`masters that elect a leader${facility.note}`, () => {
  let ensemble: ZooKeeperEnsemble;
  let master: FakeMaster;
  let store: Store;
  let dns: MesosDns | undefined;

  beforeAll(async () => {
    ensemble = await startZooKeeperEnsemble(1);
    master = await FakeMaster.start();
    master.onStream = (stream) =>
      stream.sendOperator({ type: 'SUBSCRIBED', subscribed: { get_state: {} } });
    const address = parseZooKeeperAddress(ensemble.address(PATH));
    if (!address.ok) throw new Error(address.error);
    store = await openZooKeeperStore({
      address: address.value,
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      clock: systemClock,
      random: seededRandom(1),
      logger: silentLogger,
      layouts: { master: masterElectionLayout(PATH) },
    });
  });
  afterAll(async () => {
    await dns?.close();
    await store?.close();
    await master?.close();
    await ensemble?.stop();
  });

  /** Has a master stand for election, with the port of the one that serves. */
  function stand(ip: string): Promise<Lease> {
    const { port } = new URL(master.url);
    const candidate = { id: ip, address: { ip, hostname: ip, port: Number(port) } };
    return store.elect('master', JSON.stringify(candidate));
  }

  async function namesOf({ url }: MesosDns): Promise<Readonly<Record<string, readonly string[]>>> {
    const names = ['leader', 'master', 'master0', 'master1', 'master2'];
    const entries = names.map(async (name) => {
      const answer = await fetch(`${url}/v1/hosts/${name}.mesos`);
      const hosts = (await answer.json()) as readonly { readonly ip: string }[];
      return [name, hosts.flatMap(({ ip }) => ip || []).sort()] as const;
    });
    return Object.fromEntries(await Promise.all(entries));
  }

  test('all of them have names, which follow who stands', async () => {
    const leads = await stand('127.0.0.1');
    const next = stand('127.0.0.2');
    const settings = { masters: ensemble.address(PATH), port: 0, httpPort: 0 };
    const started = await startMesosDns(settings, { logger: silentLogger });
    dns = started;
    await waitFor('two masters', async () => (await namesOf(started))['master1']?.length === 1);
    expect(await namesOf(started)).toEqual({
      leader: ['127.0.0.1'],
      master: ['127.0.0.1', '127.0.0.2'],
      master0: ['127.0.0.1'],
      master1: ['127.0.0.2'],
      master2: [],
    });
    const last = stand('127.0.0.3');
    await waitFor('a third master', async () => (await namesOf(started))['master2']?.length === 1);
    // Nobody answers at the new leader: the old one's names stay, as all that is known does.
    await leads.release();
    await next;
    await waitFor(
      'the end of one',
      async () => (await namesOf(started))['master0']?.[0] === '127.0.0.2',
    );
    expect(await namesOf(started)).toEqual({
      leader: ['127.0.0.1'],
      master: ['127.0.0.1', '127.0.0.2', '127.0.0.3'],
      master0: ['127.0.0.2'],
      master1: ['127.0.0.3'],
      master2: ['127.0.0.1'],
    });
    await (await next).release();
    await (await last).release();
  });
});
