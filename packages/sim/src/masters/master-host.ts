/**
 * A host with a master in the world: a process that stands for election with the real client, election and store,
 * leads with the real loop around the real core, and is started anew whenever it ends. It can be killed, and frozen for
 * so long that it was deposed when it goes on.
 */

import { errorText, seededRandom, silentLogger, type Clock } from '@dcos/base';
import { CoreLoop, Election, masterElectionLayouts, readRegistry } from '@dcos/master/leading';
import { openZooKeeperStore, type Lease, type Store, type ZooKeeperTransport } from '@dcos/store';
import type { Ensemble } from '../ensemble/ensemble.ts';
import { createMasterProcess, type MasterProcess } from '../master-process.ts';
import { createProcessClock } from '../process-clock.ts';
import { createProcessGate, type ProcessGate } from '../process-gate.ts';
import { createMasterCore, type MasterParts } from '../simulated-master.ts';
import type { World } from '../world.ts';
import type { ProcessWatch } from './process-watch.ts';
import { transportOf, ZK_ADDRESS, ZK_PATH } from './zookeeper-access.ts';

const RESTART_MIN_MS = 50;
const RESTART_MAX_MS = 3_000;
const SESSION_TIMEOUT_MS = 10_000;
const FETCH_TIMEOUT_MS = 60_000;
const STORE_TIMEOUT_MS = 20_000;
export const MASTER_PORT = 5050;

type Watching = Pick<ProcessWatch, 'watch'>;

/** Parts of a process that tests may break. */
export interface MasterSeams {
  readonly store?: (store: Store, gate: ProcessGate) => Store;
  readonly transport?: (transport: ZooKeeperTransport) => ZooKeeperTransport;
  readonly processes?: (processes: Watching, clock: Clock) => Watching;
}

export interface MasterHostPlan {
  readonly name: string;
  readonly ip: string;
  /** Seconds of its clock in a second of the world. */
  readonly rate: number;
  readonly parts: MasterParts;
  readonly seams: MasterSeams;
  readonly processes: ProcessWatch;
  /** Numbers connections and requests; never the same twice. */
  readonly nextNumber: () => number;
  /** It does something that others can see, as the leader of that epoch. */
  readonly onAction: (name: string, epoch: number, what: string) => void;
  readonly touched: () => void;
}

/** A process that leads, or believes so. */
export interface Leading {
  readonly process: MasterProcess;
  readonly epoch: number;
}

export interface MasterHost {
  readonly name: string;
  readonly ip: string;
  /** The process that leads, or believes so; undefined for one that waits. */
  leading(): Leading | undefined;
  /** The id of the master that leads as far as is known here. */
  knownLeader(): string | undefined;
  /** The id of the process that runs now. */
  id(): string | undefined;
  isFrozen(): boolean;
  start(): void;
  crash(): void;
  freeze(forMs: number): void;
  /** The wall clock is set. */
  moveClock(byMs: number): void;
}

interface Life {
  readonly gate: ProcessGate;
  readonly clock: Clock;
  readonly id: string;
  election: Election | undefined;
  process: MasterProcess | undefined;
  epoch: number;
}

export function createMasterHost(
  world: World,
  ensemble: Ensemble,
  plan: MasterHostPlan,
): MasterHost {
  const { name, ip, seams, processes, touched } = plan;
  let life: Life | undefined;
  let offsetMs = 0;
  let starts = 0;

  function start(): void {
    const gate = createProcessGate();
    const process = `${name}#${(starts += 1)}`;
    const clock = createProcessClock(world, {
      name: process,
      gate,
      rate: plan.rate,
      offsetMs: () => offsetMs,
    });
    const made = createMasterCore(world, plan.parts, { ip, port: MASTER_PORT, hostname: name });
    const mine: Life = {
      gate,
      clock,
      id: made.id,
      election: undefined,
      process: undefined,
      epoch: 0,
    };
    life = mine;
    world.trace(`${process} starts as ${made.id}`);
    processes.began(name);
    live(mine, process, made).catch((error: unknown) => end(mine, errorText(error)));
  }

  async function live(
    mine: Life,
    process: string,
    { core, allocator, masterInfo }: ReturnType<typeof createMasterCore>,
  ): Promise<void> {
    const { gate, clock } = mine;
    const transport = transportOf(ensemble, name, gate);
    const opened = await openZooKeeperStore({
      address: ZK_ADDRESS,
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      clock,
      random: seededRandom(world.random.nextU32()),
      logger: silentLogger,
      layouts: masterElectionLayouts(ZK_PATH),
      transport: seams.transport?.(transport) ?? transport,
    });
    const store = seams.store?.(opened, gate) ?? opened;
    const watch = seams.processes?.(processes, clock) ?? processes;
    mine.election = new Election(store, silentLogger, ({ host }, _clock, gone) =>
      watch.watch(name, host, () => gate.run(gone)),
    );
    const lease = await mine.election.stand(masterInfo, clock);
    world.trace(`${process} is elected, epoch ${lease.epoch}`);
    const { entries } = await readRegistry(store, clock, FETCH_TIMEOUT_MS);
    if (!gate.isAlive) return;
    mine.epoch = lease.epoch;
    mine.process = createMasterProcess(world, {
      name: process,
      core,
      allocator,
      gate,
      nextNumber: plan.nextNumber,
      touched,
      newLoop: (perform) => loopOf(mine, { core, lease, store, perform }),
    });
    mine.process.handle({ kind: 'recovered', entries });
  }

  function loopOf(
    mine: Life,
    {
      core,
      lease,
      store,
      perform,
    }: {
      readonly core: MasterProcess['core'];
      readonly lease: Lease;
      readonly store: Store;
      readonly perform: Parameters<Parameters<typeof createMasterProcess>[1]['newLoop']>[0];
    },
  ): ReturnType<Parameters<typeof createMasterProcess>[1]['newLoop']> {
    const { clock } = mine;
    const loop = new CoreLoop({
      lease,
      store,
      clock,
      registryStoreTimeoutMs: STORE_TIMEOUT_MS,
      handle: (event) => core.handle(event, clock.now(), clock.monotonicMs()),
      perform: (effect) => {
        if (!INWARD.has(effect.kind)) plan.onAction(name, lease.epoch, effect.kind);
        touched();
        perform(effect);
      },
      written: touched,
      onFailure: (error) => end(mine, errorText(error)),
    });
    return {
      dispatch: (event) => loop.dispatch(event),
      isIdle: () => loop.effects === 0,
      waiting: () => loop.effects,
      stop: () => loop.stop(),
    };
  }

  /** The process ends, of its own or not; its supervisor starts another. */
  function end(mine: Life, reason: string): void {
    if (life !== mine) return;
    world.trace(`${name} ends: ${reason}`);
    life = undefined;
    touched();
    mine.process?.end();
    mine.gate.end();
    processes.ended(name);
    world.after(world.between(RESTART_MIN_MS, RESTART_MAX_MS), `${name}: restart`, start);
  }

  return {
    name,
    ip,
    leading: () =>
      life?.process === undefined ? undefined : { process: life.process, epoch: life.epoch },
    knownLeader: () => life?.election?.leader?.id,
    id: () => life?.id,
    isFrozen: () => life?.gate.isFrozen === true,
    start,
    crash() {
      if (life !== undefined) end(life, 'it is killed');
    },
    freeze(forMs) {
      const frozen = life;
      if (frozen === undefined || frozen.gate.isFrozen) return;
      world.trace(`${name} freezes for ${forMs}`);
      touched();
      frozen.gate.freeze();
      world.after(forMs, `${name}: goes on`, () => {
        world.trace(`${name} goes on`);
        touched();
        frozen.gate.thawInTurns((next) => void world.after(0, `${name}: held`, next));
      });
    },
    moveClock: (byMs) => void (offsetMs += byMs),
  };
}

/** Effects that nobody else sees. */
const INWARD: ReadonlySet<string> = new Set(['setTimer', 'cancelTimer', 'log']);
