/**
 * A host with an agent in the world: the real core over a virtual disk, link and container runtime. The agent
 * can be killed while its containers go on; the host can burn, and then everything on it is gone but its disk.
 */

import { seededRandom, type ContainerId, type JsonObject } from '@dcos/base';
import {
  createAgent,
  DEFAULT_TIMES,
  type Agent,
  type AgentCoreOptions,
  type AgentEffect,
  type AgentEvent,
} from '@dcos/agent/core';
import type { agentProtocol, AgentInfo, Resource } from '@dcos/wire';
import { connect } from './connection.ts';
import { createDisk } from './disk.ts';
import { createContainers } from './simulated-containers.ts';
import { createEffectQueue } from './effect-queue.ts';
import { createMasterSearch, type AgentDetector, type MasterSeen } from './master-search.ts';
import type { AgentLink } from './simulated-master.ts';
import { createPartition, type Partition } from './partition.ts';
import { createToldRecord } from './told-record.ts';
import { createTimers } from './timers.ts';
import type { World } from './world.ts';

const RESTART_MIN_MS = 50;
const RESTART_MAX_MS = 5_000;
/** Longest waits are shortened, so that a quiet time of minutes suffices for everything to be said. */
const PATIENCE = { registrationBackoffMaxMs: 10_000, updateRetryMaxMs: 30_000 };

/** What every host has of each kind. */
export const AMOUNTS: readonly (readonly [name: string, amount: number])[] = [
  ['cpus', 4],
  ['mem', 1024],
  ['disk', 10_000],
];

/** What every host offers to its agent. */
export const RESOURCES: readonly Resource[] = [
  ...AMOUNTS.map(([name, value]): Resource => ({ name, type: 'SCALAR', scalar: { value } })),
  { name: 'ports', type: 'RANGES', ranges: { range: [{ begin: 31_000, end: 31_099 }] } },
];

export type AgentFactory = (options: AgentCoreOptions) => Agent;

/** A record of which nothing can be told but that it is not from here. */
const TORN_RECORD: JsonObject = { version: 999 };

export interface SimulatedAgent {
  readonly name: string;
  readonly ip: string;
  readonly partition: Partition;
  core(): Agent | undefined;
  /** Grows with everything that a checker could see differently afterwards. */
  readonly changes: number;
  /** Task ids of what runs on the host now, whoever knows of it. */
  runningTaskIds(): readonly string[];
  /** Containers that run on the host now. */
  runningContainerIds(): readonly ContainerId[];
  /** Updates that were sent before they were durable. */
  readonly toldTooEarly: readonly string[];
  /** Ids, as base64, of the operations whose end was told. */
  readonly toldOperations: ReadonlySet<string>;
  /** Grows when the disk of the host was wiped. */
  readonly disksUsed: number;
  start(): void;
  /** Kills the agent; containers go on, and it starts again after a while. */
  crash(): void;
  /** The clock of the host is set. */
  moveClock(byMs: number): void;
  /** Kills the agent and all containers: the host was restarted. */
  reboot(): void;
  link(): AgentLink | undefined;
  /** What its behaviour depends on, for state hashes. */
  digest(): unknown;
}

export interface HostPlan {
  readonly name: string;
  /** Every host has an address of its own: a second agent at the same one would replace the first. */
  readonly ip: string;
  /** The real core when absent. */
  readonly newAgent?: AgentFactory | undefined;
  /** Makes the detector of a new process. */
  readonly detect: () => AgentDetector;
}

export function createSimulatedAgent(
  world: World,
  { name, ip, newAgent = createAgent, detect }: HostPlan,
): SimulatedAgent {
  const disk = createDisk<JsonObject>(world, name, TORN_RECORD);
  const timers = createTimers(world, name);
  const partition = createPartition();
  const told = createToldRecord(disk.durable);
  let disksUsed = 1;
  const info: AgentInfo = { hostname: name, port: 5051, resources: RESOURCES };
  let core: Agent | undefined;
  let link: AgentLink | undefined;
  let changes = 0;
  let links = 0;
  let clockOffsetMs = 0;

  const queue = createEffectQueue<AgentEffect>((effect) =>
    core === undefined ? undefined : perform(effect),
  );

  const search = createMasterSearch({
    open: openLink,
    isConnected: () => link !== undefined,
    leave: () => link?.break(),
    tell: handle,
  });

  const runtime = createContainers(world, name, {
    tell: handle,
    afterAlive,
    touched: () => void (changes += 1),
  });

  function handle(event: AgentEvent): void {
    if (core === undefined) return;
    changes += 1;
    queue.add(core.handle(event, world.now() + clockOffsetMs, world.now()));
  }

  function perform(effect: AgentEffect): ((goOn: () => void) => void) | undefined {
    switch (effect.kind) {
      case 'persist':
        return (goOn) =>
          disk.write([[effect.key, effect.value]], () => {
            changes += 1;
            goOn();
          });
      case 'findContainers':
        runtime.find(effect.tasks);
        return undefined;
      case 'connect':
        search.next();
        return undefined;
      case 'disconnect':
        link?.break();
        return undefined;
      case 'send':
        told.note(effect.message);
        link?.sendToLeft(effect.message);
        return undefined;
      case 'launch':
        runtime.launch(effect.task);
        return undefined;
      case 'abortLaunch':
        runtime.abort(effect.id);
        return undefined;
      case 'signal':
        runtime.signal(effect.id, effect.signal);
        return undefined;
      case 'check':
        afterAlive('check', world.between(1, 50), () =>
          handle({
            kind: 'checked',
            id: effect.task.containerId,
            healthy: world.chance(0.9),
            message: 'sim',
          }),
        );
        return undefined;
      case 'release':
        runtime.release(effect.task.containerId);
        return undefined;
      case 'timer':
        timers.set(effect.id, effect.afterMs, () => handle({ kind: 'timer', id: effect.id }));
        return undefined;
      case 'cancelTimer':
        timers.cancel(effect.id);
        return undefined;
      case 'stopped':
        retire(effect.reason);
        return undefined;
      default:
        return undefined;
    }
  }

  /** Like `after`, but only while this very process lives. */
  function afterAlive(what: string, delayMs: number, action: () => void): () => void {
    const mine = core;
    return world.after(delayMs, `${name}: ${what}`, () => {
      if (core === mine) action();
    });
  }

  function openLink(master: MasterSeen): void {
    const connection: AgentLink = connect<agentProtocol.ToMaster, agentProtocol.ToAgent>(
      world,
      `${name}#${(links += 1)}`,
      { receive: (frame) => side?.receive(frame), closed: () => side?.closed() },
      {
        receive: (frame) => {
          if (link === connection) handle({ kind: 'received', message: frame });
        },
        closed: () => {
          if (link !== connection) return;
          link = undefined;
          handle({ kind: 'disconnected', reason: 'the connection broke' });
        },
      },
    );
    link = connection;
    // A handshake needs both directions: what is cut off at its beginning fails.
    const isCut = partition.isCut('left') || partition.isCut('right');
    const side = isCut ? undefined : master.accept(connection);
    if (side === undefined) {
      connection.break();
      return;
    }
    partition.adopt(connection);
    afterAlive('connected', world.between(0, 10), () => {
      if (link === connection && connection.open) handle({ kind: 'connected' });
    });
  }

  function start(): void {
    world.trace(`${name} starts with ${disk.durable.size} records`);
    core = newAgent({
      random: seededRandom(world.random.nextU32()),
      options: {
        info,
        ip,
        version: 'sim',
        runtimes: new Set(['process']),
        times: { ...DEFAULT_TIMES, ...PATIENCE },
        completedTasksMax: 100,
        tasksMax: 1000,
      },
    });
    search.begin(detect());
    handle({ kind: 'start', records: new Map(disk.durable) });
  }

  function die(): void {
    changes += 1;
    core = undefined;
    search.end();
    queue.drop();
    timers.cancelAll();
    disk.crash();
    runtime.agentDied();
    link?.break();
    link = undefined;
    const arrival = { channel: `${name} comes back`, says: () => '' };
    world.arrive(world.between(RESTART_MIN_MS, RESTART_MAX_MS), arrival, start);
  }

  /** It may not come back as what it was: operators make a new host of it. */
  function retire(reason: string): void {
    world.trace(`${name} stops: ${reason}`);
    die();
    disk.wipe();
    disksUsed += 1;
    runtime.clear();
  }

  return {
    name,
    ip,
    partition,
    core: () => core,
    get changes() {
      return changes;
    },
    runningTaskIds: () => runtime.runningTaskIds(),
    runningContainerIds: () => runtime.runningIds(),
    toldTooEarly: told.tooEarly,
    toldOperations: told.operations,
    get disksUsed() {
      return disksUsed;
    },
    start,
    moveClock: (byMs) => void (clockOffsetMs += byMs),
    crash() {
      if (core === undefined) return;
      world.trace(`${name} dies`);
      die();
    },
    reboot() {
      if (core === undefined) return;
      world.trace(`${name} is rebooted`);
      runtime.clear();
      die();
    },
    link: () => link,
    digest: () => ({
      name,
      core: core?.snapshot(),
      durable: disk.durable,
      containers: runtime.digest(),
      waiting: queue.waiting(),
      link: link && [link.name, link.open],
    }),
  };
}
