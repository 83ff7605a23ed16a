/**
 * The interface of the scheduler client: its options, its calls, its bounds.
 */

import type { Clock, FrameworkId, Logger, Random } from '@dcos/base';
import type {
  AgentID,
  Encoding,
  Filters,
  FrameworkInfo,
  KillPolicy,
  Offer_Operation,
  OfferID,
  OperationStatus,
  scheduler,
  TaskID,
  TaskStatus,
} from '@dcos/wire';
import type { Masters } from './masters.ts';
import type { Phase } from './core/subscription.ts';
import type { SchedulerEvent } from './scheduler-events.ts';
import type { Listener } from './shell/delivery.ts';
import type { Ending } from './shell/subscriber.ts';
import type { TlsOptions } from './tls.ts';

/** Calls that may wait for the master unless the options say otherwise; more are refused at once. */
export const CALLS_WAITING_MAX = 10_000;
/** Time for the master to answer a call unless the options say otherwise. */
export const CALL_MS_MAX = 30_000;
/** Bytes that an answer to a call may have. */
export const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

export interface SchedulerOptions {
  readonly masters: Masters;
  /** Who subscribes. With an `id`, the framework of that id is taken over. */
  readonly framework: FrameworkInfo;
  readonly suppressedRoles?: readonly string[];
  readonly offerConstraints?: scheduler.OfferConstraints;
  readonly logger: Logger;
  /** Protobuf unless asked otherwise: a third of the work for both sides. */
  readonly encoding?: Encoding;
  /**
   * Gets every event in order. While a returned promise is pending nothing more is read. When it
   * throws, the connection is closed and `done` rejects. Without a listener, iterate the connection.
   */
  readonly listener?: Listener<SchedulerEvent>;
  /**
   * Who acknowledges: by default the connection does, as soon as the listener is done with an update (its promise
   * is settled, or the iteration asks for the next event). `manual` leaves it to `acknowledge`.
   */
  readonly acknowledge?: 'automatic' | 'manual';
  /**
   * The tasks that the framework believes to have. When given, the connection reconciles after every
   * subscription: these by name, again with a growing wait until each was heard of, then whatever there is.
   */
  readonly tasks?: () => Iterable<scheduler.Call_Reconcile_Task>;
  /** Sent with every request, for example `authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** For masters with `https:`; by default what the system trusts. */
  readonly tls?: TlsOptions;
  readonly callsWaitingMax?: number;
  readonly callMsMax?: number;
  /** Bound on the wait between tries to subscribe. */
  readonly retryMsMax?: number;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** A call without what the connection fills in. */
export type SchedulerCall = Omit<scheduler.Call, 'framework_id' | 'type' | 'subscribe'> & {
  readonly type: Exclude<scheduler.Call_Type, 'SUBSCRIBE' | 'UNKNOWN'>;
};

export interface SchedulerConnection extends AsyncIterable<SchedulerEvent> {
  /** Known from the first `subscribed` on, or from the start when the options name one. */
  readonly frameworkId: FrameworkId | undefined;
  readonly phase: Phase;
  /** Settles after the last event; rejects when the listener threw. */
  readonly done: Promise<Ending>;
  /**
   * Makes a call. The promise settles when the master has answered, which for most calls means only
   * that it took the call.
   * @returns the answer's message for calls that have one, such as RECONCILE_OPERATIONS.
   * @throws OperationError `SDK_NOT_SUBSCRIBED` (retry later: after the next `subscribed`),
   *   `SDK_QUEUE_FULL`, `SDK_DISCONNECTED` (the call may or may not have taken effect),
   *   `SDK_CALL_REFUSED` with `details.status` and `details.body`.
   */
  call(call: SchedulerCall): Promise<scheduler.Response | undefined>;
  /** Launches and other operations on offers of one agent and role; the rest of the offers goes back. */
  accept(
    offers: readonly OfferID[],
    operations: readonly Offer_Operation[],
    filters?: Filters,
  ): Promise<void>;
  decline(offers: readonly OfferID[], filters?: Filters): Promise<void>;
  /** Acknowledges an update; does nothing for one that needs no acknowledgement. */
  acknowledge(status: TaskStatus): Promise<void>;
  /** Acknowledges an operation's status; does nothing for one that needs no acknowledgement. */
  acknowledgeOperation(status: OperationStatus): Promise<void>;
  kill(
    task: TaskID,
    options?: { readonly agent?: AgentID; readonly policy?: KillPolicy },
  ): Promise<void>;
  /** Asks for the state of these tasks; of all tasks of the framework when the list is empty. */
  reconcile(tasks: readonly scheduler.Call_Reconcile_Task[]): Promise<void>;
  revive(roles?: readonly string[]): Promise<void>;
  suppress(roles?: readonly string[]): Promise<void>;
  /**
   * Changes the framework at the master and for every later subscription.
   */
  updateFramework(framework: FrameworkInfo, options?: UpdateOptions): Promise<void>;
  /** Ends the framework: its tasks are killed, its id is used up, the connection stops. */
  teardown(): Promise<void>;
  /** Leaves. Tasks go on running for the framework's failover time-out. Idempotent. */
  close(): Promise<void>;
}

export interface UpdateOptions {
  readonly suppressedRoles?: readonly string[];
  readonly offerConstraints?: scheduler.OfferConstraints;
}
