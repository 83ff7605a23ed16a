/**
 * Random histories of frameworks, agents and operators; after every event the invariants of the master
 * hold: nothing allocated twice or lost, states only move forward, every record has its reason.
 */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Resources } from '@dcos/resources';
import { History, step } from '../testing/histories.ts';
import { World } from '../testing/world.ts';
import type { MasterSnapshot } from './index.ts';
import { isTerminal } from './task-state.ts';

/** Offered and used make up what the allocator counts, and fit into what there is. */
function checkBooks({ master }: World, snapshot: MasterSnapshot): void {
  for (const agent of snapshot.agents) {
    const used = Resources.fromWire(agent.used);
    const offered = Resources.fromWire(agent.offered);
    const books = snapshot.allocator.agents.find(({ id }) => id === agent.id);
    const total = Resources.fromWire(agent.total);
    expect(total.contains(used.add(offered).unallocate())).toBe(true);
    expect(books?.allocated.equals(used.add(offered).unallocate())).toBe(true);
    expect(books?.free.add(books.allocated).equals(total)).toBe(true);
    const held = snapshot.frameworks
      .flatMap(({ tasks }) => tasks)
      .filter(({ agentId, holdsResources }) => agentId === agent.id && holdsResources)
      .reduce((sum, { resources: wire }) => sum.add(Resources.fromWire(wire)), Resources.empty);
    const executors = [...master.state.agents.values()]
      .filter(({ id }) => id === agent.id)
      .flatMap((known) => [...known.executors.values()].flatMap((map) => [...map.values()]))
      .reduce((sum, record) => sum.add(record.resources), Resources.empty);
    expect(held.add(executors).equals(used)).toBe(true);
  }
  const agents = new Set<string>(snapshot.agents.map(({ id }) => id));
  const elsewhere = [
    ...snapshot.recoveredAgents,
    ...snapshot.unreachableAgents,
    ...snapshot.goneAgents,
  ];
  expect(elsewhere.filter((id) => agents.has(id))).toEqual([]);
  for (const { agentId } of snapshot.frameworks.flatMap(({ tasks }) => tasks))
    expect(agents.has(agentId)).toBe(true);
}

/** What a framework is shown to have is the sum of its tasks, executors and offers. */
function checkFrameworks({ master }: World): void {
  for (const framework of master.state.frameworks.values()) {
    const sum = (parts: readonly Resources[]): Resources =>
      parts.reduce((total, part) => total.add(part), Resources.empty);
    const held = [...framework.tasks.values()].filter(({ released }) => !released);
    const users = [...held, ...framework.executors];
    expect(framework.used.total().equals(sum(users.map((record) => record.resources)))).toBe(true);
    const offers = [...framework.offers.values()];
    expect(framework.offered.total().equals(sum(offers.map((offer) => offer.resources)))).toBe(
      true,
    );
  }
}

/** A task that has ended stays ended, in the same state, until its id is launched again. */
function checkForward(before: MasterSnapshot, after: MasterSnapshot): void {
  for (const framework of after.frameworks) {
    const earlier = before.frameworks.find(({ id }) => id === framework.id);
    for (const { taskId, state: now } of framework.tasks) {
      const then = earlier?.tasks.find((known) => known.taskId === taskId);
      if (then !== undefined && isTerminal(then.state)) expect(now).toBe(then.state);
      if (then !== undefined)
        expect(now === 'TASK_STAGING' && then.state !== 'TASK_STAGING').toBe(false);
    }
  }
}

/** The registry holds what the master knows, so that a successor can go on from it. */
function checkRegistry(world: World, snapshot: MasterSnapshot): void {
  const keys = (kind: string): readonly string[] =>
    [...world.registry.keys()]
      .filter((key) => key.startsWith(`master/${kind}/`))
      .map((key) => key.split('/')[2] ?? '')
      .sort();
  expect(keys('agents')).toEqual(
    [...snapshot.agents.map(({ id }) => id), ...snapshot.recoveredAgents].sort(),
  );
  expect(keys('unreachable')).toEqual([...snapshot.unreachableAgents].sort());
  expect(keys('gone')).toEqual([...snapshot.goneAgents].sort());
  expect(keys('frameworks')).toEqual(
    [...snapshot.frameworks.map(({ id }) => id), ...snapshot.completedFrameworks].sort(),
  );
}

test('the invariants hold after every event of any history', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 30, maxLength: 80 }), (steps) => {
      const history = new History();
      let before = history.world.master.snapshot();
      for (const given of steps) {
        history.perform(given);
        history.world.settle();
        const after = history.world.master.snapshot();
        checkBooks(history.world, after);
        checkFrameworks(history.world);
        checkForward(before, after);
        checkRegistry(history.world, after);
        before = after;
      }
    }),
    { numRuns: 300 },
  );
});

test('a successor takes up any history where the registry has it', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
      const history = new History();
      for (const given of steps) history.perform(given);
      const before = history.world.master.snapshot();
      const after = new World({ id: 'n', registry: history.world.registry }).master.snapshot();
      const agents = [...before.agents.map(({ id }) => id), ...before.recoveredAgents];
      expect([...after.recoveredAgents].sort()).toEqual(agents.sort());
      expect(after.frameworks.map(({ id }) => id).sort()).toEqual(
        before.frameworks.map(({ id }) => id).sort(),
      );
      expect([...after.completedFrameworks].sort()).toEqual([...before.completedFrameworks].sort());
    }),
    { numRuns: 100 },
  );
});
