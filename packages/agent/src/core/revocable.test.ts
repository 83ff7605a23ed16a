/** What an agent tells of resources that it lends, and that it does not count them. */

import { expect, test } from 'vitest';
import { seededRandom } from '@dcos/base';
import type { agentProtocol, Resource } from '@dcos/wire';
import { shortage } from './accounting.ts';
import { createAgent } from './agent.ts';
import type { AgentEffect, AgentEvent } from './events.ts';
import { DEFAULT_TIMES } from './options.ts';

const cpus = (value: number, more: Partial<Resource> = {}): Resource => ({
  name: 'cpus',
  type: 'SCALAR',
  scalar: { value },
  ...more,
});
const LENT = { revocable: {} };

test('the master hears of every change, and of all with a registration', () => {
  const agent = createAgent({
    random: seededRandom(7),
    options: {
      info: { hostname: 'h', resources: [cpus(4)] },
      ip: '10.0.0.1',
      version: '1',
      runtimes: new Set(['process']),
      times: DEFAULT_TIMES,
      completedTasksMax: 1,
      tasksMax: 1,
    },
  });
  const totals = (effects: readonly AgentEffect[]): readonly (readonly Resource[])[] =>
    effects.flatMap((effect) => {
      if (effect.kind !== 'send') return [];
      const { register, resources_changed } = effect.message;
      const told = register?.total_resources ?? resources_changed?.total_resources;
      return told === undefined ? [] : [told];
    });
  let now = 0;
  const handle = (event: AgentEvent): readonly (readonly Resource[])[] =>
    totals(agent.handle(event, ++now));
  const receive = (message: agentProtocol.ToAgent): readonly (readonly Resource[])[] =>
    handle({ kind: 'received', message });
  handle({ kind: 'start', records: new Map() });
  handle({ kind: 'containersFound', containers: [] });
  expect(handle({ kind: 'estimated', resources: [cpus(1, LENT)] })).toEqual([]);
  expect(handle({ kind: 'connected' })).toEqual([[cpus(4), cpus(1, LENT)]]);
  const registered = {
    agent_id: { value: 'S0' },
    master_id: 'm',
    ping_interval_ms: 15_000,
    ping_timeout_ms: 75_000,
  };
  receive({ type: 'REGISTERED', registered });
  expect(handle({ kind: 'estimated', resources: [cpus(1, LENT)] })).toEqual([]);
  expect(handle({ kind: 'estimated', resources: [cpus(2, LENT), cpus(3)] })).toEqual([
    [cpus(4), cpus(2, LENT)],
  ]);
  expect(handle({ kind: 'estimated', resources: [] })).toEqual([[cpus(4)]]);
});

test('what is lent is neither counted nor missed', () => {
  expect(shortage([cpus(1)], [cpus(9, LENT)], [cpus(1)])).toBeUndefined();
  expect(shortage([cpus(1)], [], [cpus(9, LENT)])).toBeUndefined();
  expect(shortage([cpus(1)], [cpus(1)], [cpus(1)])).toContain('1 cpus wanted, 0 free');
});
