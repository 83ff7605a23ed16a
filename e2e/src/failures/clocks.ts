/** Wall clocks that are wrong, and that jump. */

import { expect, test } from 'vitest';
import { idsOf, type Scene } from '../scene.ts';

const MINUTES = 60;
const CHANGES = 8;

export function clocks(scene: () => Scene): void {
  test('clocks are ten minutes off and jump while all goes on: nobody notices', async () => {
    const { masters } = scene().cluster;
    await scene().agentsAreBack();
    const agent = scene().hostOf(await scene().steadyTasks());
    await agent.hasClockThatErrs('dcos-mesos-agent');
    for (const host of masters) {
      await host.hasClockThatErrs('dcos-mesos-master', 'dcos-marathon');
      await scene().leadingMaster();
      await scene().leadingScheduler();
    }
    await scene().agentsAreBack();
    // All that was restarted has settled: from now on nothing but clocks changes.
    const before = await scene().steadyTasks();
    const leader = await scene().leadingMaster();
    const scheduler = await scene().leadingScheduler();
    const victims: string[] = [];
    for (const minutes of [10, -10]) {
      const way = minutes > 0 ? 'forth' : 'back';
      await scene().whilePeopleWork(
        `clocks jump ${way} by ${minutes > 0 ? 10 : 20} minutes`,
        async () => {
          for (const host of new Set([leader, scheduler]))
            await host.clockErrsBy(minutes * MINUTES);
          await agent.clockErrsBy(-minutes * MINUTES);
          await scene().peopleMakeChanges(CHANGES);
          // A task that dies has its successor after a second, whatever the clock says.
          victims.push(await scene().killsSteadyTask());
        },
      );
    }
    for (const host of [...masters, agent]) await host.clockErrsBy(0);
    victims.push(await scene().killsSteadyTask());
    const after = idsOf(await scene().steadyTasks());
    const lost = idsOf(before).filter((id) => !after.includes(id) && !victims.includes(id));
    expect(await scene().fates(lost)).toEqual([]);
    await scene().agentsAreBack();
  });
}
