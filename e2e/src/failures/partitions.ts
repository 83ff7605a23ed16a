/** Networks that are cut: connections stay open, and say nothing. */

import { expect, test } from 'vitest';
import { waitFor } from '@dcos/testkit';
import { taskIdsOn } from '../checkers.ts';
import { idsOf, PATIENCE_MS, type Scene } from '../scene.ts';

export function partitions(scene: () => Scene): void {
  test('the leading master is cut off from the others, and makes way', async () => {
    const before = await scene().steadyTasks();
    const leader = await scene().leadingMaster();
    const others = scene().mastersBut(leader);
    await scene().whilePeopleWork('the leading master is cut off from the others', async () => {
      await scene().cluster.network.parts([leader], others);
      await scene().leadingMaster(others);
      await scene().leadingScheduler(others);
    });
    await scene().cluster.network.heals();
    expect(idsOf(await scene().steadyTasks())).toEqual(idsOf(before));
  });

  test('an agent is cut off from the masters, its tasks are replaced, and none is left when it is back', async () => {
    const { client, cluster } = scene();
    await scene().agentsAreBack();
    const before = await scene().steadyTasks();
    const host = scene().hostOf(before);
    await scene().whilePeopleWork('an agent is cut off from the masters', async () => {
      await cluster.network.parts([host], cluster.masters);
      await scene().tasksAreElsewhere(host);
    });
    await cluster.network.heals();
    const after = await scene().steadyTasks();
    const kept = before.filter((task) => task.host !== host.address);
    expect(idsOf(after)).toEqual(expect.arrayContaining([...idsOf(kept)]));
    await waitFor(
      'the old tasks to be stopped',
      async () => {
        const known = idsOf((await client.tasks()).filter((task) => task.host === host.address));
        return (await taskIdsOn(host)).every((id) => known.includes(id));
      },
      PATIENCE_MS,
    );
  });
}
