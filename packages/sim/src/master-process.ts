/**
 * One process of a master in the world: the real core in a loop that performs its effects, with virtual connections
 * and timers. It can be killed between any two effects. It can be frozen: what arrives then is held, and when the
 * process goes on, it handles all of it before it learns that it was deposed, which is the worst order.
 */

import type { Allocator } from '@dcos/allocator';
import type { Effect, Master, MasterEvent } from '@dcos/master/core';
import { inOnePiece, type agentProtocol, type masterApi, type scheduler } from '@dcos/wire';
import type { Connection, Side } from './connection.ts';
import type { ProcessGate } from './process-gate.ts';
import type { AgentLink, CallReply, SchedulerLink } from './simulated-master.ts';
import type { OperatorLink } from './simulated-operator.ts';
import { createTimers } from './timers.ts';
import type { World } from './world.ts';

/** Messages that a stream may be behind; its client is cut off then. */
const BACKLOG_MAX = 20;

export interface MasterProcess {
  readonly name: string;
  readonly core: Master;
  readonly allocator: Allocator;
  readonly isAlive: boolean;
  readonly isFrozen: boolean;
  handle(event: MasterEvent): void;
  acceptAgent(link: AgentLink): Side<agentProtocol.ToMaster>;
  call(call: scheduler.Call, streamId: string | undefined, caller: Caller): void;
  operatorCall(call: masterApi.Call, reply: (reply: CallReply) => void): void;
  operatorSubscribe(openStream: OpenOperatorStream): void;
  /** Whether a stream of events was sent all that follows from what was handled. */
  hasToldAll(operatorLink: OperatorLink): boolean;
  /** Ends it: what it had not performed is lost, all its connections break. */
  end(): void;
  freeze(): void;
  thaw(): void;
  /** What its behaviour depends on besides the core, for state hashes. */
  digest(): unknown;
}

/** @param side the master's side, which only learns that the client went away. */
export type OpenOperatorStream = (side: Side<never>) => OperatorLink;

/** Who waits for the answer to a call. */
export interface Caller {
  reply(reply: CallReply): void;
  /** @param side the master's side, which only learns that the client went away. */
  openStream(streamId: string, side: Side<never>): SchedulerLink;
}

/** Hands events to the core, and performs what follows in its order, behind the writes. */
export interface CoreLoop {
  dispatch(event: MasterEvent): void;
  /** Whether nothing waits for a write. */
  isIdle(): boolean;
  /** What waits for one, for state hashes. */
  waiting(): unknown;
  /** Forgets what was not performed. */
  stop(): void;
}

export interface MasterProcessPlan {
  readonly name: string;
  readonly core: Master;
  readonly allocator: Allocator;
  /** What happens to it comes through here. */
  readonly gate: ProcessGate;
  /** Makes the loop around the core. */
  readonly newLoop: (perform: (effect: Effect) => void) => CoreLoop;
  /** Numbers connections and requests; never the same twice. */
  readonly nextNumber: () => number;
  /** Something happened that a checker could see. */
  readonly touched: () => void;
}

export function createMasterProcess(world: World, plan: MasterProcessPlan): MasterProcess {
  const { name, core, allocator, gate, nextNumber, touched } = plan;
  const timers = createTimers(world, name);
  const agents = new Map<number, AgentLink>();
  const streams = new Map<string, SchedulerLink>();
  const requests = new Map<number, Caller>();
  const operatorRequests = new Map<number, OpenOperatorStream>();
  const operators = new Set<OperatorLink>();
  const loop = plan.newLoop((effect) => {
    if (gate.isAlive) perform(effect);
  });

  function handle(event: MasterEvent): void {
    gate.run(() => {
      touched();
      loop.dispatch(event);
    });
  }

  function perform(effect: Effect): void {
    switch (effect.kind) {
      case 'reply':
        requests.get(effect.request)?.reply({ status: effect.status });
        requests.delete(effect.request);
        return;
      case 'openStream': {
        const request = requests.get(effect.request);
        requests.delete(effect.request);
        if (request === undefined) return;
        streams.set(
          effect.streamId,
          request.openStream(effect.streamId, streamSide(effect.streamId)),
        );
        request.reply({ status: 200, streamId: effect.streamId });
        return;
      }
      case 'sendToFramework':
        tell(streams.get(effect.streamId), effect.event);
        return;
      case 'openOperatorStream':
        openOperatorStream(effect);
        return;
      case 'operatorEvent':
        for (const link of operators) tell(link, effect.event);
        return;
      case 'closeStream':
        streams.get(effect.streamId)?.closeFromLeft();
        return;
      case 'sendToAgent':
        agents.get(effect.connection)?.sendToRight(effect.frame);
        return;
      case 'closeAgent':
        agents.get(effect.connection)?.closeFromLeft();
        return;
      case 'setTimer':
        timers.set(effect.timer, effect.afterMs, () =>
          handle({ kind: 'timer', timer: effect.timer }),
        );
        return;
      case 'cancelTimer':
        timers.cancel(effect.timer);
        return;
      default:
        return;
    }
  }

  /** A client that reads too slowly is cut off. */
  function tell<Event>(link: Connection<never, Event> | undefined, event: Event): void {
    if (link === undefined) return;
    link.sendToRight(event);
    if (link.backlog('right') <= BACKLOG_MAX) return;
    world.trace(`${name} cuts off ${link.name}`);
    link.break();
  }

  function openOperatorStream({
    request,
    snapshot,
  }: Extract<Effect, { kind: 'openOperatorStream' }>): void {
    const open = operatorRequests.get(request);
    operatorRequests.delete(request);
    if (open === undefined) return;
    const link = open({
      receive: () => undefined,
      closed: () => void operators.delete(link),
    });
    operators.add(link);
    // Clients get the snapshot as it was: messages are made once and never change.
    link.sendToRight({ type: 'SUBSCRIBED', subscribed: { get_state: inOnePiece(snapshot) } });
  }

  function streamSide(streamId: string): Side<never> {
    return {
      receive: () => undefined,
      closed() {
        if (gate.isAlive && streams.delete(streamId)) handle({ kind: 'streamClosed', streamId });
      },
    };
  }

  return {
    name,
    core,
    allocator,
    get isAlive() {
      return gate.isAlive;
    },
    get isFrozen() {
      return gate.isFrozen;
    },
    handle,
    acceptAgent(link) {
      const connection = nextNumber();
      agents.set(connection, link);
      return {
        receive: (frame) => handle({ kind: 'agentFrame', connection, frame }),
        closed: () => {
          if (gate.isAlive && agents.delete(connection))
            handle({ kind: 'agentClosed', connection });
        },
      };
    },
    call(call, streamId, caller) {
      const request = nextNumber();
      requests.set(request, caller);
      handle({
        kind: 'schedulerCall',
        request,
        call,
        acceptable: true,
        ...(streamId === undefined ? {} : { streamId }),
      });
    },
    operatorCall(call, reply) {
      const request = nextNumber();
      requests.set(request, {
        reply,
        openStream: () => {
          throw new Error('an operator call opened a scheduler stream');
        },
      });
      handle({ kind: 'operatorCall', request, call });
    },
    operatorSubscribe(openStream) {
      const request = nextNumber();
      operatorRequests.set(request, openStream);
      handle({ kind: 'operatorCall', request, call: { type: 'SUBSCRIBE' } });
    },
    hasToldAll: (link) => operators.has(link) && loop.isIdle() && !gate.isFrozen,
    end() {
      if (!gate.isAlive) return;
      touched();
      gate.end();
      loop.stop();
      timers.cancelAll();
      for (const link of [...agents.values(), ...streams.values(), ...operators]) link.break();
    },
    freeze: () => gate.freeze(),
    thaw: () => gate.thaw(),
    digest: () => ({
      isFrozen: gate.isFrozen,
      held: gate.held,
      waiting: loop.waiting(),
      agents: Array.from(agents, ([number, link]) => [`#${number}`, link.name, link.open]),
      streams: Array.from(streams, ([id, link]) => [id, link.name, link.open]),
      operators: Array.from(operators, (link) => [link.name, link.open]),
      requests: Array.from(requests.keys(), (number) => `#${number}`),
    }),
  };
}
