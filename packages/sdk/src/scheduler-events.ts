/**
 * What a framework hears from its connection, as one union: events of the master and the fate of the
 * connection itself. Messages are the plain objects of `@dcos/wire`.
 */

import { frameworkId, type FrameworkId } from '@dcos/base';
import type {
  AgentID,
  ExecutorID,
  InverseOffer,
  MasterInfo,
  Offer,
  OfferID,
  OperationStatus,
  scheduler,
  TaskStatus,
} from '@dcos/wire';
import { HEARTBEAT_INTERVAL_MS } from './core/subscription.ts';
import type { ConnectionEvent } from './shell/subscriber.ts';

/** What the master tells a framework. */
export type MasterEvent =
  /** First event of every stream. Offers of the stream before it are gone. */
  | {
      readonly kind: 'subscribed';
      readonly frameworkId: FrameworkId;
      readonly master: MasterInfo | undefined;
      readonly masterUrl: string;
      readonly heartbeatIntervalMs: number;
    }
  | { readonly kind: 'offers'; readonly offers: readonly Offer[] }
  | { readonly kind: 'inverseOffers'; readonly inverseOffers: readonly InverseOffer[] }
  | { readonly kind: 'rescind'; readonly offerId: OfferID }
  | { readonly kind: 'rescindInverseOffer'; readonly inverseOfferId: OfferID }
  /** A task status; one with a `uuid` is sent again until it is acknowledged. */
  | { readonly kind: 'update'; readonly status: TaskStatus }
  | { readonly kind: 'operationUpdate'; readonly status: OperationStatus }
  | {
      readonly kind: 'message';
      readonly agentId: AgentID;
      readonly executorId: ExecutorID;
      readonly data: Uint8Array;
    }
  /** An agent is gone (no `executorId`), or an executor ended with this raw wait status. */
  | {
      readonly kind: 'failure';
      readonly agentId: AgentID | undefined;
      readonly executorId: ExecutorID | undefined;
      readonly status: number | undefined;
    }
  /** The master refuses this subscription. `stopped` follows when another try is pointless. */
  | { readonly kind: 'error'; readonly message: string }
  | { readonly kind: 'heartbeat' };

/** Everything that a framework hears. */
export type SchedulerEvent = MasterEvent | ConnectionEvent;

/** The typed form of a wire event; undefined for a type that this version does not know. */
export function toSchedulerEvent(
  event: scheduler.Event,
  masterUrl: string,
): MasterEvent | undefined {
  if (event.subscribed !== undefined) {
    const { framework_id, master_info } = event.subscribed;
    return {
      kind: 'subscribed',
      frameworkId: frameworkId(framework_id.value),
      master: master_info,
      masterUrl,
      heartbeatIntervalMs: heartbeatIntervalMsOf(event.subscribed.heartbeat_interval_seconds),
    };
  }
  if (event.offers !== undefined) return { kind: 'offers', offers: event.offers.offers ?? [] };
  if (event.inverse_offers !== undefined) {
    return { kind: 'inverseOffers', inverseOffers: event.inverse_offers.inverse_offers ?? [] };
  }
  if (event.rescind !== undefined) return { kind: 'rescind', offerId: event.rescind.offer_id };
  if (event.rescind_inverse_offer !== undefined) {
    return {
      kind: 'rescindInverseOffer',
      inverseOfferId: event.rescind_inverse_offer.inverse_offer_id,
    };
  }
  if (event.update !== undefined) return { kind: 'update', status: event.update.status };
  if (event.update_operation_status !== undefined) {
    return { kind: 'operationUpdate', status: event.update_operation_status.status };
  }
  return toRareEvent(event);
}

function toRareEvent(event: scheduler.Event): MasterEvent | undefined {
  if (event.message !== undefined) {
    const { agent_id, executor_id, data } = event.message;
    return { kind: 'message', agentId: agent_id, executorId: executor_id, data };
  }
  if (event.failure !== undefined) {
    const { agent_id, executor_id, status } = event.failure;
    return { kind: 'failure', agentId: agent_id, executorId: executor_id, status };
  }
  if (event.error !== undefined) return { kind: 'error', message: event.error.message };
  return event.type === 'HEARTBEAT' ? { kind: 'heartbeat' } : undefined;
}

/** The interval in milliseconds that a SUBSCRIBED names, or the one of the original. */
export function heartbeatIntervalMsOf(seconds: number | undefined): number {
  return seconds === undefined || seconds <= 0 ? HEARTBEAT_INTERVAL_MS : seconds * 1000;
}
