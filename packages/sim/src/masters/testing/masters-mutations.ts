/**
 * Masters that are broken on purpose where they elect, fence and believe. A simulation that lets one pass checks less
 * than it claims. For tests only.
 */

import { createAgent, type AgentEffect } from '@dcos/agent/core';
import { containerId } from '@dcos/base';
import type { Lease, Store, ZooKeeperTransport } from '@dcos/store';
import type { AgentFactory } from '../../simulated-agent.ts';
import type { MastersOptions } from '../masters-simulation.ts';

export interface MastersMutation {
  readonly name: string;
  readonly parts: Omit<MastersOptions, 'seed' | 'steps' | 'faults'>;
  /** What a checker must say. */
  readonly objection: RegExp;
}

/** A lease that is held whatever has happened. */
function heldForEver(lease: Lease): Lease {
  return {
    epoch: lease.epoch,
    release: () => lease.release(),
    isHeld: () => true,
    lost: new Promise(() => undefined),
  };
}

/** A leader that goes on after its session is over; its writes are fenced still. */
function goesOn(store: Store): Store {
  return storeWith(store, {
    elect: async (...given) => {
      const lease = await store.elect(...given);
      // The store finds the leader's node by it.
      return Object.assign(heldForEver(lease), { path: 'path' in lease ? lease.path : '' });
    },
  });
}

/** Writes that carry no lease, of a leader that goes on after its session is over. */
function writesUnfenced(store: Store): Store {
  return storeWith(goesOn(store), { commit: (writes) => store.commit(writes) });
}

/** Takes a write as done when the connection is lost under it. */
function believes(store: Store, whenBroken: (listener: () => void) => void): Store {
  const waiting = new Set<() => void>();
  whenBroken(() => {
    for (const believe of waiting) believe();
  });
  return storeWith(store, {
    commit: async (...given) => {
      const believed = new Promise<void>((resolve) => waiting.add(resolve));
      await Promise.race([store.commit(...given), believed]);
    },
  });
}

function storeWith(store: Store, changed: Partial<Store>): Store {
  return {
    get: (key) => store.get(key),
    list: (prefix) => store.list(prefix),
    commit: (...given) => store.commit(...given),
    watch: (...given) => store.watch(...given),
    elect: (...given) => store.elect(...given),
    leader: (election) => store.leader(election),
    candidates: (election) => store.candidates(election),
    watchLeader: (...given) => store.watchLeader(...given),
    close: () => store.close(),
    ...changed,
  };
}

/** Packets that tell of watches carry a number of their own: -1, behind the length. */
function isEvent(bytes: Uint8Array): boolean {
  return bytes.subarray(4, 8).every((byte) => byte === 0xff);
}

/** A client to which no watch ever fires. */
function hearsNoWatch(transport: ZooKeeperTransport): ZooKeeperTransport {
  return (server, listener) =>
    transport(server, {
      ...listener,
      received: (bytes) => {
        if (!isEvent(bytes)) listener.received(bytes);
      },
    });
}

function believingSeams(): MastersMutation['parts'] {
  // Of all masters: more is believed than happened, which only makes the mutation worse.
  const listeners = new Set<() => void>();
  return {
    seams: {
      transport: (transport) => (server, listener) =>
        transport(server, {
          ...listener,
          broken: (reason) => {
            for (const listen of listeners) listen();
            listener.broken(reason);
          },
        }),
      store: (store) => believes(store, (listen) => void listeners.add(listen)),
    },
  };
}

/** How long a candidate takes a leader for ended that it hears nothing of. */
const HASTE_MS = 4_000;

/** Starts the last task of an agent once more when another master leads. */
const startsAnew: AgentFactory = (options) => {
  const real = createAgent(options);
  let last: Extract<AgentEffect, { kind: 'launch' }> | undefined;
  return {
    ...real,
    handle(event, ...when) {
      const effects = real.handle(event, ...when);
      last = effects.findLast((effect) => effect.kind === 'launch') ?? last;
      if (event.kind !== 'masterChanged' || last === undefined) return effects;
      const id = containerId(`${last.task.containerId}-2`);
      return [...effects, { ...last, task: { ...last.task, containerId: id } }];
    },
  };
};

export const MASTERS_MUTATIONS: readonly MastersMutation[] = [
  {
    name: 'a leader that goes on after its session is over',
    parts: { seams: { store: goesOn } },
    objection: /did \w+ as the leader of epoch/,
  },
  {
    name: 'a master whose writes are not fenced',
    // What it says comes before what it writes, and is not what this is about.
    parts: { seams: { store: writesUnfenced }, actsUnwatched: true },
    objection: /wrote .* leads$/,
  },
  {
    name: 'a master that hears of no watch',
    parts: { seams: { transport: hearsNoWatch } },
    objection: /masters lead after the faults have stopped/,
  },
  {
    name: 'a master that takes silence for an end',
    parts: {
      seams: {
        processes: (_processes, clock) => ({
          watch: (_watcher, _ip, gone) => clock.setTimer(HASTE_MS, gone),
        }),
      },
    },
    objection: /did \w+ as the leader of epoch/,
  },
  {
    name: 'an agent that hears of no watch',
    parts: { agentSeams: { transport: hearsNoWatch } },
    objection: /is not registered/,
  },
  {
    name: 'an agent that starts tasks anew with every leader',
    parts: { newAgent: startsAnew },
    objection: /a second time|runs on|of one cpu each on/,
  },
  {
    name: 'a master that believes in writes whose outcome is unknown',
    parts: believingSeams(),
    objection: /operators were told|does not hold it/,
  },
];
