import { expect, test } from 'vitest';
import type { ClusterEvent } from './cluster-event.ts';
import { returnedTaskKey, ReturningAgents } from './returning-agents.ts';

const agentInfo = (id: string) => ({ id: { value: id }, hostname: id });
const added = (id: string): ClusterEvent => ({
  kind: 'agentAdded',
  agent: { agent_info: agentInfo(id), active: true, version: '1' },
});
const removed = (id: string): ClusterEvent => ({ kind: 'agentRemoved', agentId: { value: id } });
const task = (id: string, agentId: string): ClusterEvent => ({
  kind: 'taskAdded',
  task: {
    name: id,
    task_id: { value: id },
    framework_id: { value: 'f' },
    agent_id: { value: agentId },
    state: 'TASK_RUNNING',
  },
});
const framework: ClusterEvent = {
  kind: 'frameworkRemoved',
  framework: { user: 'root', name: 'f', id: { value: 'f' } },
};
const heartbeat = { kind: 'heartbeat' } as const;

function returning(...ids: readonly string[]): ReturningAgents {
  const made = new ReturningAgents();
  made.begin({ get_agents: { recovered_agents: ids.map(agentInfo) } });
  return made;
}

test('an agent of the registry is awaited until it is back, is removed, or another leads', () => {
  const made = returning('a', 'b', 'c');
  made.observe(added('a'));
  made.observe(removed('b'));
  expect(['a', 'b', 'c', 'd'].map((id) => made.has(id))).toEqual([false, false, true, false]);
  made.begin({});
  expect(made.has('c')).toBe(false);
});

test.each([
  ['the next heartbeat', heartbeat],
  ['the next agent', added('b')],
  ['the end of an agent', removed('b')],
])('what an agent has is all told with %s', (_, end) => {
  const made = returning('a', 'b');
  const before = [added('a'), task('1', 'a'), framework, task('x', 'b'), task('2', 'a')];
  expect(before.map((event) => made.observe(event))).toEqual(before.map(() => undefined));
  expect(made.observe(end)).toEqual({
    agentId: 'a',
    taskKeys: new Set([returnedTaskKey('f', '1'), returnedTaskKey('f', '2')]),
  });
  expect(made.observe(heartbeat)?.agentId).toBe(
    end === heartbeat || end.kind === 'agentRemoved' ? undefined : 'b',
  );
});

test('nothing is to be forgotten of an agent that was not awaited', () => {
  const made = returning('a');
  made.observe(added('new'));
  expect(made.observe(heartbeat)).toBeUndefined();
});
