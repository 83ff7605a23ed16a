/**
 * A master with a real HTTP server and a memory store, to which agents can be given without sockets, and a
 * look at how long its event loop stands still.
 */

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createAllocator } from '@dcos/allocator';
import { masterId, silentLogger } from '@dcos/base';
import { createHttpServer } from '@dcos/http';
import { openMemoryStore } from '@dcos/store';
import type { agentProtocol, Resource, Task } from '@dcos/wire';
import { createMaster, defaultMasterOptions } from '../../packages/master/src/core/index.ts';
import { masterConfigSchema, type MasterConfig } from '../../packages/master/src/shell/config.ts';
import { BUILD } from '../../packages/master/src/shell/identity.ts';
import { MasterShell } from '../../packages/master/src/shell/master-shell.ts';
import { createSystemRandom, systemClock } from '../../packages/master/src/shell/system-ports.ts';

export interface BenchMaster {
  readonly url: string;
  readonly shell: MasterShell;
  /** A frame as if it had come over the connection of that number. */
  frame(connection: number, frame: agentProtocol.ToMaster): void;
  close(): Promise<void>;
}

const DAY_MS = 24 * 3600 * 1000;

/** Starts a master that does nothing by itself for a day. */
export async function startBenchMaster(given: MasterConfig = {}): Promise<BenchMaster> {
  const config = masterConfigSchema.parse({
    port: 0,
    agentPingIntervalMs: DAY_MS,
    heartbeatIntervalMs: DAY_MS,
    allocationIntervalMs: DAY_MS,
    ...given,
  });
  const store = openMemoryStore();
  const http = createHttpServer({ logger: silentLogger, bodyBytesMax: config.bodyBytesMax });
  const shell = new MasterShell(config, { logger: silentLogger, store }, systemClock, http);
  shell.addRoutes();
  const { port, url } = await http.listen({ host: config.ip, port: config.port });
  const random = createSystemRandom();
  const id = masterId('bench');
  const { allocationIntervalMs, heartbeatIntervalMs, agentPingIntervalMs } = config;
  const allocator = createAllocator({ random, allocationIntervalMs });
  const masterInfo = { id, ip: 0, port, hostname: config.ip };
  const core = createMaster({
    masterId: id,
    random,
    allocator,
    options: {
      ...defaultMasterOptions,
      masterInfo,
      version: BUILD.version,
      allocationIntervalMs,
      heartbeatIntervalMs,
      pingIntervalMs: agentPingIntervalMs,
    },
  });
  const now = Date.now() / 1000;
  const identity = {
    id,
    ip: config.ip,
    port,
    hostname: config.ip,
    cluster: config.cluster,
    startTime: now,
    electedTime: now,
    build: BUILD,
    capabilities: [],
    flags: {},
  };
  const lease = await store.elect('master', id);
  shell.begin({ core, allocator, identity, masterInfo, lease }, []);
  return {
    url,
    shell,
    // Numbers below zero never meet those of real connections.
    frame: (connection, frame) =>
      shell.dispatch({ kind: 'agentFrame', connection: -1 - connection, frame }),
    async close() {
      await shell.close();
      await store.close();
    },
  };
}

/** The longest time for which the event loop did nothing else, while something runs. */
export async function longestStallMs(run: () => Promise<unknown>): Promise<number> {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  await run();
  delays.disable();
  return delays.max / 1e6;
}

const MEGABYTE = 1_000_000;

/** What the process holds on to, after a collection. */
export async function heldMegabytes(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect !== 'function') throw new Error('this Node has no collector to call');
  // What was just closed is let go of by and by.
  for (let round = 0; round < 3; round++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / MEGABYTE;
}

/** What agents are made of. */
export interface Fill {
  readonly agents: number;
  readonly frameworks: number;
  /** Of each framework, over all agents; running ones, and ones that are complete. */
  readonly running: number;
  readonly completed: number;
  readonly labels: number;
}

export const AGENT_RESOURCES: readonly Resource[] = [
  { name: 'cpus', type: 'SCALAR', scalar: { value: 256 } },
  { name: 'mem', type: 'SCALAR', scalar: { value: 1_000_000 } },
  { name: 'disk', type: 'SCALAR', scalar: { value: 4_000_000 } },
  { name: 'ports', type: 'RANGES', ranges: { range: [{ begin: 31_000, end: 32_000 }] } },
];

/** The REGISTER of an agent with its share of the tasks. */
export function registerFrame(
  fill: Fill,
  agent: number,
  withCompleted: boolean,
): agentProtocol.ToMaster {
  const frameworks = Array.from({ length: fill.frameworks }, (_, index) => index);
  const completed = withCompleted ? fill.completed : 0;
  const tasks: Task[] = [];
  for (const framework of frameworks) {
    for (let task = agent; task < fill.running; task += fill.agents)
      tasks.push(taskOf(fill, framework, agent, `run-${task}`, 'TASK_RUNNING'));
    for (let task = agent; task < completed; task += fill.agents)
      tasks.push(taskOf(fill, framework, agent, `end-${task}`, 'TASK_FINISHED'));
  }
  return {
    type: 'REGISTER',
    register: {
      protocol: 1,
      version: BUILD.version,
      ip: '127.0.0.1',
      capabilities: [
        { type: 'MULTI_ROLE' },
        { type: 'HIERARCHICAL_ROLE' },
        { type: 'RESERVATION_REFINEMENT' },
      ],
      agent_info: {
        id: { value: `bench-S${agent}` },
        hostname: `host-${agent}.example`,
        port: 1 + agent,
        resources: AGENT_RESOURCES,
      },
      frameworks: frameworks.map((index) => ({
        id: { value: `framework-${index}` },
        user: 'root',
        name: `framework ${index}`,
        roles: [`role-${index}`],
        checkpoint: true,
        failover_timeout: 1_000_000,
        capabilities: [{ type: 'MULTI_ROLE' }, { type: 'PARTITION_AWARE' }],
      })),
      tasks,
    },
  };
}

function taskOf(
  fill: Fill,
  framework: number,
  agent: number,
  name: string,
  state: 'TASK_RUNNING' | 'TASK_FINISHED',
): Task {
  const task_id = { value: `framework-${framework}.${name}` };
  const allocation_info = { role: `role-${framework}` };
  return {
    name: 'web',
    task_id,
    framework_id: { value: `framework-${framework}` },
    agent_id: { value: `bench-S${agent}` },
    state,
    resources: [
      { name: 'cpus', type: 'SCALAR', scalar: { value: 0.1 }, allocation_info },
      { name: 'mem', type: 'SCALAR', scalar: { value: 32 }, allocation_info },
    ],
    statuses: [
      {
        task_id,
        state,
        timestamp: 1_700_000_000 + agent,
        source: 'SOURCE_EXECUTOR',
        agent_id: { value: `bench-S${agent}` },
        container_status: { network_infos: [{ ip_addresses: [{ ip_address: '127.0.0.1' }] }] },
      },
    ],
    ...(fill.labels > 0 && {
      labels: {
        labels: Array.from({ length: fill.labels }, (_, index) => ({
          key: `key-${index}`,
          value: `value-${index}`,
        })),
      },
    }),
  };
}

/** Lets all agents register, with real pauses between them. */
export async function fillMaster(master: BenchMaster, fill: Fill): Promise<void> {
  for (let agent = 0; agent < fill.agents; agent++) {
    // The second time the agent no longer has what is complete, so the master files it as such.
    master.frame(agent, registerFrame(fill, agent, true));
    if (fill.completed > 0) master.frame(agent, registerFrame(fill, agent, false));
    if (agent % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}
