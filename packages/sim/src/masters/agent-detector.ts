/** An agent's own view of who leads: the real detector on a session of its own. */

import { createMasterDetector } from '@dcos/agent/master-detector';
import { seededRandom, silentLogger } from '@dcos/base';
import { mastersOf, type ZooKeeperTransport } from '@dcos/store';
import type { Ensemble } from '../ensemble/ensemble.ts';
import { createProcessClock } from '../process-clock.ts';
import { createProcessGate } from '../process-gate.ts';
import type { AgentDetector, MasterSeen } from '../master-search.ts';
import type { World } from '../world.ts';
import { transportOf, ZK_SETTING } from './zookeeper-access.ts';

export interface AgentDetectorPlan {
  readonly host: string;
  readonly rate: number;
  /** The master at an address, as `http://ip:port`. */
  readonly masterAt: (url: string) => MasterSeen;
  /** Breaks how it reaches the ensemble; for tests. */
  readonly broken?: (transport: ZooKeeperTransport) => ZooKeeperTransport;
}

export function createAgentDetector(
  world: World,
  ensemble: Ensemble,
  { host, rate, masterAt, broken = (transport) => transport }: AgentDetectorPlan,
): AgentDetector {
  const gate = createProcessGate();
  const detector = createMasterDetector(
    mastersOf(ZK_SETTING, {
      clock: createProcessClock(world, { name: host, gate, rate, offsetMs: () => 0 }),
      random: seededRandom(world.random.nextU32()),
      logger: silentLogger,
      hasTls: false,
      transport: broken(transportOf(ensemble, host, gate)),
    }),
  );
  return {
    next: (give) => detector.next((url) => give(masterAt(url))),
    onChange: (listener) => detector.onChange((url) => listener(masterAt(url).name)),
    end: () => gate.end(),
  };
}
