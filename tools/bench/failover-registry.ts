/** A registry of many agents, as their masters left it: what a leader does until it has read it. */

import { agentId, silentLogger } from '@dcos/base';
import { openZooKeeperStore, parseZooKeeperAddress, type Store, type Write } from '@dcos/store';
import { createSystemRandom, systemClock } from '../../packages/master/src/shell/system-ports.ts';
import { putRecord } from '../../packages/master/src/core/registry.ts';
import { newAgentFrame } from './kernel-agents.ts';

/** In one batch; many batches are under way at once. */
const RECORDS_PER_BATCH = 500;

/** Writes the agents; resolves when all are durable. */
export async function fillRegistry(zk: string, agents: number): Promise<void> {
  const address = parseZooKeeperAddress(zk);
  if (!address.ok) throw new Error(address.error);
  const store: Store = await openZooKeeperStore({
    address: address.value,
    sessionTimeoutMs: 30_000,
    clock: systemClock,
    random: createSystemRandom(),
    logger: silentLogger,
  });
  for (let first = 0; first < agents; first += RECORDS_PER_BATCH) {
    const count = Math.min(RECORDS_PER_BATCH, agents - first);
    await store.commit(Array.from({ length: count }, (_, index) => writeOf(first + index)));
  }
  await store.close();
}

function writeOf(index: number): Write {
  const info = newAgentFrame(index).register?.agent_info;
  if (info === undefined) throw new Error('an agent says who it is');
  const id = agentId(`bench-S${index}`);
  const write = putRecord({ kind: 'agent', id, info: { ...info, id: { value: id } } });
  if (write.kind !== 'put') throw new Error('an agent is written');
  return { ...write, value: Buffer.from(JSON.stringify(write.value)) };
}
