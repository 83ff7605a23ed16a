/** Which runtime takes a task, and what the core makes of what only some runtimes tell: networks, memory. */

import { expect, test } from 'vitest';
import { present, seededRandom, type ContainerId } from '@dcos/base';
import type { ContainerInfo, TaskInfo, TaskStatus } from '@dcos/wire';
import { createAgent, type Agent } from './agent.ts';
import type { AgentEffect, AgentEvent } from './events.ts';
import type { RuntimeName, StartedTask, TaskRecord } from './model.ts';
import { capabilitiesOf, DEFAULT_TIMES } from './options.ts';
import { taskFromJson, taskToJson } from './records.ts';

const DOCKER: ContainerInfo = { type: 'DOCKER', docker: { image: 'a' } };
const MESOS: ContainerInfo = { type: 'MESOS' };

/** An agent with these runtimes, registered. */
function agentWith(...runtimes: readonly RuntimeName[]): {
  readonly agent: Agent;
  readonly handle: (event: AgentEvent) => readonly AgentEffect[];
} {
  const agent = createAgent({
    random: seededRandom(7),
    options: {
      info: { hostname: 'h' },
      ip: '10.0.0.1',
      version: '1',
      runtimes: new Set(runtimes),
      times: DEFAULT_TIMES,
      completedTasksMax: 2,
      tasksMax: 3,
    },
  });
  let now = 1_000_000;
  const handle = (event: AgentEvent): readonly AgentEffect[] => {
    now += 1;
    return agent.handle(event, now, now);
  };
  handle({ kind: 'start', records: new Map() });
  handle({ kind: 'containersFound', containers: [] });
  handle({ kind: 'connected' });
  const registered = {
    agent_id: { value: 'S0' },
    master_id: 'm',
    ping_interval_ms: 15_000,
    ping_timeout_ms: 75_000,
  };
  handle({ kind: 'received', message: { type: 'REGISTERED', registered } });
  return { agent, handle };
}

type Handle = ReturnType<typeof agentWith>['handle'];

function launch(handle: Handle, container?: ContainerInfo): TaskRecord | undefined {
  const task: TaskInfo = {
    name: 'a',
    task_id: { value: 'a' },
    agent_id: { value: 'S0' },
    command: { value: 'x' },
    ...(container !== undefined && { container }),
  };
  const framework_info = { user: '', name: 'f', id: { value: 'f' } };
  const message = { type: 'RUN_TASK', run_task: { framework_info, task } } as const;
  return handle({ kind: 'received', message }).find((effect) => effect.kind === 'launch')?.task;
}

/** Starts the task that was launched. */
function started(handle: Handle, more: Partial<StartedTask> = {}): ContainerId {
  const id = present(launch(handle, MESOS), 'launched').containerId;
  handle({ kind: 'prepared', id });
  handle({ kind: 'started', id, pid: 42, ipAddresses: [], ...more });
  return id;
}

/** The state that the task was in last, as it was told. */
const lastStatus = (agent: Agent): TaskStatus =>
  present(agent.snapshot().live[0]?.statuses.at(-1), 'a status');

test.each<[runtimes: readonly RuntimeName[], container: ContainerInfo | undefined, by: string]>([
  [['process'], undefined, 'process'],
  [['process', 'docker'], DOCKER, 'docker'],
  [['process', 'docker'], MESOS, 'process'],
  [['process', 'oci'], undefined, 'oci'],
  [['oci'], DOCKER, 'oci'],
  [['oci', 'docker'], DOCKER, 'docker'],
  [['oci', 'docker'], MESOS, 'oci'],
  [['docker'], undefined, 'nobody'],
  [['process'], DOCKER, 'nobody'],
])('with %j a task with %j is taken by %s', (runtimes, container, by) => {
  expect(launch(agentWith(...runtimes).handle, container)?.runtime ?? 'nobody').toBe(by);
});

test('limits apart from requests are offered where they are kept', () => {
  expect(capabilitiesOf(new Set(['process', 'docker']))).not.toContain('TASK_RESOURCE_LIMITS');
  expect(capabilitiesOf(new Set(['process', 'oci']))).toContain('TASK_RESOURCE_LIMITS');
});

test('each network is told with its addresses, also after a restart', () => {
  const { agent, handle } = agentWith('oci');
  started(handle, {
    ipAddresses: ['10.1.0.2', 'fd::2', '10.2.0.2'],
    networks: [
      { name: 'a', ipAddresses: ['10.1.0.2', 'fd::2'] },
      { name: 'b', ipAddresses: ['10.2.0.2'] },
    ],
  });
  expect(lastStatus(agent).container_status?.network_infos).toEqual([
    {
      name: 'a',
      ip_addresses: [
        { protocol: 'IPv4', ip_address: '10.1.0.2' },
        { protocol: 'IPv6', ip_address: 'fd::2' },
      ],
    },
    { name: 'b', ip_addresses: [{ protocol: 'IPv4', ip_address: '10.2.0.2' }] },
  ]);
  const record = present(agent.snapshot().live[0], 'the task');
  expect(taskFromJson(taskToJson(record))).toMatchObject({
    ok: true,
    value: { networks: record.networks, ipAddresses: record.ipAddresses },
  });
});

test.each([
  [
    { limitBytes: 32 << 20, peakBytes: 33 << 20 },
    'Memory limit exceeded: Requested: 32MB Maximum Used: 33MB',
    { resources: [{ name: 'mem', type: 'SCALAR', scalar: { value: 33 } }] },
  ],
  [{}, 'Memory limit exceeded: Command terminated with signal Killed', undefined],
])('an end by lack of memory with %j', (memory, message, limitation) => {
  const { agent, handle } = agentWith('oci');
  const id = started(handle);
  handle({
    kind: 'exited',
    id,
    status: { kind: 'signaled', signal: 9, outOfMemory: true, memory },
  });
  const status = lastStatus(agent);
  expect(status).toMatchObject({
    state: 'TASK_FAILED',
    reason: 'REASON_CONTAINER_LIMITATION_MEMORY',
    source: 'SOURCE_AGENT',
    message,
  });
  expect(status.limitation).toEqual(limitation);
});
