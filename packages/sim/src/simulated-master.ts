/**
 * The masters in the world: one leads at a time, over one registry on a virtual disk. The leader can be killed
 * at any moment; a successor comes and starts from what was durable. Or the leader freezes for so long that it
 * is deposed: the successor's election fences the registry, so that no write of the old one succeeds any more,
 * and the old one ends soon after it goes on.
 */

import type { Allocator, AllocatorOptions, AllocatorSnapshot } from '@dcos/allocator';
import { masterId, randomUuid, seededRandom, type JsonValue } from '@dcos/base';
import {
  defaultMasterOptions,
  type Effect,
  type Master,
  type MasterDependencies,
  type RegistryWrite,
} from '@dcos/master/core';
import type { agentProtocol, masterApi, MasterInfo, scheduler } from '@dcos/wire';
import type { Connection, Side } from './connection.ts';
import { createDisk } from './disk.ts';
import { createEffectQueue } from './effect-queue.ts';
import {
  createMasterProcess,
  type Caller,
  type MasterProcess,
  type OpenOperatorStream,
} from './master-process.ts';
import { createProcessGate } from './process-gate.ts';
import type { OperatorLink } from './simulated-operator.ts';
import type { World } from './world.ts';

/** Unanswered patience is shortened, so that runs of a few minutes see agents become unreachable. */
const PING_INTERVAL_MS = 1_000;
const REREGISTER_TIMEOUT_MS = 30_000;
const RESTART_MIN_MS = 50;
const RESTART_MAX_MS = 3_000;

export type AgentLink = Connection<agentProtocol.ToMaster, agentProtocol.ToAgent>;
export type SchedulerLink = Connection<never, scheduler.Event>;
export type MasterFactory = (dependencies: MasterDependencies) => Master;
export type AllocatorFactory = (options: AllocatorOptions) => Allocator;

export type AcceptAgent = (link: AgentLink) => Side<agentProtocol.ToMaster> | undefined;

export interface CallReply {
  readonly status: number;
  readonly streamId?: string;
}

/** What clients, operators and checkers see of the masters, however many there are. */
export interface MasterView {
  /** The leader's core, or undefined while nobody leads. */
  core(): Master | undefined;
  /** What the allocator of the leader holds. */
  books(): AllocatorSnapshot | undefined;
  /** Grows with everything that a checker could see differently afterwards. */
  readonly changes: number;
  registry(): ReadonlyMap<string, JsonValue>;
  /** A call has arrived; the reply is given once, or never when the master dies first. */
  call(call: scheduler.Call, streamId: string | undefined, caller: Caller): void;
  operatorCall(call: masterApi.Call, reply: (reply: CallReply) => void): void;
  /** An operator wants the stream of events; nothing happens when nobody leads. */
  operatorSubscribe(openStream: OpenOperatorStream): void;
  /** The leader's state, when everything that follows from it was sent over that stream of its. */
  stateAsTold(operatorLink: OperatorLink): Master['state'] | undefined;
}

export interface SimulatedMaster extends MasterView {
  readonly name: string;
  start(): void;
  /** Kills the leader; a successor starts by itself after a while. */
  crash(): void;
  /** Freezes the leader until it was deposed and a successor leads; then it goes on, and ends. */
  freeze(): void;
  /** An agent's connection has arrived. Undefined when nobody listens. */
  acceptAgent: AcceptAgent;
  /** The registry takes no write for that long. */
  delayRegistry(byMs: number): void;
  /** The clock of the masters' host is set. */
  moveClock(byMs: number): void;
  /** What the behaviour of all processes depends on, for state hashes. */
  digest(): unknown;
}

export interface MasterAddress {
  readonly ip: string;
  readonly port: number;
  readonly hostname: string;
}

/** What each new master process is made of. */
export interface MasterParts {
  readonly newAllocator: AllocatorFactory;
  readonly newMaster: MasterFactory;
  /** 1 s when absent. */
  readonly pingIntervalMs?: number;
}

export function createSimulatedMaster(world: World, parts: MasterParts): SimulatedMaster {
  const disk = createDisk<JsonValue>(world, 'registry');
  let leader: MasterProcess | undefined;
  let deposed: MasterProcess | undefined;
  let processes = 0;
  let lastNumber = 0;
  let changes = 0;
  let clockOffsetMs = 0;

  function start(): void {
    const name = `master#${(processes += 1)}`;
    const { core, allocator, id } = createMasterCore(world, parts);
    world.trace(`master ${id} starts with ${disk.durable.size} records`);
    const gate = createProcessGate();
    const touched = (): void => void (changes += 1);
    const write = (writes: readonly RegistryWrite[], done: () => void): void => {
      if (leader !== process) {
        world.trace(`a write of ${name} is refused`);
        process.end();
        return;
      }
      const batch = writes.map(
        (write) => [write.key, write.kind === 'put' ? write.value : undefined] as const,
      );
      disk.write(batch, done);
    };
    const process = createMasterProcess(world, {
      name,
      core,
      allocator,
      gate,
      nextNumber: () => (lastNumber += 1),
      touched,
      newLoop: (perform) => {
        const queue = createEffectQueue<Effect>((effect) => {
          if (!gate.isAlive) return undefined;
          if (effect.kind !== 'persist') {
            perform(effect);
            return undefined;
          }
          return (goOn) =>
            write(effect.writes, () => {
              touched();
              gate.run(goOn);
            });
        });
        return {
          dispatch: (event) =>
            queue.add(core.handle(event, world.now() + clockOffsetMs, world.now())),
          isIdle: () => queue.waiting().length === 0,
          waiting: () => queue.waiting(),
          stop: () => queue.drop(),
        };
      },
    });
    leader = process;
    const entries = Array.from(disk.durable, ([key, value]) => ({ key, value }));
    process.handle({ kind: 'recovered', entries });
  }

  function startLater(then: () => void): void {
    world.arrive(
      world.between(RESTART_MIN_MS, RESTART_MAX_MS),
      { channel: 'election', says: () => '' },
      () => {
        start();
        then();
      },
    );
  }

  return {
    name: 'master',
    core: () => leader?.core,
    books: () => leader?.allocator.snapshot(),
    get changes() {
      return changes;
    },
    registry: () => disk.durable,
    start,
    crash() {
      const dead = leader;
      if (dead === undefined) return;
      world.trace('master dies');
      leader = undefined;
      disk.crash();
      dead.end();
      startLater(() => undefined);
    },
    freeze() {
      const frozen = leader;
      if (frozen === undefined || deposed?.isAlive === true) return;
      world.trace(`${frozen.name} freezes and is deposed`);
      leader = undefined;
      deposed = frozen;
      changes += 1;
      frozen.freeze();
      // The election takes the registry away from the old leader: what it has not written fails.
      disk.crash();
      startLater(() => {
        world.arrive(
          world.between(RESTART_MIN_MS, RESTART_MAX_MS),
          { channel: 'thaw', says: () => '' },
          () => {
            world.trace(`${frozen.name} goes on`);
            frozen.thaw();
            frozen.end();
          },
        );
      });
    },
    acceptAgent: (link) => leader?.acceptAgent(link),
    call(call, streamId, caller) {
      if (leader === undefined) caller.reply({ status: 503 });
      else leader.call(call, streamId, caller);
    },
    operatorCall(call, reply) {
      if (leader === undefined) reply({ status: 503 });
      else leader.operatorCall(call, reply);
    },
    operatorSubscribe: (openStream) => leader?.operatorSubscribe(openStream),
    stateAsTold: (link) => (leader?.hasToldAll(link) === true ? leader.core.state : undefined),
    delayRegistry(byMs) {
      world.trace(`the registry is slow for ${byMs}`);
      disk.delay(byMs);
    },
    moveClock: (byMs) => void (clockOffsetMs += byMs),
    digest: () => ({
      durable: disk.durable,
      processes: [leader, deposed?.isAlive === true ? deposed : undefined].map(
        (process) => process && [process.core.state, process.allocator.explain(), process.digest()],
      ),
    }),
  };
}

/** The core of a new master process, and what that decides by. */
export function createMasterCore(
  world: World,
  { newAllocator, newMaster, pingIntervalMs = PING_INTERVAL_MS }: MasterParts,
  address: MasterAddress = { ip: '127.0.0.1', port: 5050, hostname: 'master' },
): Pick<MasterProcess, 'core' | 'allocator'> & {
  readonly id: string;
  readonly masterInfo: MasterInfo;
} {
  const id = masterId(randomUuid(world.random));
  const random = seededRandom(world.random.nextU32());
  const { port, hostname } = address;
  const masterInfo = { id, ip: 16_777_343, port, hostname, address };
  const allocator = newAllocator({
    random,
    allocationIntervalMs: defaultMasterOptions.allocationIntervalMs,
  });
  const core = newMaster({
    masterId: id,
    random,
    allocator,
    options: {
      ...defaultMasterOptions,
      masterInfo,
      version: 'sim',
      pingIntervalMs,
      agentReregisterTimeoutMs: REREGISTER_TIMEOUT_MS,
    },
  });
  return { id, core, allocator, masterInfo };
}
