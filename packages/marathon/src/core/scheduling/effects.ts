/**
 * What the scheduling core asks its shell to do. Effects are performed in the order in which they come;
 * nothing after a `persist` leaves the process before the record is durable.
 */

import type { Instant, JsonObject, JsonValue } from '@dcos/base';
import type { TaskInfo, TaskStatus } from '@dcos/wire';
import type { BusEvent } from './bus-events.ts';

/** A change of a stored record; `value` undefined deletes it. */
export interface RecordWrite {
  readonly key: string;
  readonly value: JsonValue | undefined;
}

/** One health or readiness probe. */
export interface Probe {
  readonly purpose: 'health' | 'readiness';
  readonly instanceId: string;
  /** The task that was meant: an answer that comes after its end is dropped. */
  readonly taskId: string;
  /** Index of the check in the app definition. */
  readonly checkIndex: number;
  readonly protocol: 'HTTP' | 'HTTPS' | 'TCP';
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly timeoutMs: number;
}

/** The answer to a request. */
export interface Reply {
  readonly statusCode: number;
  /** Absent for an empty body. */
  readonly body?: JsonValue;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Effect =
  | { readonly kind: 'persist'; readonly writes: readonly RecordWrite[] }
  | {
      readonly kind: 'accept';
      readonly offerId: string;
      readonly tasks: readonly TaskInfo[];
      readonly refuseSeconds: number;
    }
  | {
      readonly kind: 'decline';
      readonly offerIds: readonly string[];
      readonly refuseSeconds: number;
    }
  | { readonly kind: 'revive'; readonly roles: readonly string[] }
  | { readonly kind: 'suppress'; readonly roles: readonly string[] }
  | { readonly kind: 'kill'; readonly taskId: string; readonly agentId?: string }
  | { readonly kind: 'acknowledge'; readonly status: TaskStatus }
  | {
      readonly kind: 'reconcile';
      /** Empty: all tasks of the framework. */
      readonly tasks: readonly { readonly taskId: string; readonly agentId?: string }[];
    }
  /** The roles in use changed: the framework has to be told to the master anew. */
  | { readonly kind: 'updateRoles'; readonly roles: readonly string[] }
  | { readonly kind: 'publish'; readonly event: BusEvent }
  | { readonly kind: 'reply'; readonly requestId: number; readonly reply: Reply }
  | { readonly kind: 'probe'; readonly probe: Probe }
  /** Call back with `tick` at this instant; replaces the wake-up asked for before. */
  | { readonly kind: 'wakeAt'; readonly at: Instant }
  | {
      readonly kind: 'log';
      readonly event: string;
      readonly fields: JsonObject;
      readonly message: string;
    };
