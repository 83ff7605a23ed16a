/**
 * A short run of the fuzzer, and that its checks see what they are for.
 */

import { expect, test } from 'vitest';
import { agentId } from '@dcos/base';
import type { AgentSnapshot, MasterSnapshot } from '@dcos/master/core';
import { Resources } from '@dcos/resources';
import { checkSnapshot, checkStatus } from './checks.ts';
import { fuzz } from './fuzzer.ts';

test('a master under random input for some seconds', { timeout: 120_000 }, async () => {
  const result = await fuzz({
    seed: 20_261_127,
    durationMs: 12_000,
    actionsMin: 100,
    rateMax: 400,
  });
  expect(result.violation).toBeUndefined();
  expect(result.actions).toBeGreaterThanOrEqual(100);
  expect(result.statuses.get(202)).toBeGreaterThan(0);
});

const cpus = (value: number) => [{ name: 'cpus', type: 'SCALAR', scalar: { value } } as const];

function snapshotWith(
  agent: Partial<AgentSnapshot>,
  allocated: number,
  free: number,
): MasterSnapshot {
  const id = agentId('a');
  const total = cpus(4);
  const books = {
    id,
    active: true,
    total: Resources.fromWire(total),
    allocated: Resources.fromWire(cpus(allocated)),
    free: Resources.fromWire(cpus(free)),
    byFramework: new Map(),
  };
  return {
    recovered: true,
    agents: [{ id, connected: true, total, used: cpus(1), offered: cpus(2), ...agent }],
    frameworks: [],
    completedFrameworks: [],
    offers: [],
    recoveredAgents: [],
    unreachableAgents: [],
    goneAgents: [],
    allocator: { agents: [books] },
  };
}

test.each<[string | undefined, Partial<AgentSnapshot>, number, number]>([
  [undefined, {}, 3, 1],
  ['are taken', { used: cpus(3) }, 5, 0],
  ['the allocator gave', {}, 2, 2],
  ['are not', {}, 3, 2],
  [undefined, { used: cpus(5), offered: [] }, 5, 0],
  ['are offered of too little', { used: cpus(5), offered: cpus(1) }, 6, 0],
])('books: %s', (violation, agent, allocated, free) => {
  const found = checkSnapshot(snapshotWith(agent, allocated, free));
  if (violation === undefined) expect(found).toBeUndefined();
  else expect(found).toContain(violation);
});

test.each([
  [500, true],
  [502, true],
  [202, false],
  [501, false],
])('a status of %d is a violation: %s', (status, isViolation) => {
  expect(checkStatus('x', status) !== undefined).toBe(isViolation);
});
