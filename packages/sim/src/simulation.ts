/**
 * One run: a cluster, faults from the seed, checkers after every step, then a quiet time without faults after
 * which nothing may be left unsaid.
 */

import { createAllocator } from '@dcos/allocator';
import { createMaster } from '@dcos/master/core';
import {
  checkFrameworks,
  checkHosts,
  checkQuiet,
  checkResources,
  createAcknowledgementChecker,
  createAgentStateChecker,
  createContainerChecker,
  createRegistryChecker,
  createUpdateChecker,
  type Verdict,
} from './checkers.ts';
import { createSimulatedAgent, type AgentFactory, type SimulatedAgent } from './simulated-agent.ts';
import { createSimulatedFramework, type SimulatedFramework } from './simulated-framework.ts';
import {
  createSimulatedMaster,
  type AllocatorFactory,
  type MasterFactory,
  type SimulatedMaster,
} from './simulated-master.ts';
import { createWorld, type World } from './world.ts';

export interface SimulationOptions {
  readonly seed: number;
  /** Events of the world before the quiet time begins. */
  readonly steps: number;
  /** No crashes, breaks or stalls; delays and lost calls remain. */
  readonly faults: boolean;
  /** The allocator of every master; the real one when absent. Tests pass broken ones. */
  readonly newAllocator?: AllocatorFactory;
  /** The core of every master process; the real one when absent. */
  readonly newMaster?: MasterFactory;
  /** The core of every agent process; the real one when absent. */
  readonly newAgent?: AgentFactory;
}

export interface SimulationResult {
  readonly seed: number;
  readonly steps: number;
  /** Equal for equal options, on every machine. */
  readonly traceHash: string;
  readonly violation: string | undefined;
  readonly recentTrace: readonly string[];
  readonly tasksLaunched: number;
  readonly updatesSeen: number;
  readonly faultsInjected: number;
}

const CPUS_PER_AGENT = 4;
/** Mean time between two faults. */
const FAULT_EVERY_MS = 4_000;
const STALL_MAX_MS = 12_000;
/** Virtual time after the last fault in which all must come to rest; longer than the longest retry. */
const QUIET_MS = 240_000;
/** Steps of the quiet time at most; more means that it does not come to rest. */
const QUIET_STEPS_MAX = 100_000;

interface Cluster {
  readonly master: SimulatedMaster;
  readonly agents: readonly SimulatedAgent[];
  readonly frameworks: readonly SimulatedFramework[];
}

/** Runs one seed to its end or to the first violation. */
export function simulate(options: SimulationOptions): SimulationResult {
  const world = createWorld(options.seed);
  const cluster = createCluster(world, options);
  const check = createChecker(world, cluster);
  let injected = 0;
  let faulty = options.faults;
  if (faulty) {
    injectFaults(world, cluster, () => {
      if (faulty) injected += 1;
      return faulty;
    });
  }

  let steps = 0;
  let violation: Verdict;
  const run = (until: () => boolean): void => {
    while (violation === undefined && !until()) {
      if (!world.step()) violation = 'nothing is queued any more';
      steps += 1;
      violation ??= check();
    }
  };
  run(() => steps >= options.steps);
  if (violation === undefined) {
    world.trace('the faults stop');
    faulty = false;
    for (const framework of cluster.frameworks) framework.quiesce();
    const quietUntil = world.now() + QUIET_MS;
    run(() => world.now() >= quietUntil || steps >= options.steps + QUIET_STEPS_MAX);
    violation ??= checkQuiet(cluster.agents, cluster.frameworks);
  }
  return {
    seed: options.seed,
    steps,
    traceHash: world.traceHash(),
    violation,
    recentTrace: world.recentTrace(),
    tasksLaunched: cluster.frameworks.reduce((sum, framework) => sum + framework.launched.size, 0),
    updatesSeen: cluster.frameworks.reduce((sum, framework) => sum + framework.seen.length, 0),
    faultsInjected: injected,
  };
}

function createCluster(world: World, options: SimulationOptions): Cluster {
  const { newAllocator = createAllocator, newMaster = createMaster, newAgent } = options;
  const master = createSimulatedMaster(world, { newAllocator, newMaster });
  const agents = Array.from({ length: world.between(2, 4) }, (_, index) =>
    createSimulatedAgent(world, master, {
      name: `agent${index}`,
      ip: `10.0.0.${index + 1}`,
      newAgent,
    }),
  );
  const frameworks = Array.from({ length: world.between(1, 3) }, (_, index) =>
    createSimulatedFramework(world, master, {
      name: `framework${index}`,
      role: world.pick(['web', 'batch', 'web/front']) ?? 'web',
      tasksMax: world.between(1, 8),
    }),
  );
  master.start();
  for (const agent of agents) world.after(world.between(0, 2_000), () => agent.start());
  for (const framework of frameworks) world.after(world.between(0, 2_000), () => framework.start());
  return { master, agents, frameworks };
}

/** Injects a fault now and then for as long as `wanted` says so. */
function injectFaults(world: World, cluster: Cluster, wanted: () => boolean): void {
  world.after(world.between(1, 2 * FAULT_EVERY_MS), () => {
    if (!wanted()) return;
    injectOne(world, cluster);
    injectFaults(world, cluster, wanted);
  });
}

function injectOne(world: World, { master, agents, frameworks }: Cluster): void {
  const agent = world.pick(agents);
  const framework = world.pick(frameworks);
  const kind = world.between(0, 10);
  if (kind <= 1) master.crash();
  else if (kind <= 3) agent?.crash();
  else if (kind === 4) agent?.reboot();
  else if (kind === 5) agent?.link()?.break();
  else if (kind === 6) framework?.disconnect();
  else if (kind === 10) framework?.failOver();
  else {
    // A partition: nothing arrives for a while, then all of it, or the connection is given up first.
    const link = kind <= 8 ? agent?.link() : framework?.link();
    world.trace(`a partition of ${kind <= 8 ? agent?.name : framework?.name}`);
    link?.stall();
    world.after(world.between(100, STALL_MAX_MS), () => link?.release());
  }
}

/** All checkers; those of a part are run when something happened to that part. */
function createChecker(world: World, { master, agents, frameworks }: Cluster): () => Verdict {
  const updates = frameworks.map((framework) => createUpdateChecker(framework));
  const checkRegistry = createRegistryChecker(agents, master.registry());
  const hosts = agents.map((agent) => createHostChecker(world, agent, frameworks));
  let masterChanges = -1;
  let agentChanges = -1;
  return () => {
    const mastersNow = master.changes;
    const agentsNow = agents.reduce((sum, agent) => sum + agent.changes, 0);
    const isMasterNew = mastersNow !== masterChanges;
    const areAgentsNew = agentsNow !== agentChanges;
    masterChanges = mastersNow;
    agentChanges = agentsNow;
    let verdict: Verdict;
    if (isMasterNew) verdict ??= checkMaster(master);
    if (areAgentsNew) verdict ??= checkHosts(agents, CPUS_PER_AGENT);
    if (isMasterNew || areAgentsNew) verdict ??= checkRegistry();
    for (const check of hosts) verdict ??= check();
    for (const check of updates) verdict ??= check();
    return verdict ?? checkFrameworks(frameworks);
  };
}

function checkMaster(master: SimulatedMaster): Verdict {
  const state = master.core()?.state;
  const books = master.books();
  return state === undefined || books === undefined ? undefined : checkResources(state, books);
}

/** The checkers of one host. */
function createHostChecker(
  world: World,
  agent: SimulatedAgent,
  frameworks: readonly SimulatedFramework[],
): () => Verdict {
  const checkContainers = createContainerChecker(agent);
  const checkStates = createAgentStateChecker();
  const checkAcknowledgements = createAcknowledgementChecker(frameworks);
  let changes = -1;
  return () => {
    const core = agent.core();
    if (core === undefined || agent.changes === changes) return undefined;
    changes = agent.changes;
    const snapshot = core.snapshot();
    return (
      checkContainers(snapshot, world.now()) ??
      checkStates(core, snapshot) ??
      checkAcknowledgements(core, snapshot)
    );
  };
}
