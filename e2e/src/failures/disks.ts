/** Disks that are full or slow. */

import { expect, test } from 'vitest';
import { waitFor } from '@dcos/testkit';
import { leadingServer, ZOOKEEPER_UNIT } from '../ensemble.ts';
import { idsOf, PATIENCE_MS, type Scene } from '../scene.ts';
import { AGENT_FOLDER } from '../units.ts';

const AGENT_UNIT = 'dcos-mesos-agent';
const SLOW_MS = 500;
/** How many changes are made on a slow disk. */
const CHANGES = 8;

export function disks(scene: () => Scene): void {
  test('the disk of an agent is full: what runs there goes on, and it has work again when there is room', async () => {
    await scene().agentsAreBack();
    const before = await scene().steadyTasks();
    const host = scene().hostOf(before);
    await scene().whilePeopleWork('the disk of an agent is full', async () => {
      await host.fillsDisk(AGENT_FOLDER);
      await scene().peopleMakeChanges(CHANGES);
      expect(idsOf(await scene().steadyTasks())).toEqual(idsOf(before));
    });
    await host.freesDisk(AGENT_FOLDER);
    await waitFor(
      'the agent to take work again',
      async () => (await host.journal(AGENT_UNIT, 'all')).includes('"event":"disk.room"'),
      PATIENCE_MS,
    );
    expect(idsOf(await scene().steadyTasks())).toEqual(idsOf(before));
  });

  test('the disk of the leading ZooKeeper server is slow: changes take longer', async () => {
    const before = await scene().steadyTasks();
    const host = await leadingServer(scene().cluster.masters, PATIENCE_MS);
    await scene().whilePeopleWork('the disk of the leading ZooKeeper server is slow', async () => {
      await host.slowsDisk(ZOOKEEPER_UNIT, SLOW_MS);
      await scene().peopleMakeChanges(CHANGES);
    });
    await host.speedsDiskUp(ZOOKEEPER_UNIT);
    expect(idsOf(await scene().steadyTasks())).toEqual(idsOf(before));
  });

  test('the disk of an agent is slow: what runs goes on', async () => {
    const before = await scene().steadyTasks();
    const host = scene().hostOf(before);
    await scene().whilePeopleWork('the disk of an agent is slow', async () => {
      await host.slowsDisk(AGENT_UNIT, SLOW_MS);
      await scene().peopleMakeChanges(CHANGES);
    });
    await host.speedsDiskUp(AGENT_UNIT);
    expect(idsOf(await scene().steadyTasks())).toEqual(idsOf(before));
  });
}
