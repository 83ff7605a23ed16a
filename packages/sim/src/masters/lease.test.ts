/** A lease ends for its holder before it ends for the servers, whatever is cut off. Found by seed 232 of this world. */

import { seededRandom, silentLogger } from '@dcos/base';
import { openZooKeeperStore, type Lease } from '@dcos/store';
import { expect, test } from 'vitest';
import { createEnsemble, type Ensemble } from '../ensemble/ensemble.ts';
import { TICK_MS } from '../ensemble/quorum-server.ts';
import { createProcessClock } from '../process-clock.ts';
import { createProcessGate } from '../process-gate.ts';
import { createWorld, type World } from '../world.ts';
import { settle } from './settle.ts';
import { SERVERS, transportOf, ZK_ADDRESS } from './zookeeper-access.ts';

const SESSION_TIMEOUT_MS = 10_000;
const SEEDS = Array.from({ length: 20 }, (_, seed) => seed);

interface Scene {
  readonly world: World;
  readonly ensemble: Ensemble;
  readonly lease: Lease;
  /** The server that the holder is connected to. */
  readonly server: () => string;
  readonly runUntil: (until: () => boolean) => Promise<void>;
}

/** A holder that has had its lease for a while. */
async function hold(
  seed: number,
  sessionTimeoutMs = SESSION_TIMEOUT_MS,
  tickMs?: number,
): Promise<Scene> {
  const world = createWorld(seed);
  const ensemble = createEnsemble(world, {
    servers: SERVERS,
    syncLimit: 5,
    onCommit: () => undefined,
  });
  ensemble.start();
  const gate = createProcessGate();
  const transport = transportOf(ensemble, 'holder', gate);
  let server = '';
  let lease: Lease | undefined;
  const runUntil = async (until: () => boolean): Promise<void> => {
    while (!until()) {
      expect(world.step()).toBe(true);
      await settle();
    }
  };
  const opening = openZooKeeperStore({
    address: ZK_ADDRESS,
    sessionTimeoutMs,
    tickMs,
    clock: createProcessClock(world, { name: 'holder', gate, rate: 1, offsetMs: () => 0 }),
    random: seededRandom(seed),
    logger: silentLogger,
    transport: (address, listener) => {
      server = address.host;
      return transport(address, listener);
    },
  });
  void opening.then(async (store) => (lease = await store.elect('test', 'holder')));
  await runUntil(() => lease !== undefined);
  const since = world.now();
  await runUntil(() => world.now() > since + SESSION_TIMEOUT_MS);
  if (lease === undefined) throw new Error('nobody was elected');
  expect(lease.isHeld()).toBe(true);
  return { world, ensemble, lease, server: () => server, runUntil };
}

function isThere({ ensemble, lease }: Scene): boolean {
  return [...ensemble.truth.nodes.values()].some(
    ({ czxid, owner }) => owner !== 0n && Number(czxid) === lease.epoch,
  );
}

/** Two ticks, the shortest that servers give: the margin is less than a ping may be late. */
const SHORT_SESSION_MS = 4_000;
const CUTS = [
  { sessionTimeoutMs: SESSION_TIMEOUT_MS, tickMs: undefined },
  { sessionTimeoutMs: SESSION_TIMEOUT_MS, tickMs: TICK_MS },
  { sessionTimeoutMs: SHORT_SESSION_MS, tickMs: undefined },
].flatMap((times) => SEEDS.map((seed) => ({ seed, ...times })));

test.each(CUTS)(
  'the server of the holder is cut off from the others: $sessionTimeoutMs, tick $tickMs, seed $seed',
  async ({ seed, sessionTimeoutMs, tickMs }) => {
    const scene = await hold(seed, sessionTimeoutMs, tickMs);
    const { world, ensemble, lease, server, runUntil } = scene;
    const first = server();
    for (const other of SERVERS) {
      if (other === first) continue;
      ensemble.networkOf(first, other).cut('left');
      ensemble.networkOf(first, other).cut('right');
    }
    const since = world.now();
    await runUntil(() => {
      if (lease.isHeld())
        expect({ at: world.now() - since, isThere: isThere(scene) }).toMatchObject({
          isThere: true,
        });
      return world.now() > since + 4 * SESSION_TIMEOUT_MS;
    });
  },
);

test.each(SEEDS)('a holder whose server dies keeps its lease, seed %i', async (seed) => {
  const scene = await hold(seed);
  const { world, ensemble, lease, server, runUntil } = scene;
  ensemble.crash(server(), 2 * SESSION_TIMEOUT_MS);
  const since = world.now();
  await runUntil(() => world.now() > since + 4 * SESSION_TIMEOUT_MS);
  expect([lease.isHeld(), isThere(scene)]).toEqual([true, true]);
});

test.each(SEEDS)(
  'a holder that its server does not answer keeps its lease, seed %i',
  async (seed) => {
    const scene = await hold(seed);
    const { world, ensemble, lease, server, runUntil } = scene;
    const network = ensemble.networkOf('holder', server());
    network.cut('left');
    network.cut('right');
    const since = world.now();
    await runUntil(() => world.now() > since + 4 * SESSION_TIMEOUT_MS);
    expect([lease.isHeld(), isThere(scene)]).toEqual([true, true]);
  },
);
