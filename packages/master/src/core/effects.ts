/**
 * What goes into the master's core and what comes out of it.
 *
 * Contract of the effects of one event, and of the effects of successive events:
 * - they are performed in the order in which they were returned;
 * - nothing after a `persist` leaves the process before that `persist` is durable. A write that fails
 *   ends the process: its successor starts from what is durable. Writes themselves may be handed to the
 *   store as soon as they are returned, as long as the store keeps their order;
 * - a `reply` answers the request of that number exactly once; `openStream` and `openOperatorStream`
 *   answer it by beginning a stream.
 */

import type { Incident } from './incidents.ts';
import type { EventOwner } from './visible-event.ts';
import type { AgentId, FrameworkId, JsonValue } from '@dcos/base';
import type { agentProtocol, LargeMessage, masterApi, scheduler } from '@dcos/wire';

/** Names an HTTP request that waits for its answer; chosen by the shell, never used twice. */
export type RequestId = number;
/** Names the connection of an agent; chosen by the shell, a later connection has a greater one. */
export type ConnectionId = number;
/** The text of `Mesos-Stream-Id`. */
export type StreamId = string;
/** What a timer is for, such as `failover/<framework id>`. Setting it again replaces it. */
export type TimerId = string;

/** One write to the registry; keys as in `registry.ts`. */
export type RegistryWrite =
  | { readonly kind: 'put'; readonly key: string; readonly value: JsonValue }
  | { readonly kind: 'delete'; readonly key: string };

export interface RegistryEntry {
  readonly key: string;
  readonly value: JsonValue;
}

export type MasterEvent =
  /** The registry as it was read after the election. Once, before anything else. */
  | { readonly kind: 'recovered'; readonly entries: readonly RegistryEntry[] }
  | {
      readonly kind: 'schedulerCall';
      readonly request: RequestId;
      readonly call: scheduler.Call;
      /** Value of the header `Mesos-Stream-Id`. */
      readonly streamId?: StreamId;
      /** Who calls, when the connection was authenticated. */
      readonly principal?: string | undefined;
      /** Whether the `Accept` header allows an encoding that we speak. */
      readonly acceptable: boolean;
    }
  /** The client of a scheduler stream went away, or was cut off. */
  | { readonly kind: 'streamClosed'; readonly streamId: StreamId }
  /** A call that changes something; reads are answered from the state by the views. */
  | {
      readonly kind: 'operatorCall';
      readonly request: RequestId;
      readonly call: masterApi.Call;
      /** Who calls, when the connection was authenticated. */
      readonly principal?: string | undefined;
    }
  | {
      readonly kind: 'agentFrame';
      readonly connection: ConnectionId;
      readonly frame: agentProtocol.ToMaster;
      /** As whom the agent logged in, when it had to. */
      readonly principal?: string | undefined;
    }
  | { readonly kind: 'agentClosed'; readonly connection: ConnectionId }
  /** Host names of agents that may be offered, as the operator's file says now; undefined for all. */
  | { readonly kind: 'whitelist'; readonly hostnames: ReadonlySet<string> | undefined }
  | { readonly kind: 'timer'; readonly timer: TimerId };

export type Effect =
  | { readonly kind: 'persist'; readonly writes: readonly RegistryWrite[] }
  | {
      readonly kind: 'reply';
      readonly request: RequestId;
      readonly status: number;
      readonly text?: string;
    }
  | { readonly kind: 'openStream'; readonly request: RequestId; readonly streamId: StreamId }
  | {
      readonly kind: 'sendToFramework';
      readonly streamId: StreamId;
      readonly event: scheduler.Event;
    }
  | { readonly kind: 'closeStream'; readonly streamId: StreamId }
  | {
      readonly kind: 'sendToAgent';
      readonly connection: ConnectionId;
      readonly frame: agentProtocol.ToAgent;
    }
  | { readonly kind: 'closeAgent'; readonly connection: ConnectionId }
  | {
      readonly kind: 'openOperatorStream';
      readonly request: RequestId;
      /** The state at this place in the order of effects; later events continue from it. */
      readonly snapshot: LargeMessage<masterApi.Response_GetState>;
    }
  | {
      readonly kind: 'operatorEvent';
      readonly event: masterApi.Event;
      /** Present when there are viewers who may not see everything. */
      readonly owner?: EventOwner;
    }
  /** For the stream of incidents: one began, went on or ended. */
  | { readonly kind: 'incident'; readonly incident: Incident }
  | { readonly kind: 'setTimer'; readonly timer: TimerId; readonly afterMs: number }
  | { readonly kind: 'cancelTimer'; readonly timer: TimerId }
  /** The master may not go on, since its operator must look: the process ends. */
  | { readonly kind: 'fail'; readonly message: string }
  /** A fact for the log; `event` is a stable name. */
  | {
      readonly kind: 'log';
      readonly level: 'info' | 'warn';
      readonly event: string;
      readonly message: string;
      readonly frameworkId?: FrameworkId;
      readonly agentId?: AgentId;
      readonly fields?: Readonly<Record<string, JsonValue>>;
    };
