/**
 * The failures of the talks and those that they left out, one after the other, on hosts of their own, while people go
 * on working. What each costs them is printed; docs/operations/failures.md has the figures.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dockerImage, waitFor } from '@dcos/testkit';
import { taskIdsOn, violations } from './checkers.ts';
import { SESSION_TIMEOUT_MS, startCluster, type Cluster } from './cluster.ts';
import { HOST_IMAGE } from './engine.ts';
import type { Host } from './host.ts';
import { startLoad, webServer, type Load } from './load.ts';
import { SchedulerClient, type Task } from './scheduler-client.ts';

const facility = dockerImage(HOST_IMAGE);
const PATIENCE_MS = 120_000;
const STEADY_INSTANCES = 6;
/** On more than one host, with room on any two of three. */
const STEADY = {
  ...webServer('/steady', STEADY_INSTANCES),
  constraints: [['hostname', 'MAX_PER', '3']],
};

let cluster: Cluster;
let load: Load;
let client: SchedulerClient;
const measured: string[] = [];

const schedulers = (): SchedulerClient =>
  new SchedulerClient(cluster.masters.map(({ address }) => `http://${address}:8080`));

const hostAt = (address: string | undefined): Host | undefined =>
  [...cluster.masters, ...cluster.agents].find((host) => host.address === address);

/** The master that a living one names as the leader. */
async function leadingMaster(among: readonly Host[] = cluster.masters): Promise<Host> {
  return await waitFor(
    'a leading master',
    async () => {
      for (const { address } of among) {
        const answer = await fetch(`http://${address}:5050/redirect`, {
          redirect: 'manual',
          signal: AbortSignal.timeout(1_000),
        }).catch(() => undefined);
        const leader = /^\/\/([^:/]+)/.exec(answer?.headers.get('location') ?? '')?.[1];
        const host = hostAt(leader);
        if (host !== undefined && among.includes(host)) return host;
      }
      return undefined;
    },
    PATIENCE_MS,
  );
}

async function leadingScheduler(among: readonly Host[] = cluster.masters): Promise<Host> {
  return await waitFor(
    'a leading scheduler',
    async () => {
      for (const { address } of among) {
        const answer = await fetch(`http://${address}:8080/v2/leader`, {
          signal: AbortSignal.timeout(1_000),
        }).catch(() => undefined);
        if (answer?.ok !== true) continue;
        const { leader } = (await answer.json()) as { readonly leader: string };
        const host = hostAt(leader.split(':')[0]);
        if (host !== undefined && among.includes(host)) return host;
      }
      return undefined;
    },
    PATIENCE_MS,
  );
}

/** The tasks of the app that nobody changes, once all of them run and answer. */
async function steadyTasks(): Promise<readonly Task[]> {
  return await waitFor(
    'all tasks of the steady app',
    async () => {
      const tasks = (await client.tasks()).filter(
        ({ appId, state }) => appId === '/steady' && state === 'TASK_RUNNING',
      );
      if (tasks.length !== STEADY_INSTANCES) return undefined;
      await Promise.all(tasks.map(answers));
      return tasks;
    },
    PATIENCE_MS,
  );
}

/** All agents are at the leading master; one that is lost before that counts as lost much later. */
async function agentsAreBack(): Promise<void> {
  const { address } = await leadingMaster();
  await waitFor(
    'all agents to be back',
    async () => {
      const answer = await fetch(`http://${address}:5050/slaves`);
      const { slaves } = (await answer.json()) as {
        readonly slaves: readonly { readonly active: boolean }[];
      };
      return slaves.filter(({ active }) => active).length === cluster.agents.length;
    },
    PATIENCE_MS,
  );
}

async function answers({ host, ports }: Task): Promise<void> {
  const answer = await fetch(`http://${host}:${ports[0]}/`, { signal: AbortSignal.timeout(2_000) });
  await answer.arrayBuffer();
}

const idsOf = (tasks: readonly Task[]): readonly string[] => tasks.map(({ id }) => id).toSorted();

/** Does something to the cluster, and waits until people can work again. */
async function whilePeopleWork(fault: string, does: () => Promise<void>): Promise<void> {
  const startedMs = performance.now();
  await does();
  const repairedMs = performance.now();
  await waitFor(
    `people to work after: ${fault}`,
    () =>
      load.history.operations.some(
        ({ outcome, startedMs: at }) => outcome === 'acknowledged' && at > repairedMs,
      ),
    PATIENCE_MS,
  );
  const silenceMs = load.history.longestSilenceMs(startedMs, performance.now());
  measured.push(`${fault}: changes waited for ${(silenceMs / 1000).toFixed(1)} s at most`);
}

describe.skipIf(!facility.available)(`a cluster of seven hosts${facility.note}`, () => {
  beforeAll(async () => {
    cluster = await startCluster('failures', { masters: 3, privateAgents: 3, publicAgents: 1 });
    client = schedulers();
    await leadingScheduler();
    await waitFor(
      'the steady app to be taken',
      async () =>
        (await client.changes('PUT', '/v2/apps/steady', STEADY)).outcome === 'acknowledged',
      PATIENCE_MS,
    );
    await steadyTasks();
    load = startLoad(schedulers);
  });

  afterAll(async () => {
    await load?.stops();
    process.stdout.write(`${measured.join('\n')}\n`);
    await cluster?.isRemoved();
  });

  test('a task dies, and has a successor', async () => {
    const [victim, ...others] = await steadyTasks();
    await whilePeopleWork('a task is killed', async () => {
      await hostAt(victim?.host)?.does(
        'pkill',
        '-9',
        '-f',
        `^python3 -m http.server ${victim?.ports[0]} `,
      );
      await waitFor(
        'its end to be known',
        async () => !idsOf(await client.tasks()).includes(victim?.id ?? ''),
      );
      const after = idsOf(await steadyTasks());
      expect(after).toEqual(expect.arrayContaining([...idsOf(others)]));
    });
  });

  test('an agent process dies, and its tasks do not notice', async () => {
    const before = await steadyTasks();
    await whilePeopleWork('an agent process is killed', async () => {
      await hostAt(before[0]?.host)?.kills('dcos-mesos-agent');
      expect(idsOf(await steadyTasks())).toEqual(idsOf(before));
    });
  });

  test('the leading master process dies, and another leads', async () => {
    const before = await steadyTasks();
    const leader = await leadingMaster();
    await whilePeopleWork('the leading master process is killed', async () => {
      await leader.kills('dcos-mesos-master');
      await waitFor('another leader', async () => (await leadingMaster()) !== leader, PATIENCE_MS);
    });
    expect(idsOf(await steadyTasks())).toEqual(idsOf(before));
  });

  test('the leading scheduler process dies, and another takes over', async () => {
    const before = await steadyTasks();
    const leader = await leadingScheduler();
    await whilePeopleWork('the leading scheduler process is killed', async () => {
      await leader.kills('dcos-marathon');
      await waitFor(
        'another leader',
        async () => (await leadingScheduler()) !== leader,
        PATIENCE_MS,
      );
    });
    expect(idsOf(await steadyTasks())).toEqual(idsOf(before));
  });

  test('the host of the leading master loses power, and comes back', async () => {
    const before = await steadyTasks();
    const leader = await leadingMaster();
    const others = cluster.masters.filter((host) => host !== leader);
    await whilePeopleWork('the host of the leading master loses power', async () => {
      await leader.losesPower();
      await leadingMaster(others);
      await leadingScheduler(others);
    });
    await leader.getsPower();
    expect(idsOf(await steadyTasks())).toEqual(idsOf(before));
  });

  test('the leading master is frozen for longer than its session, and wakes up as no leader', async () => {
    const before = await steadyTasks();
    const leader = await leadingMaster();
    const others = cluster.masters.filter((host) => host !== leader);
    await whilePeopleWork('the leading master is frozen', async () => {
      await leader.freezesUnit('dcos-mesos-master');
      await leadingMaster(others);
    });
    await leader.thawsUnit('dcos-mesos-master');
    const next = await leadingMaster(others);
    await waitFor(
      'the former leader to follow',
      async () => (await leadingMaster([leader, next])) === next,
    );
    expect(idsOf(await steadyTasks())).toEqual(idsOf(before));
  });

  test('the leading master is cut off from the others, and makes way', async () => {
    const before = await steadyTasks();
    const leader = await leadingMaster();
    const others = cluster.masters.filter((host) => host !== leader);
    await whilePeopleWork('the leading master is cut off from the other masters', async () => {
      await cluster.network.parts([leader], others);
      await leadingMaster(others);
      await leadingScheduler(others);
    });
    await cluster.network.heals();
    expect(idsOf(await steadyTasks())).toEqual(idsOf(before));
  });

  test('an agent is cut off from the masters, its tasks are replaced, and none is left when it is back', async () => {
    await agentsAreBack();
    const before = await steadyTasks();
    const host = hostAt(before[0]?.host);
    if (host === undefined) throw new Error('the host of a task is unknown');
    await whilePeopleWork('an agent is cut off from the masters', async () => {
      await cluster.network.parts([host], cluster.masters);
      await waitFor(
        'its tasks to be elsewhere',
        async () => (await steadyTasks()).every((task) => task.host !== host.address),
        PATIENCE_MS,
      );
    });
    await cluster.network.heals();
    const after = await steadyTasks();
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

  test('ZooKeeper is away: tasks run on, changes are refused, and it needs no hand afterwards', async () => {
    const before = await steadyTasks();
    for (const host of cluster.masters) await host.does('systemctl', 'stop', 'dcos-zookeeper');
    const operations = load.history.operations.length;
    await waitFor(
      'changes to fail',
      () => load.history.operations.slice(operations).some(({ outcome }) => outcome === 'unknown'),
      PATIENCE_MS,
    );
    // Every session is over by now.
    const stoppedMs = performance.now();
    await waitFor(
      'the sessions to end',
      () => performance.now() - stoppedMs > 2 * SESSION_TIMEOUT_MS,
    );
    await Promise.all(before.map(answers));
    await whilePeopleWork('ZooKeeper is back after it was away', async () => {
      for (const host of cluster.masters) await host.does('systemctl', 'start', 'dcos-zookeeper');
      await leadingMaster();
      await leadingScheduler();
    });
    expect(idsOf(await steadyTasks())).toEqual(idsOf(before));
  });

  test('an agent host burns, and its tasks run elsewhere', async () => {
    await agentsAreBack();
    const before = await steadyTasks();
    const host = hostAt(before[0]?.host);
    if (host === undefined) throw new Error('the host of a task is unknown');
    cluster.agents = cluster.agents.filter((agent) => agent !== host);
    await whilePeopleWork('an agent host burns', async () => {
      await host.burns();
      await waitFor(
        'its tasks to be elsewhere',
        async () => (await steadyTasks()).every((task) => task.host !== host.address),
        PATIENCE_MS,
      );
    });
    const kept = before.filter((task) => task.host !== host.address);
    expect(idsOf(await steadyTasks())).toEqual(expect.arrayContaining([...idsOf(kept)]));
  });

  test('everything is restarted, host by host, and no task notices', async () => {
    const before = await steadyTasks();
    await whilePeopleWork('a rolling restart of everything', async () => {
      for (const host of cluster.masters) {
        await host.does('systemctl', 'restart', 'dcos-zookeeper');
        await host.does('systemctl', 'restart', 'dcos-mesos-master', 'dcos-marathon');
        await leadingMaster();
        await leadingScheduler();
      }
      for (const host of cluster.agents)
        await host.does('systemctl', 'restart', 'dcos-mesos-agent');
    });
    expect(idsOf(await steadyTasks())).toEqual(idsOf(before));
  });

  test('afterwards nothing that was promised is lost', async () => {
    await load.stops();
    await waitFor(
      'all deployments to end',
      async () => {
        const deployments = (await client.reads('/v2/deployments')) as readonly unknown[];
        if (deployments.length === 0) return true;
        const queue = await client.reads('/v2/queue');
        throw new Error(`${JSON.stringify(deployments[0])}; waiting: ${JSON.stringify(queue)}`);
      },
      PATIENCE_MS,
    );
    const acknowledged = load.history.operations.filter(
      ({ outcome }) => outcome === 'acknowledged',
    );
    measured.push(
      `${load.history.operations.length} operations, ${acknowledged.length} acknowledged`,
    );
    // Processes that were told to end have a moment to do so.
    let found: readonly string[] = [];
    await waitFor(
      'the checkers to find nothing',
      async () => {
        found = await violations({
          history: load.history,
          apps: await client.apps(),
          tasks: await client.tasks(),
          agents: cluster.agents,
        });
        return found.length === 0;
      },
      30_000,
    ).catch(() => undefined);
    expect(found).toEqual([]);
  });
});
