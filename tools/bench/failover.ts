/**
 * Failover of masters that are processes, with a ZooKeeper ensemble of the distribution's package, agents over
 * real connections with ten tasks each, and a framework: `npm run bench -- failover`, `--agents 10000` for the
 * size of the budget, `--backoff-ms` for the agents' wait, `--area=<name>` for a part. Everybody shares this machine.
 */

import { startZooKeeperEnsemble, zooKeeper, type ZooKeeperEnsemble } from '@dcos/testkit';
import { runAreas } from './areas.ts';
import { FailoverFramework } from './failover-framework.ts';
import { leading, MasterProcess } from './failover-masters.ts';
import { FailoverPeer } from './failover-peer.ts';
import { fillRegistry } from './failover-registry.ts';
import { Stage } from './failover-stage.ts';
import { FakeScheduler } from './kernel-scheduler.ts';
import { instantMs } from './instant.ts';
import { numberOption } from './options.ts';
import { row, type Row } from './row.ts';

const AGENTS = 1_000;
const TASKS_PER_AGENT = 10;
/** A process may have about 20,000 descriptors; two of them use both processors when all come back. */
const AGENTS_PER_PEER = 5_000;
/** The default of the original's agents, as of ours (`registration_backoff_factor`); greater clusters set more. */
const BACKOFF_MS = 1_000;
const SESSION = '10secs';
const REGISTRY_AGENTS = 50_000;
/** As the distribution runs ZooKeeper: it waits for the disk. */
const ENSEMBLE = { tickMs: 2_000, heapMegabytes: 512, isDurable: true };

export async function benchmarkFailover(): Promise<readonly Row[]> {
  const needed = zooKeeper();
  if (!needed.available) return [{ what: 'failover', unavailable: needed.note }];
  const stage = new Stage();
  try {
    const ensemble = await startZooKeeperEnsemble(3, ENSEMBLE);
    stage.add(ensemble, (started) => started.stop());
    return await runAreas({
      crash: () => crash(ensemble, numberOption('agents') ?? AGENTS),
      freeze: () => freeze(ensemble),
      registry: () => registry(ensemble),
    });
  } finally {
    await stage.close();
  }
}

function startMasters(stage: Stage, zk: string): readonly MasterProcess[] {
  return [1, 2].map(() => stage.add(new MasterProcess(zk, SESSION), (master) => master.close()));
}

/** A leader with agents and tasks is killed. */
async function crash(ensemble: ZooKeeperEnsemble, agents: number): Promise<readonly Row[]> {
  const stage = new Stage();
  const zk = ensemble.address('/crash');
  const backoffMs = numberOption('backoff-ms') ?? BACKOFF_MS;
  const peers: FailoverPeer[] = [];
  const registered = async (master: string, who: 'first' | 'all'): Promise<readonly number[]> =>
    await Promise.all(peers.map((peer) => peer.registered(master, who)));
  try {
    const masters = startMasters(stage, zk);
    const first = await stage.step('two masters start', leading(masters));
    await Promise.all(masters.map((master) => master.serving()));
    for (let next = 0; next < agents; next += AGENTS_PER_PEER) {
      const part = { first: next, agents: Math.min(AGENTS_PER_PEER, agents - next) };
      const peer = new FailoverPeer({ zk, ...part, tasksPerAgent: TASKS_PER_AGENT, backoffMs });
      peers.push(stage.add(peer, () => peer.close()));
    }
    const allMs = Math.max(...(await stage.step('agents come', registered(first.url, 'all'))));
    const firstMs = Math.min(...(await registered(first.url, 'first')));
    const scheduler = new FakeScheduler(first.url);
    const launching = scheduler.launch(agents * TASKS_PER_AGENT, TASKS_PER_AGENT);
    await stage.step('tasks are launched', launching);
    await stage.step('updates settle', Promise.all(peers.map((peer) => peer.settled())));
    const framework = new FailoverFramework(zk, scheduler.frameworkId);
    stage.add(framework, () => framework.close());
    await stage.step('the framework changes hands', framework.subscribed(first.url));
    scheduler.close();
    await Promise.all(peers.map((peer) => peer.prepare()));

    const rest = masters.filter((master) => master !== first.master);
    const usedMs = (): number => rest.reduce((sum, master) => sum + master.processorMs(), 0);
    const usedBeforeMs = usedMs();
    const killedMs = instantMs();
    await first.master.kill();
    const next = await stage.step('the leader was killed', leading(rest));
    const offerMs = await stage.step('another leads', framework.firstOffer(next.url));
    const backMs = await stage.step('it offers', registered(next.url, 'all'));
    const processorMs = usedMs() - usedBeforeMs;
    const size = `${agents} agents with ${TASKS_PER_AGENT} tasks each`;
    return [
      row(`${size}: admitted`, '/s', [agents / ((allMs - firstMs) / 1000)], ''),
      row('  leader killed until the next leads', 'ms', [next.sinceMs - killedMs], '2000'),
      row('  it leads until its first offer', 'ms', [offerMs - next.sinceMs], ''),
      row('  leader killed until the first offer', 'ms', [offerMs - killedMs], '2000'),
      row('  it leads until all are back', 'ms', [Math.max(...backMs) - next.sinceMs], '10000'),
      row('  processor time that the next has used by then', 'ms', [processorMs], ''),
    ];
  } finally {
    await stage.close();
  }
}

/** A leader stops without its noticing, as when its machine hangs: nobody can know before its session ends. */
async function freeze(ensemble: ZooKeeperEnsemble): Promise<readonly Row[]> {
  const stage = new Stage();
  try {
    const masters = startMasters(stage, ensemble.address('/freeze'));
    const first = await stage.step('two masters start', leading(masters));
    await Promise.all(masters.map((master) => master.serving()));
    const frozenMs = instantMs();
    first.master.freeze();
    const rest = masters.filter((master) => master !== first.master);
    const next = await stage.step('the leader is frozen', leading(rest));
    const what = `leader frozen until the next leads, session ${SESSION}`;
    return [row(what, 'ms', [next.sinceMs - frozenMs], '')];
  } finally {
    await stage.close();
  }
}

/** A leader takes over a great registry. */
async function registry(ensemble: ZooKeeperEnsemble): Promise<readonly Row[]> {
  const stage = new Stage();
  const zk = ensemble.address('/registry');
  try {
    await stage.step('the registry is filled', fillRegistry(zk, REGISTRY_AGENTS));
    const masters = startMasters(stage, zk);
    const first = await stage.step('two masters start', leading(masters));
    await Promise.all(masters.map((master) => master.serving()));
    const killedMs = instantMs();
    await first.master.kill();
    const rest = masters.filter((master) => master !== first.master);
    const next = await stage.step('the leader was killed', leading(rest));
    const readMs = await next.master.metric('registrar/state_fetch_ms');
    return [
      row(`registry of ${REGISTRY_AGENTS} agents: read`, 'ms', [readMs], ''),
      row('  leader killed until the next leads', 'ms', [next.sinceMs - killedMs], ''),
    ];
  } finally {
    await stage.close();
  }
}
