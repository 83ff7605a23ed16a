/**
 * Agents over real connections to one master: registration, a task storm, failover, reconciliation. The costs
 * are processor time of the master's thread; what one object costs must not grow with the number of objects.
 */

import {
  fillMaster,
  heldMegabytes,
  registerFrame,
  startBenchMaster,
  type Fill,
} from './kernel-master.ts';
import { BenchPeer, type PeerAnswer, type PeerCommand } from './kernel-peer.ts';
import { costOfTurns, Series } from './kernel-series.ts';
import { row, type Row } from './row.ts';

const TASKS_PER_AGENT = 10;
/** More than this many connections need more descriptors than a process usually may have. */
const CONNECTIONS_MAX = 10_000;
const STORMS = { small: [250, 1_000], full: [1_000, 3_000, 10_000] } as const;
const FAILOVERS: { readonly small: readonly Fill[]; readonly full: readonly Fill[] } = {
  small: [
    { agents: 250, frameworks: 5, running: 2_500, completed: 0, labels: 10 },
    { agents: 1_000, frameworks: 5, running: 10_000, completed: 0, labels: 10 },
  ],
  full: [
    { agents: 2_000, frameworks: 5, running: 20_000, completed: 0, labels: 10 },
    { agents: 10_000, frameworks: 1, running: 100_000, completed: 0, labels: 10 },
    { agents: 20_000, frameworks: 1, running: 100_000, completed: 0, labels: 10 },
  ],
};
const RECONCILED = { small: [1_000, 10_000], full: [1_000, 10_000, 50_000, 100_000] } as const;

export async function benchmarkLoad(full: boolean): Promise<readonly Row[]> {
  const registration = new Series('agents registered');
  const launch = new Series('tasks launched, updated and acknowledged');
  const memory: Row[] = [];
  for (const agents of full ? STORMS.full : STORMS.small) {
    const beforeMegabytes = await heldMegabytes();
    const master = await startBenchMaster({ allocationIntervalMs: 1_000 });
    const peer = new BenchPeer();
    const command = async (given: PeerCommand): Promise<PeerAnswer> =>
      await peer.run({ url: master.url, ...given });
    registration.add(agents, await costOfTurns(() => command({ kind: 'connect', agents })));
    const tasks = agents * TASKS_PER_AGENT;
    launch.add(
      tasks,
      await costOfTurns(() => command({ kind: 'launch', agents, tasksPerAgent: TASKS_PER_AGENT })),
    );
    const size = `${agents} agents and ${tasks} tasks`;
    memory.push(row(`memory held, ${size}`, 'MB', [(await heldMegabytes()) - beforeMegabytes], ''));
    await peer.close();
    await master.close();
  }
  return [...registration.rows(), ...launch.rows(), ...memory];
}

export async function benchmarkFailover(full: boolean): Promise<readonly Row[]> {
  const frames = new Series('agents back after a failover, frames alone');
  const sockets = new Series('agents back after a failover');
  for (const fill of full ? FAILOVERS.full : FAILOVERS.small) {
    const alone = await startBenchMaster();
    const received = Array.from({ length: fill.agents }, (_, agent) =>
      registerFrame(fill, agent, false),
    );
    frames.add(
      fill.agents,
      await costOfTurns(async () => {
        for (const [agent, frame] of received.entries()) {
          alone.frame(agent, frame);
          if (agent % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
      }),
    );
    await alone.close();
    if (fill.agents > CONNECTIONS_MAX) continue;
    const master = await startBenchMaster();
    const peer = new BenchPeer();
    const { url } = master;
    const { agents } = fill;
    sockets.add(agents, await costOfTurns(() => peer.run({ url, kind: 'connect', agents, fill })));
    await peer.close();
    await master.close();
  }
  return [...frames.rows(), ...sockets.rows()];
}

export async function benchmarkReconciliation(full: boolean): Promise<readonly Row[]> {
  const sizes = full ? RECONCILED.full : RECONCILED.small;
  const running = sizes.at(-1) ?? 0;
  const master = await startBenchMaster();
  await fillMaster(master, { agents: 1_000, frameworks: 1, running, completed: 0, labels: 0 });
  const peer = new BenchPeer();
  const series = new Series('tasks reconciled by one call');
  const framework = 'framework-0';
  for (const size of sizes) {
    const tasks = Array.from({ length: size }, (_, index) => `${framework}.run-${index}`);
    const { url } = master;
    series.add(
      size,
      await costOfTurns(() => peer.run({ url, kind: 'reconcile', framework, tasks })),
    );
  }
  await peer.close();
  await master.close();
  return series.rows();
}
