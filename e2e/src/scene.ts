/**
 * A cluster at work: an app that nobody changes, people who change others, people who ask. Failures are done to it, one
 * after the other, and what each cost those people is measured. docs/operations/failures.md has the figures.
 */

import type { Browser, Page } from 'playwright-core';
import { launchBrowser, openPage, waitFor } from '@dcos/testkit';
import { startAsking, type Balancer } from './answers.ts';
import { startCluster, type Cluster } from './cluster.ts';
import { ASKED, type Answer } from './history.ts';
import type { Host } from './host.ts';
import { startLoadBalancer } from './load-balancer.ts';
import { startLoad, webServer, type Load } from './load.ts';
import { SchedulerClient, type Task } from './scheduler-client.ts';

export const PATIENCE_MS = 120_000;
/** Whether there is time for what takes minutes. */
export const IS_NIGHTLY = process.env['E2E_NIGHTLY'] === '1';
const STEADY_INSTANCES = 6;
/** On more than one host, with room on any two of three; behind the router and in the DNS by its name. */
const STEADY = {
  ...webServer('/steady', STEADY_INSTANCES),
  constraints: [['hostname', 'MAX_PER', '3']],
  labels: {
    DCOS_SERVICE_NAME: 'steady',
    DCOS_SERVICE_SCHEME: 'http',
    DCOS_SERVICE_PORT_INDEX: '0',
  },
};

export const idsOf = (tasks: readonly Task[]): readonly string[] =>
  tasks.map(({ id }) => id).toSorted();

export class Scene {
  readonly cluster: Cluster;
  readonly client: SchedulerClient;
  readonly load: Load;
  readonly measured: string[] = [];
  readonly #stopAsking: () => Promise<void>;
  #browser: Browser | undefined;

  private constructor(cluster: Cluster, client: SchedulerClient, balancer: Balancer) {
    this.cluster = cluster;
    this.client = client;
    this.load = startLoad(() => schedulers(cluster));
    const agents = cluster.agents.map(({ address }) => address);
    this.#stopAsking = startAsking(this.load.history, {
      hosts: cluster.masters,
      name: 'steady.marathon.mesos',
      addresses: () => agents,
      path: '/service/steady/',
      balancer,
    });
  }

  /** Resolves when the steady app runs and people are at work. */
  static async open(name: string): Promise<Scene> {
    const size = { masters: 3, privateAgents: 3, publicAgents: 1 };
    const cluster = await startCluster(name, size);
    try {
      const client = schedulers(cluster);
      await waitFor(
        'the steady app to be taken',
        async () =>
          (await client.changes('PUT', '/v2/apps/steady', STEADY)).outcome === 'acknowledged',
        PATIENCE_MS,
      );
      await steadyTasks(client);
      return new Scene(cluster, client, await openBalancer(cluster));
    } catch (error) {
      await cluster.isRemoved();
      throw error;
    }
  }

  /** People go home; resolves when the last one has heard the answer. */
  async stops(): Promise<void> {
    await Promise.all([this.load.stops(), this.#stopAsking()]);
  }

  /** The console of the first master's router in a browser, once it shows what happens. */
  async console(): Promise<Page> {
    this.#browser ??= await launchBrowser();
    const { page } = await openPage(this.#browser, `http://${this.cluster.masters[0]?.address}/`);
    page.setDefaultTimeout(PATIENCE_MS);
    await page.locator('.live[data-state="open"]').waitFor();
    return page;
  }

  async isRemoved(): Promise<void> {
    await this.#browser?.close();
    await this.stops();
    await this.cluster.isRemoved();
  }

  hostAt(address: string | undefined): Host | undefined {
    return [...this.cluster.masters, ...this.cluster.agents].find(
      (host) => host.address === address,
    );
  }

  /** The host of the first of these tasks. */
  hostOf([task]: readonly Task[]): Host {
    const host = this.hostAt(task?.host);
    if (host === undefined) throw new Error('the host of a task is unknown');
    return host;
  }

  /** The master that a living one names as the leader. */
  async leadingMaster(among: readonly Host[] = this.cluster.masters): Promise<Host> {
    return await this.#leader('a leading master', among, async ({ address }) => {
      const answer = await ask(`http://${address}:5050/redirect`);
      return /^\/\/([^:/]+)/.exec(answer.headers.get('location') ?? '')?.[1];
    });
  }

  async leadingScheduler(among: readonly Host[] = this.cluster.masters): Promise<Host> {
    return await this.#leader('a leading scheduler', among, async ({ address }) => {
      const answer = await ask(`http://${address}:8080/v2/leader`);
      if (!answer.ok) return undefined;
      const { leader } = (await answer.json()) as { readonly leader: string };
      return leader.split(':')[0];
    });
  }

  async #leader(
    what: string,
    among: readonly Host[],
    leaderAt: (host: Host) => Promise<string | undefined>,
  ): Promise<Host> {
    return await waitFor(
      what,
      async () => {
        for (const asked of among) {
          const host = this.hostAt(await leaderAt(asked).catch(() => undefined));
          if (host !== undefined && among.includes(host)) return host;
        }
        return undefined;
      },
      PATIENCE_MS,
    );
  }

  /** The other masters' hosts. */
  mastersBut(...hosts: readonly Host[]): readonly Host[] {
    return this.cluster.masters.filter((host) => !hosts.includes(host));
  }

  /** The tasks of the app that nobody changes, once all of them run and answer. */
  async steadyTasks(): Promise<readonly Task[]> {
    return await steadyTasks(this.client);
  }

  /** A task of the steady app dies; resolves with its id when its successor runs. */
  async killsSteadyTask(): Promise<string> {
    const [victim] = await this.steadyTasks();
    if (victim === undefined) throw new Error('the steady app has no task');
    const pattern = `^python3 -m http.server ${victim.ports[0]} `;
    await this.hostOf([victim]).does('pkill', '-9', '-f', pattern);
    await waitFor(
      'its end to be known',
      async () => !idsOf(await this.client.tasks()).includes(victim.id),
      PATIENCE_MS,
    );
    await this.steadyTasks();
    return victim.id;
  }

  /** What became of tasks, as the leading master tells it: id, state and why. */
  async fates(ids: readonly string[]): Promise<readonly string[]> {
    const { address } = await this.leadingMaster();
    const answer = await ask(`http://${address}:5050/tasks?limit=10000`);
    const { tasks } = (await answer.json()) as { readonly tasks: readonly TaskFate[] };
    return ids.map((id) => {
      const found = tasks.find((task) => task.id === id);
      const why = found?.statuses?.map(({ message }) => message ?? '').join('; ');
      return `${id} ${found?.state ?? 'is not known any more'} ${why ?? ''}`;
    });
  }

  /** Resolves when people have made this many changes from now on. */
  async peopleMakeChanges(count: number): Promise<void> {
    const nowMs = performance.now();
    await waitFor(
      `${count} changes`,
      () => {
        const made = this.load.history.operations.filter(
          ({ outcome, startedMs }) => outcome === 'acknowledged' && startedMs > nowMs,
        );
        return made.length >= count;
      },
      PATIENCE_MS,
    );
  }

  /** None of the tasks of this host is there any more, others have taken their place. */
  async tasksAreElsewhere(host: Host): Promise<void> {
    await waitFor(
      'its tasks to be elsewhere',
      async () => (await this.steadyTasks()).every((task) => task.host !== host.address),
      PATIENCE_MS,
    );
  }

  /** All agents are at the leading master; one that is lost before that counts as lost much later. */
  async agentsAreBack(): Promise<void> {
    const { address } = await this.leadingMaster();
    await waitFor(
      'all agents to be back',
      async () => {
        const answer = await ask(`http://${address}:5050/slaves`);
        const { slaves } = (await answer.json()) as {
          readonly slaves: readonly { readonly active: boolean }[];
        };
        return slaves.filter(({ active }) => active).length === this.cluster.agents.length;
      },
      PATIENCE_MS,
    );
  }

  /** Does something to the cluster, and waits until people can work again. */
  async whilePeopleWork(fault: string, does: () => Promise<void>): Promise<void> {
    const { history } = this.load;
    const startedMs = performance.now();
    await does();
    const repairedMs = performance.now();
    const isAfter = ({ startedMs: at }: { readonly startedMs: number }): boolean => at > repairedMs;
    await waitFor(
      `people to work after: ${fault}`,
      () => history.operations.some((each) => each.outcome === 'acknowledged' && isAfter(each)),
      PATIENCE_MS,
    );
    for (const what of ASKED) {
      await waitFor(
        `${what} to be right after: ${fault}`,
        () => {
          const said = history.answers.filter((each) => each.what === what && isAfter(each));
          if (said.some(({ outcome }) => outcome === 'right')) return true;
          throw new Error(said.at(-1)?.detail);
        },
        PATIENCE_MS,
      );
    }
    const endedMs = performance.now();
    const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
    const waited = (what: Answer['what']): string =>
      `${what} for ${seconds(history.longestWithoutAnswerMs(what, startedMs, endedMs))}`;
    this.measured.push(
      `${fault}: changes waited for ${seconds(history.longestSilenceMs(startedMs, endedMs))} at most, ` +
        ASKED.map(waited).join(', '),
    );
  }
}

/** On the host that is never failed: a load balancer is somebody else's machine. */
async function openBalancer({ masters, agents }: Cluster): Promise<Balancer> {
  const host = agents.find(({ name }) => name.startsWith('public'));
  if (host === undefined) throw new Error('the cluster has no public agent');
  const url = await startLoadBalancer(host, {
    nameServers: masters,
    service: '_steady._tcp.marathon.mesos',
  });
  await waitFor('the load balancer', async () => (await ask(url)).ok, PATIENCE_MS);
  return { host, url };
}

interface TaskFate {
  readonly id: string;
  readonly state: string;
  readonly statuses?: readonly { readonly message?: string }[];
}

export async function answers({ host, ports }: Task): Promise<void> {
  const answer = await fetch(`http://${host}:${ports[0]}/`, { signal: AbortSignal.timeout(2_000) });
  await answer.arrayBuffer();
}

async function ask(url: string): Promise<Response> {
  return await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(1_000) });
}

function schedulers(cluster: Cluster): SchedulerClient {
  return new SchedulerClient(cluster.masters.map(({ address }) => `http://${address}:8080`));
}

async function steadyTasks(client: SchedulerClient): Promise<readonly Task[]> {
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
