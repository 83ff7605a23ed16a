/**
 * Tasks whose end the master knows while their framework has not acknowledged it, when the agent goes away:
 * the framework hears of the end, once, and never of two different ones.
 */

import { describe, expect, test } from 'vitest';
import { framesOf, frameworkInfo, reportedTask, statusesOf, World } from '../testing/world.ts';

/** Ends the task of a running world; the framework does not acknowledge it. */
function ended(info = frameworkInfo()) {
  const world = new World({ pingIntervalMs: 1000, pingsMissedMax: 2 });
  const { framework, agent } = world.running(info);
  world.update(agent, framework, 't', 'TASK_FINISHED', 2);
  return { world, framework, agent };
}

function loseAgent(world: World, connection: number): void {
  world.handle({ kind: 'agentClosed', connection });
  world.advance(10_000);
}

test('an agent that was unreachable delivers the end when it is back', () => {
  const { world, framework, agent } = ended();
  loseAgent(world, agent.connection);
  const task = reportedTask('t', framework, agent, {
    state: 'TASK_FINISHED',
    status_update_state: 'TASK_FINISHED',
  });
  const back = world.register({ id: agent.id, tasks: [task] });
  const effects = world.update(back, framework, 't', 'TASK_FINISHED', 2);
  expect(framesOf(effects, back.connection)).toEqual([]);
  expect(statusesOf(effects, framework)).toMatchObject([{ state: 'TASK_FINISHED' }]);
  const { effects: after } = world.acknowledge(back, framework, 't', 2);
  expect(framesOf(after, back.connection).map(({ type }) => type)).toEqual(['ACKNOWLEDGE']);
  expect(world.master.snapshot().frameworks[0]?.tasks).toEqual([]);
});

test('an end that was sent is not followed by TASK_UNREACHABLE, and reconciliation repeats it', () => {
  const { world, framework, agent } = ended();
  const before = world.effects.length;
  loseAgent(world, agent.connection);
  expect(statusesOf(world.effects.slice(before), framework)).toEqual([]);
  const { effects } = world.call(framework, {
    type: 'RECONCILE',
    reconcile: { tasks: [{ task_id: { value: 't' } }] },
  });
  expect(statusesOf(effects, framework)).toMatchObject([{ state: 'TASK_FINISHED' }]);
});

test('an end that is known but not sent yet is TASK_UNREACHABLE, and follows in order', () => {
  const world = new World({ pingIntervalMs: 1000, pingsMissedMax: 2 });
  const { framework, agent } = world.running();
  world.update(agent, framework, 't', 'TASK_RUNNING', 2, 'TASK_FAILED');
  const before = world.effects.length;
  loseAgent(world, agent.connection);
  expect(statusesOf(world.effects.slice(before), framework)).toMatchObject([
    { state: 'TASK_UNREACHABLE' },
  ]);
  const task = reportedTask('t', framework, agent, {
    state: 'TASK_FAILED',
    status_update_state: 'TASK_RUNNING',
  });
  const back = world.register({ id: agent.id, tasks: [task] });
  const effects = world.update(back, framework, 't', 'TASK_RUNNING', 2, 'TASK_FAILED');
  expect(statusesOf(effects, framework)).toMatchObject([{ state: 'TASK_RUNNING' }]);
});

test('an agent that is back without the task leaves the end that is known', () => {
  const { world, framework, agent } = ended();
  loseAgent(world, agent.connection);
  const before = world.effects.length;
  world.register({ id: agent.id });
  expect(statusesOf(world.effects.slice(before), framework)).toMatchObject([
    { state: 'TASK_FINISHED' },
  ]);
});

describe('a lost connection', () => {
  test('does not make a finished task of a framework without checkpoints TASK_LOST', () => {
    const { world, framework, agent } = ended(frameworkInfo({ checkpoint: false }));
    const effects = world.handle({ kind: 'agentClosed', connection: agent.connection });
    expect(statusesOf(effects, framework)).toEqual([]);
    expect(world.master.snapshot().frameworks[0]?.tasks).toHaveLength(1);
  });
});

test('an agent that says goodbye takes no end with it', () => {
  const world = new World();
  const { framework, agent } = world.running();
  world.update(agent, framework, 't', 'TASK_RUNNING', 2, 'TASK_FAILED');
  const effects = world.frame(agent.connection, { type: 'UNREGISTER', unregister: {} });
  expect(statusesOf(effects, framework)).toMatchObject([{ state: 'TASK_FAILED' }]);
});

test('an update is repeated in a state that the new instance of the framework knows', () => {
  const world = new World();
  const { framework, agent } = world.running();
  world.update(agent, framework, 't', 'TASK_DROPPED', 2);
  const before = world.effects.length;
  const id = { value: framework.id };
  const again = world.subscribe(frameworkInfo({ id, capabilities: [{ type: 'MULTI_ROLE' }] }));
  expect(statusesOf(world.effects.slice(before), again)).toMatchObject([{ state: 'TASK_LOST' }]);
});
