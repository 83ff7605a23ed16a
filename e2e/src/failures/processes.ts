/** Processes that die or stand still: a task, an agent, a master, a scheduler; a host that loses its power; restarts. */

import { expect, test } from 'vitest';
import { waitFor } from '@dcos/testkit';
import { idsOf, PATIENCE_MS, type Scene } from '../scene.ts';

export function processFailures(scene: () => Scene): void {
  test('a task dies, and has a successor', async () => {
    const before = await scene().steadyTasks();
    await scene().whilePeopleWork(
      'a task is killed',
      async () => void (await scene().killsSteadyTask()),
    );
    const after = idsOf(await scene().steadyTasks());
    expect(before.filter(({ id }) => after.includes(id))).toHaveLength(before.length - 1);
  });

  test('an agent process dies, and its tasks do not notice', async () => {
    const before = await scene().steadyTasks();
    await scene().whilePeopleWork('an agent process is killed', async () => {
      await scene().hostOf(before).kills('dcos-mesos-agent');
      expect(idsOf(await scene().steadyTasks())).toEqual(idsOf(before));
    });
  });

  test('the leading master process dies, and another leads', async () => {
    const before = await scene().steadyTasks();
    const leader = await scene().leadingMaster();
    await scene().whilePeopleWork('the leading master process is killed', async () => {
      await leader.kills('dcos-mesos-master');
      await waitFor(
        'another leader',
        async () => (await scene().leadingMaster()) !== leader,
        PATIENCE_MS,
      );
    });
    expect(idsOf(await scene().steadyTasks())).toEqual(idsOf(before));
  });

  test('the leading scheduler process dies, and another takes over', async () => {
    const before = await scene().steadyTasks();
    const leader = await scene().leadingScheduler();
    await scene().whilePeopleWork('the leading scheduler process is killed', async () => {
      await leader.kills('dcos-marathon');
      await waitFor(
        'another leader',
        async () => (await scene().leadingScheduler()) !== leader,
        PATIENCE_MS,
      );
    });
    expect(idsOf(await scene().steadyTasks())).toEqual(idsOf(before));
  });

  test('the host of the leading master loses power, and comes back', async () => {
    const before = await scene().steadyTasks();
    const leader = await scene().leadingMaster();
    const others = scene().mastersBut(leader);
    await scene().whilePeopleWork('the host of the leading master loses power', async () => {
      await leader.losesPower();
      await scene().leadingMaster(others);
      await scene().leadingScheduler(others);
    });
    await leader.getsPower();
    expect(idsOf(await scene().steadyTasks())).toEqual(idsOf(before));
  });

  test('the leading master is frozen for longer than its session, and wakes up as no leader', async () => {
    const before = await scene().steadyTasks();
    const leader = await scene().leadingMaster();
    const others = scene().mastersBut(leader);
    await scene().whilePeopleWork('the leading master is frozen', async () => {
      await leader.freezesUnit('dcos-mesos-master');
      await scene().leadingMaster(others);
    });
    await leader.thawsUnit('dcos-mesos-master');
    const next = await scene().leadingMaster(others);
    await waitFor(
      'the former leader to follow',
      async () => (await scene().leadingMaster([leader, next])) === next,
    );
    expect(idsOf(await scene().steadyTasks())).toEqual(idsOf(before));
  });
}

/** These end hosts and processes for good, and come last. */
export function endings(scene: () => Scene): void {
  test('an agent host burns, and its tasks run elsewhere', async () => {
    const { cluster } = scene();
    await scene().agentsAreBack();
    const before = await scene().steadyTasks();
    const host = scene().hostOf(before);
    cluster.agents = cluster.agents.filter((agent) => agent !== host);
    await scene().whilePeopleWork('an agent host burns', async () => {
      await host.burns();
      await scene().tasksAreElsewhere(host);
    });
    const kept = before.filter((task) => task.host !== host.address);
    expect(idsOf(await scene().steadyTasks())).toEqual(expect.arrayContaining([...idsOf(kept)]));
  });

  test('everything is restarted, host by host, and no task notices', async () => {
    const { cluster } = scene();
    const before = await scene().steadyTasks();
    await scene().whilePeopleWork('a rolling restart of everything', async () => {
      for (const host of cluster.masters) {
        await host.does('systemctl', 'restart', 'dcos-zookeeper');
        await host.does('systemctl', 'restart', 'dcos-mesos-master', 'dcos-marathon');
        await host.does('systemctl', 'restart', 'dcos-mesos-dns', 'dcos-adminrouter');
        await scene().leadingMaster();
        await scene().leadingScheduler();
      }
      for (const host of cluster.agents)
        await host.does('systemctl', 'restart', 'dcos-mesos-agent');
    });
    expect(idsOf(await scene().steadyTasks())).toEqual(idsOf(before));
  });
}
