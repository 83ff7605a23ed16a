/** What a world with several masters is inhabited by: an ensemble, hosts with masters and with agents, frameworks. */

import { createAllocator } from '@dcos/allocator';
import { assert } from '@dcos/base';
import { createMaster } from '@dcos/master/core';
import type { Verdict } from '../checkers.ts';
import type { Cores, Inhabitants } from '../cluster.ts';
import { createEnsemble, type Ensemble } from '../ensemble/ensemble.ts';
import { createOperatorConsole } from '../operator-console.ts';
import { createSimulatedAgent, type MasterSeen } from '../simulated-agent.ts';
import { createSimulatedFramework } from '../simulated-framework.ts';
import { createSimulatedOperator } from '../simulated-operator.ts';
import type { World } from '../world.ts';
import { createAgentDetector } from './agent-detector.ts';
import { createLeadershipChecker, type LeadershipChecker } from './leadership-checker.ts';
import { createAgreedHistory, createMasterGroup, leaderIn } from './master-group.ts';
import { createMasterHost, MASTER_PORT, type MasterHost, type MasterSeams } from './master-host.ts';
import { createProcessWatch } from './process-watch.ts';
import { SERVERS } from './zookeeper-access.ts';

const MASTERS = 3;
const START_MAX_MS = 2_000;
/** A master that was frozen, or whose store was away, carries out what waited. */
const CALL_LATE_MS = 60_000;
/** Clocks of hosts run fast or slow by so many parts in ten thousand. */
const DRIFT_MAX = 200;

/** What the parts are made of; the real things unless a test passes broken ones. */
export interface MastersCores extends Cores {
  readonly seams?: MasterSeams;
  /** Of invariant 4 only the writes are checked. */
  readonly actsUnwatched?: boolean;
}

export interface MastersCluster extends Inhabitants {
  readonly ensemble: Ensemble;
  readonly hosts: readonly MasterHost[];
  readonly leadership: LeadershipChecker;
  /** The names of all that has a network. */
  readonly clients: readonly string[];
  /** Everything reaches everything again. */
  heal(): void;
  /** At rest: one master leads, and every candidate is alive. */
  checkLeader(): Verdict;
  /** Nothing goes on. */
  end(): void;
}

export function createMastersCluster(world: World, cores: MastersCores): MastersCluster {
  const {
    newAllocator = createAllocator,
    newMaster = createMaster,
    newAgent,
    seams = {},
    actsUnwatched = false,
  } = cores;
  const history = createAgreedHistory();
  const leadership = createLeadershipChecker(() => ensemble.truth);
  const ensemble: Ensemble = createEnsemble(world, {
    servers: SERVERS,
    syncLimit: world.between(2, 5),
    onCommit(transaction, truth) {
      leadership.onCommit(transaction, truth);
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
  const group = createMasterGroup(world, hosts, { truth: () => ensemble.truth, history });

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
    const plan = { host: name, rate: rate(), masterAt };
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
    leadership,
    clients,
    heal() {
      for (const { partition } of [...agents, ...frameworks, ...operators]) partition.heal();
      const names = [...clients, ...SERVERS];
      for (const one of names) for (const other of names) ensemble.networkOf(one, other).heal();
    },
    checkLeader() {
      const leader = leaderIn(ensemble.truth);
      const acting = hosts.filter((host) => host.leading() !== undefined);
      if (leader === undefined || acting.length !== 1)
        return `${acting.length} masters lead after the faults have stopped`;
      return acting[0]?.leading()?.epoch === leader.epoch
        ? undefined
        : 'the master that leads is not the one that was elected';
    },
    end: () => undefined,
  };
}
