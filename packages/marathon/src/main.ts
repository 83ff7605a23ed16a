/** The scheduler as a process of its own; exit codes are the original's. */

import type { Logger } from '@dcos/base';
import { readTls, type ClientTls } from '@dcos/http';
import { systemClock, systemRandom } from '@dcos/sdk';
import { openMemoryStore, openSqliteStore, openZooKeeperStore, type Store } from '@dcos/store';
import { runProgram } from '@dcos/telemetry';
import { ELECTION, leadershipLost } from './shell/candidacy.ts';
import { marathonConfigSchema, type MarathonConfig } from './shell/config.ts';
import { startMarathon } from './shell/start-marathon.ts';

await runProgram({
  name: 'marathon',
  schema: marathonConfigSchema,
  environmentPrefix: 'MARATHON_',
  exitCodes: {
    usage: 112,
    failed: 107,
    of: { STORE_UNAVAILABLE: 100, MARATHON_LEADERSHIP_LOST: 103 },
  },
  async start(config, { logger, fail }) {
    const tls = readTls(config);
    const store = await openStore(config, logger, tls.client);
    const abdicate = async (): Promise<void> => {
      await marathon.stepDown();
      fail(leadershipLost());
    };
    const marathon = await startMarathon(config, {
      logger,
      store,
      tls,
      onFailure: fail,
      ...(config.zk !== undefined && { abdicate: () => void abdicate() }),
    });
    logger.info({ event: 'marathon.ready', url: marathon.url }, `serves at ${marathon.url}`);
    return {
      async close() {
        await marathon.stepDown();
        await marathon.close();
        await store.close();
      },
    };
  },
});

async function openStore(
  { zk, zkTls, zkSessionTimeoutMs, zkTickMs, storePath }: MarathonConfig,
  logger: Logger,
  tls: ClientTls,
): Promise<Store> {
  if (zk === undefined)
    return storePath === undefined ? openMemoryStore() : openSqliteStore(storePath);
  const address = zk.reveal();
  const directory = `${address.path === '/' ? '' : address.path}/leader-curator`;
  return await openZooKeeperStore({
    address,
    sessionTimeoutMs: zkSessionTimeoutMs,
    tickMs: zkTickMs,
    clock: systemClock,
    random: systemRandom,
    logger,
    tls: zkTls ? tls : undefined,
    // Where those look who know the original.
    layouts: { [ELECTION]: { directory, prefix: 'latch-' } },
  });
}
