/** What a world with several masters is inhabited by: an ensemble, hosts with masters and with agents, frameworks. */

import { createAllocator } from '@dcos/allocator';
import { assert } from '@dcos/base';
import type { ZooKeeperTransport } from '@dcos/store';
import { createMaster } from '@dcos/master/core';
import { checkQuiet, type Verdict } from '../checkers.ts';
import type { Cores, Inhabitants } from '../cluster.ts';
import { createEnsemble, type Ensemble } from '../ensemble/ensemble.ts';
import { createOperatorConsole } from '../operator-console.ts';
import type { MasterSeen } from '../master-search.ts';
import { createSimulatedAgent } from '../simulated-agent.ts';
import { createSimulatedFramework } from '../simulated-framework.ts';
import { createSimulatedOperator } from '../simulated-operator.ts';
import type { World } from '../world.ts';
import { createAgentDetector } from './agent-detector.ts';
import { createFailoverChecker } from './failover-checker.ts';
import { createLeadershipChecker } from './leadership-checker.ts';
import { createAgreedHistory, createLeaderFinder, createMasterGroup } from './master-group.ts';
import { createMasterHost, MASTER_PORT, type MasterHost, type MasterSeams } from './master-host.ts';
import { createProcessWatch } from './process-watch.ts';
import { SERVERS } from './zookeeper-access.ts';

const MASTERS = 3;
const START_MAX_MS = 2_000;
/** A master that was frozen, or whose store was away, carries out what waited. */
const CALL_LATE_MS = 60_000;
/** Clocks of hosts run fast or slow by so many parts in ten thousand. */
const DRIFT_MAX = 200;

/** Parts of an agent's process that tests may break. */
export interface AgentSeams {
  readonly transport?: (transport: ZooKeeperTransport) => ZooKeeperTransport;
}

/** What the parts are made of; the real things unless a test passes broken ones. */
export interface MastersCores extends Cores {
  readonly seams?: MasterSeams;
  readonly agentSeams?: AgentSeams;
  /** Of invariant 4 only the writes are checked, so that tests see what the fence alone holds. */
  readonly actsUnwatched?: boolean;
}

export interface MastersCluster extends Inhabitants {
  readonly ensemble: Ensemble;
  readonly hosts: readonly MasterHost[];
  /** Invariants of failovers. */
  check(): Verdict;
  /** The names of all that has a network. */
  readonly clients: readonly string[];
  /** Everything reaches everything again. */
  heal(): void;
  /** Why all is not at rest: one master leads, everybody is registered there, and nothing is left unsaid. */
  checkRest(): Verdict;
}

export function createMastersCluster(world: World, cores: MastersCores): MastersCluster {
  const {
    newAllocator = createAllocator,
    newMaster = createMaster,
    newAgent,
    seams = {},
    agentSeams = {},
    actsUnwatched = false,
  } = cores;
  const history = createAgreedHistory();
  const leaderNow = createLeaderFinder(() => ensemble.truth);
  const leadership = createLeadershipChecker(leaderNow);
  const ensemble: Ensemble = createEnsemble(world, {
    servers: SERVERS,
    syncLimit: world.between(2, 5),
    onCommit(transaction) {
      leadership.onCommit(transaction);
      history.onCommit(transaction);
      group.touched();
    },
  });
  const rate = (): number => 1 + world.between(-DRIFT_MAX, DRIFT_MAX) / 10_000;
  const processes = createProcessWatch(world, {
    hostAt: (ip) => hostAt(ip).name,
    isCut: (one, other) => ensemble.networkOf(one, other).isCut('left'),
  });
  let numbers = 0;
  const hosts: readonly MasterHost[] = Array.from({ length: MASTERS }, (_, index) =>
    createMasterHost(world, ensemble, {
      name: `master${index}`,
      ip: `10.1.0.${index + 1}`,
      rate: rate(),
      parts: { newAllocator, newMaster },
      seams,
      processes,
      nextNumber: () => (numbers += 1),
      onAction: (...action) => {
        if (!actsUnwatched) leadership.onAction(...action);
      },
      touched: () => group.touched(),
    }),
  );
  const group = createMasterGroup(world, hosts, { leaderNow, history });

  function hostAt(ip: string): MasterHost {
    const host = hosts.find((other) => other.ip === ip);
    assert(host !== undefined, `there is no master at ${ip}`);
    return host;
  }

  function masterAt(url: string): MasterSeen {
    const host = hostAt(url.slice('http://'.length, -`:${MASTER_PORT}`.length));
    return { name: host.name, accept: group.acceptAt(host) };
  }

  const agents = Array.from({ length: world.between(2, 3) }, (_, index) => {
    const name = `agent${index}`;
    const plan = {
      host: name,
      rate: rate(),
      masterAt,
      ...(agentSeams.transport && { broken: agentSeams.transport }),
    };
    return createSimulatedAgent(world, {
      name,
      ip: `10.0.0.${index + 1}`,
      newAgent,
      detect: () => createAgentDetector(world, ensemble, plan),
    });
  });
  const frameworks = Array.from({ length: world.between(1, 2) }, (_, index) =>
    createSimulatedFramework(world, group, {
      name: `framework${index}`,
      role: world.pick(['web', 'batch']) ?? 'web',
      tasksMax: world.between(1, 6),
      changesRoles: false,
      groups: world.chance(0.3),
      operates: world.chance(0.5) ? 'sometimes' : 'never',
    }),
  );
  const operators = [createSimulatedOperator(world, group, 'operator0')];
  const checkFailovers = createFailoverChecker(agents, (link) => group.epochOf(link));
  const console = createOperatorConsole(world, group, agents, { lateMs: CALL_LATE_MS });

  ensemble.start();
  for (const part of [...hosts, ...agents, ...frameworks, ...operators])
    world.after(world.between(0, START_MAX_MS), `start ${part.name}`, () => part.start());

  const clients = [...hosts, ...agents].map(({ name }) => name);
  return {
    master: group,
    agents,
    frameworks,
    operators,
    console,
    ensemble,
    hosts,
    check: () => leadership.check() ?? checkFailovers(),
    clients,
    heal() {
      for (const { partition } of [...agents, ...frameworks, ...operators]) partition.heal();
      const names = [...clients, ...SERVERS];
      for (const one of names) for (const other of names) ensemble.networkOf(one, other).heal();
    },
    checkRest() {
      const acting = hosts.flatMap((host) => host.leading() ?? []);
      if (acting.length !== 1) return `${acting.length} masters lead after the faults have stopped`;
      if (acting[0]?.epoch !== leaderNow()?.epoch)
        return 'the master that leads is not the one that was elected';
      const hasTakenDown = console.everTakenDown.size > 0;
      return checkQuiet(agents, frameworks, hasTakenDown, group.core()?.state);
    },
  };
}
