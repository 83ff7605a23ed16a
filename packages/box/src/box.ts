/**
 * The whole cluster in one process: the same programs as on a rack, meeting over HTTP on loopback.
 *
 * Start order is that of dependency: master, agents, Marathon, Mesos-DNS, router. A stop that was asked for
 * ends Marathon first, so that it does not replace what is stopped next; the agents then stop their tasks
 * and keep the outcome, which Marathon learns at the next start, when it brings the apps back.
 */

import { existsSync, statfsSync } from 'node:fs';
import { cpus, totalmem, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { OperationError, type Logger } from '@dcos/base';
import { startAgent, type RunningAgent } from '@dcos/agent';
import { marathonConfigSchema, startMarathon } from '@dcos/marathon';
import { startMaster } from '@dcos/master';
import { startMesosDns } from '@dcos/mesos-dns';
import { startRouter } from '@dcos/router';
import { openSqliteStore } from '@dcos/store';
import type { DataDirectory } from './data-directory.ts';
import type { BoxFlags } from './flags.ts';
import type { Progress, ReadyFacts } from './progress.ts';
import { choosePorts, rememberPorts } from './remembered-ports.ts';
import { planAgents, type AgentPlan, type Machine } from './topology.ts';

const LOOPBACK = '127.0.0.1';
const CLUSTER_NAME = 'box';
const DOCKER_SOCKET = '/var/run/docker.sock';
/** A master that cannot be there: port 1 is reserved and nothing listens on it. */
const NO_MASTER = 'http://127.0.0.1:1';

export interface Box {
  readonly facts: Omit<ReadyFacts, 'readyMs'>;
  /** Stops apps and components; what was running is started again by the next box. Idempotent. */
  stop(): Promise<void>;
  /** Ends the patience of `stop` with tasks that do not end; the next box takes them up. */
  abandonTasks(): void;
}

/** Patience with tasks that do not end when the box is stopped; their own grace is within it. */
const STOP_TASKS_MS_MAX = 120_000;

export interface BoxDependencies {
  readonly logger: Logger;
  readonly progress: Progress;
  /** Folder of the built UI. */
  readonly uiDirectory: string;
  /** Search path of tasks. */
  readonly taskPath: string;
}

/** What has been started so far, so that a failure half-way can be undone in reverse order. */
class Started {
  readonly #closers: (() => Promise<void>)[] = [];

  add(close: () => Promise<void>): void {
    this.#closers.push(close);
  }

  async closeAll(): Promise<void> {
    for (const close of this.#closers.reverse()) await close();
    this.#closers.length = 0;
  }
}

/** Starts everything. When a part fails, what was started is closed again, tasks untouched. */
export async function startBox(
  flags: BoxFlags,
  directory: DataDirectory,
  dependencies: BoxDependencies,
): Promise<Box> {
  const started = new Started();
  try {
    return await startComponents(flags, directory, dependencies, started);
  } catch (error) {
    await started.closeAll();
    throw error;
  }
}

async function startComponents(
  flags: BoxFlags,
  directory: DataDirectory,
  { logger, progress, uiDirectory, taskPath }: BoxDependencies,
  started: Started,
): Promise<Box> {
  const ports = await choosePorts(LOOPBACK, directory.path, {
    master: flags.masterPort,
    marathon: flags.marathonPort,
    dns: flags.dnsPort,
  });
  const store = openSqliteStore(directory.stateFile);
  started.add(() => store.close());

  const master = await startMaster(
    { ip: LOOPBACK, hostname: LOOPBACK, port: ports.master, cluster: CLUSTER_NAME },
    { logger: logger.child({ component: 'master' }), store },
  );
  started.add(() => master.close());
  progress.step('master', 'ready', master.url);

  const agents: RunningAgent[] = [];
  for (const plan of planAgents(flags, thisMachine(directory.path))) {
    agents.push(
      await startPlannedAgent(plan, { directory, masterUrl: master.url, logger, taskPath }),
    );
  }
  for (const agent of agents) started.add(() => agent.close());
  await Promise.all(agents.map((agent) => agent.registered));
  const tasks = runningTasks(agents);
  const takenUp = tasks === 0 ? '' : `; ${tasks} tasks taken up`;
  const counts = `${flags.agents} private, ${flags.publicAgents} public`;
  progress.step('agents', 'ready', counts + takenUp);

  // The router's address is what people and other programs use to reach Marathon's own pages.
  const marathon = await startMarathon(
    marathonConfigSchema.parse({
      httpAddress: LOOPBACK,
      httpPort: ports.marathon,
      masters: [master.url],
      mesosUser: userInfo().username,
      frameworkName: 'marathon',
      mesosRole: 'slave_public',
      acceptedResourceRolesDefaultBehavior: 'unreserved',
    }),
    { logger: logger.child({ component: 'marathon' }), store },
  );
  started.add(() => marathon.close());
  await marathon.leading;
  progress.step('marathon', 'ready', marathon.url);

  const dns = await startMesosDns(
    {
      listener: LOOPBACK,
      port: ports.dns,
      httpListener: LOOPBACK,
      httpPort: 0,
      masters: [master.url],
    },
    { logger: logger.child({ component: 'mesos-dns' }) },
  );
  started.add(() => dns.close());
  progress.step('mesos-dns', 'ready', `${LOOPBACK}:${dns.dnsPort} udp and tcp`);

  const router = await startRouter(
    {
      host: LOOPBACK,
      port: flags.port,
      masters: [master.url],
      marathonUrl: marathon.url,
      mesosDnsUrl: dns.url,
      uiDirectory,
      clusterId: directory.clusterId,
      publicIp: LOOPBACK,
    },
    { logger: logger.child({ component: 'router' }) },
  );
  started.add(() => router.close());
  await router.ready;
  progress.step('router', 'ready', router.url);

  rememberPorts(directory.path, {
    master: master.port,
    marathon: marathon.port,
    dns: dns.dnsPort,
  });
  let stopping: Promise<void> | undefined;
  const abandoned = Promise.withResolvers<void>();
  return {
    abandonTasks: () => abandoned.resolve(),
    facts: {
      url: router.url,
      master: master.url,
      marathon: marathon.url,
      dns: `${LOOPBACK}:${dns.dnsPort}`,
    },
    async stop() {
      const giveUp = setTimeout(() => abandoned.resolve(), STOP_TASKS_MS_MAX).unref();
      stopping ??= stopBox(started, agents, {
        stopMarathon: () => marathon.close(),
        abandoned: abandoned.promise,
        progress,
      });
      await stopping;
      clearTimeout(giveUp);
    },
  };
}

interface AgentSurroundings {
  readonly directory: DataDirectory;
  readonly masterUrl: string;
  readonly logger: Logger;
  readonly taskPath: string;
}

async function startPlannedAgent(
  plan: AgentPlan,
  { directory, masterUrl, logger, taskPath }: AgentSurroundings,
): Promise<RunningAgent> {
  return await startAgent(
    {
      ip: plan.address,
      hostname: plan.address,
      port: 0,
      masters: [masterUrl],
      workDir: directory.agentDirectory(plan.name),
      // The wait spreads the load of thousands of agents; here it would only delay the start.
      registrationBackoffMs: 10,
      registrationBackoffMaxMs: 2_000,
      // On somebody's own machine a task should find what that person finds.
      executorEnvironment: { PATH: taskPath },
      resources: plan.resources,
      attributes: plan.attributes,
      // Another number of agents shares out this machine in another way.
      reconfigurationPolicy: 'any',
      runtimes: existsSync(DOCKER_SOCKET) ? 'process,docker' : 'process',
    },
    { logger: logger.child({ component: 'agent', agent: plan.name }) },
  );
}

interface StopSteps {
  readonly stopMarathon: () => Promise<void>;
  readonly abandoned: Promise<void>;
  readonly progress: Progress;
}

async function stopBox(
  started: Started,
  agents: readonly RunningAgent[],
  { stopMarathon, abandoned, progress }: StopSteps,
): Promise<void> {
  await stopMarathon();
  progress.step('marathon', 'stopped');
  progress.step('apps', 'stopping', `${runningTasks(agents)} tasks`);
  const all = Promise.all(agents.map((agent) => agent.shutdown({ killTasks: true })));
  const ended = await Promise.race([all.then(() => true), abandoned.then(() => false)]);
  if (ended) progress.step('apps', 'stopped');
  else progress.note(`${runningTasks(agents)} tasks did not end; the next start takes them up`);
  await started.closeAll();
  progress.step('cluster', 'stopped');
}

function runningTasks(agents: readonly RunningAgent[]): number {
  return agents.reduce((sum, agent) => sum + agent.snapshot().live.length, 0);
}

function thisMachine(path: string): Machine {
  const disk = statfsSync(path);
  return {
    platform: process.platform,
    cores: cpus().length,
    memoryBytes: totalmem(),
    diskBytes: disk.bavail * disk.bsize,
  };
}

/**
 * Stops whatever a box that was killed left running below this folder: each agent takes up its tasks from
 * its checkpoints and ends them. Used before a folder is emptied.
 */
export async function stopLeftovers(
  directory: string,
  names: readonly string[],
  logger: Logger,
): Promise<void> {
  for (const name of names) {
    const agent = await startAgent(
      {
        ip: LOOPBACK,
        hostname: LOOPBACK,
        port: 0,
        reconfigurationPolicy: 'any',
        // The agent is started to stop its tasks, not to register.
        masters: [NO_MASTER],
        workDir: join(directory, 'agents', name),
        runtimes: existsSync(DOCKER_SOCKET) ? 'process,docker' : 'process',
      },
      { logger },
    );
    const patience = new AbortController();
    const ended = await Promise.race([
      agent.shutdown({ killTasks: true }).then(() => true),
      sleep(STOP_TASKS_MS_MAX, false, { ref: false, signal: patience.signal }),
    ]);
    patience.abort();
    await agent.close();
    if (!ended) {
      throw new OperationError(
        'TASKS_DO_NOT_END',
        `tasks of ${name} in ${directory} do not end; nothing was removed`,
      );
    }
  }
}
