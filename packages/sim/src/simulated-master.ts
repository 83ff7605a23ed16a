/**
 * A master in the world: the real core, with a virtual registry, virtual connections and timers. It can be
 * killed at any moment and comes back with what was durable.
 */

import type { Allocator, AllocatorOptions, AllocatorSnapshot } from '@dcos/allocator';
import { masterId, randomUuid, seededRandom, type JsonValue } from '@dcos/base';
import {
  defaultMasterOptions,
  type Effect,
  type Master,
  type MasterDependencies,
  type MasterEvent,
} from '@dcos/master/core';
import type { agentProtocol, scheduler } from '@dcos/wire';
import type { Connection } from './connection.ts';
import { createDisk } from './disk.ts';
import { createEffectQueue } from './effect-queue.ts';
import { createTimers } from './timers.ts';
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

export interface CallReply {
  readonly status: number;
  readonly streamId?: string;
}

export interface SimulatedMaster {
  /** The running core, or undefined while it is dead. */
  core(): Master | undefined;
  /** What the allocator of the running core holds. */
  books(): AllocatorSnapshot | undefined;
  /** Grows with everything that a checker could see differently afterwards. */
  readonly changes: number;
  registry(): ReadonlyMap<string, JsonValue>;
  start(): void;
  /** Kills it; it starts again by itself after a while. */
  crash(): void;
  /** An agent's connection has arrived. Undefined when nobody listens. */
  acceptAgent(
    link: AgentLink,
  ): { receive(frame: agentProtocol.ToMaster): void; closed(): void } | undefined;
  /** A call has arrived; the reply is given once, or never when the master dies first. */
  call(
    call: scheduler.Call,
    streamId: string | undefined,
    openStream: (streamId: string) => SchedulerLink,
    reply: (reply: CallReply) => void,
  ): void;
  /** The client of a stream went away. */
  streamClosed(streamId: string): void;
}

interface Process {
  readonly core: Master;
  readonly allocator: Allocator;
  readonly agents: Map<number, AgentLink>;
  readonly streams: Map<string, SchedulerLink>;
  readonly requests: Map<
    number,
    { reply(reply: CallReply): void; openStream(streamId: string): SchedulerLink }
  >;
}

/** What each new master process is made of. */
export interface MasterParts {
  readonly newAllocator: AllocatorFactory;
  readonly newMaster: MasterFactory;
}

export function createSimulatedMaster(
  world: World,
  { newAllocator, newMaster }: MasterParts,
): SimulatedMaster {
  const disk = createDisk<JsonValue>(world);
  const timers = createTimers(world);
  let process: Process | undefined;
  let nextNumber = 1;
  let changes = 0;

  const queue = createEffectQueue<Effect>((effect) => {
    if (process === undefined) return undefined;
    return perform(process, effect);
  });

  function handle(event: MasterEvent): void {
    if (process === undefined) return;
    changes += 1;
    queue.add(process.core.handle(event, world.now()));
  }

  function perform(alive: Process, effect: Effect): ((goOn: () => void) => void) | undefined {
    switch (effect.kind) {
      case 'persist':
        return (goOn) =>
          disk.write(
            effect.writes.map(
              (write) => [write.key, write.kind === 'put' ? write.value : undefined] as const,
            ),
            () => {
              changes += 1;
              goOn();
            },
          );
      case 'reply':
        alive.requests.get(effect.request)?.reply({ status: effect.status });
        alive.requests.delete(effect.request);
        return undefined;
      case 'openStream': {
        const request = alive.requests.get(effect.request);
        alive.requests.delete(effect.request);
        if (request === undefined) return undefined;
        alive.streams.set(effect.streamId, request.openStream(effect.streamId));
        request.reply({ status: 200, streamId: effect.streamId });
        return undefined;
      }
      case 'sendToFramework':
        alive.streams.get(effect.streamId)?.sendToRight(effect.event);
        return undefined;
      case 'closeStream':
        alive.streams.get(effect.streamId)?.break();
        return undefined;
      case 'sendToAgent':
        alive.agents.get(effect.connection)?.sendToRight(effect.frame);
        return undefined;
      case 'closeAgent':
        alive.agents.get(effect.connection)?.break();
        return undefined;
      case 'setTimer':
        timers.set(effect.timer, effect.afterMs, () =>
          handle({ kind: 'timer', timer: effect.timer }),
        );
        return undefined;
      case 'cancelTimer':
        timers.cancel(effect.timer);
        return undefined;
      default:
        return undefined;
    }
  }

  function start(): void {
    const id = masterId(randomUuid(world.random));
    world.trace(`master ${id} starts with ${disk.durable.size} records`);
    const random = seededRandom(world.random.nextU32());
    const masterInfo = { id, ip: 16_777_343, port: 5050, hostname: 'master' };
    const allocator = newAllocator({
      random,
      allocationIntervalMs: defaultMasterOptions.allocationIntervalMs,
    });
    process = {
      allocator,
      core: newMaster({
        masterId: id,
        random,
        allocator,
        options: {
          ...defaultMasterOptions,
          masterInfo,
          version: 'sim',
          pingIntervalMs: PING_INTERVAL_MS,
          agentReregisterTimeoutMs: REREGISTER_TIMEOUT_MS,
        },
      }),
      agents: new Map(),
      streams: new Map(),
      requests: new Map(),
    };
    handle({
      kind: 'recovered',
      entries: Array.from(disk.durable, ([key, value]) => ({ key, value })),
    });
  }

  return {
    core: () => process?.core,
    books: () => process?.allocator.snapshot(),
    get changes() {
      return changes;
    },
    registry: () => disk.durable,
    start,
    crash() {
      if (process === undefined) return;
      world.trace('master dies');
      const dead = process;
      changes += 1;
      process = undefined;
      queue.drop();
      timers.cancelAll();
      disk.crash();
      for (const link of [...dead.agents.values(), ...dead.streams.values()]) link.break();
      world.after(world.between(RESTART_MIN_MS, RESTART_MAX_MS), start);
    },
    acceptAgent(link) {
      const mine = process;
      if (mine === undefined) return undefined;
      const connection = nextNumber++;
      mine.agents.set(connection, link);
      return {
        receive: (frame) => {
          if (process === mine) handle({ kind: 'agentFrame', connection, frame });
        },
        closed: () => {
          if (process !== mine || !mine.agents.delete(connection)) return;
          handle({ kind: 'agentClosed', connection });
        },
      };
    },
    call(call, streamId, openStream, reply) {
      const mine = process;
      if (mine === undefined) {
        reply({ status: 503 });
        return;
      }
      const request = nextNumber++;
      mine.requests.set(request, {
        reply,
        openStream: (stream) => openStream(stream),
      });
      handle({
        kind: 'schedulerCall',
        request,
        call,
        acceptable: true,
        ...(streamId === undefined ? {} : { streamId }),
      });
    },
    streamClosed(streamId) {
      if (process?.streams.delete(streamId) === true) handle({ kind: 'streamClosed', streamId });
    },
  };
}

/** The master's side of a scheduler stream: it only learns that the client went away. */
export function schedulerSide(
  master: SimulatedMaster,
  streamId: string,
  world: World,
): { receive(): void; closed(): void } {
  const opened = master.core();
  return {
    receive: () => undefined,
    closed: () => {
      // A master that was started since knows nothing of this stream.
      if (master.core() === opened && opened !== undefined) {
        world.trace(`master loses stream ${streamId.slice(0, 8)}`);
        master.streamClosed(streamId);
      }
    },
  };
}
