/** One server of ZooKeeper is cut off from the other two, or has no room on its disk: a minority that nobody needs. */

import { expect, test } from 'vitest';
import { waitFor } from '@dcos/testkit';
import { modeOf, ZOOKEEPER_UNIT as UNIT } from '../ensemble.ts';
import type { Host } from '../host.ts';
import { idsOf, IS_NIGHTLY, PATIENCE_MS, type Scene } from '../scene.ts';
import { ENSEMBLE_PORTS, ZOOKEEPER_FOLDER } from '../units.ts';

const DISK_MB = 160;

export function zooKeeperMinority(scene: () => Scene): void {
  const places: readonly (readonly [string, (leader: Host) => Host])[] = [
    ['the leading master', (leader) => leader],
    ['a master that follows', (leader) => scene().mastersBut(leader)[0] ?? leader],
  ];
  // Where no leader is, less can happen: by night only.
  test.each(places.slice(0, IS_NIGHTLY ? 2 : 1))(
    'the ZooKeeper server beside %s is cut off from the other two',
    async (beside, hostBeside) => {
      const before = await scene().steadyTasks();
      const host = hostBeside(await scene().leadingMaster());
      const { network } = scene().cluster;
      await scene().whilePeopleWork(`ZooKeeper beside ${beside} is cut off`, async () => {
        await network.parts([host], scene().mastersBut(host), ENSEMBLE_PORTS);
        await waitFor(
          'it to serve nobody',
          async () => (await modeOf(host)) === undefined,
          PATIENCE_MS,
        );
        await scene().leadingMaster();
        await scene().leadingScheduler();
      });
      await network.heals();
      await waitFor('it to be back', async () => await modeOf(host), PATIENCE_MS);
      expect(idsOf(await scene().steadyTasks())).toEqual(idsOf(before));
    },
  );

  test('the disk of the ZooKeeper server beside the leading master is full, and has room again', async () => {
    const before = await scene().steadyTasks();
    const host = await scene().leadingMaster();
    await host.does('systemctl', 'stop', UNIT);
    await host.getsSmallDisk(ZOOKEEPER_FOLDER, DISK_MB);
    await host.does('systemctl', 'start', UNIT);
    await waitFor('it to be back', async () => await modeOf(host), PATIENCE_MS);
    await scene().leadingMaster();
    await scene().whilePeopleWork('the disk of a ZooKeeper server is full', async () => {
      await host.fillsDisk(ZOOKEEPER_FOLDER);
      await waitFor(
        'it to serve nobody',
        async () => (await modeOf(host)) === undefined,
        PATIENCE_MS,
      );
      await scene().leadingMaster();
      await scene().leadingScheduler();
    });
    await host.freesDisk(ZOOKEEPER_FOLDER);
    await waitFor('it to be back', async () => await modeOf(host), PATIENCE_MS);
    expect(idsOf(await scene().steadyTasks())).toEqual(idsOf(before));
  });
}
