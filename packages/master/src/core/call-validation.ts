/**
 * What a scheduler call must contain, whatever the state of the master: the part of the checks that
 * comes before frameworks and streams are looked at. Texts are the original's.
 */

import type { scheduler } from '@dcos/wire';

const UUID_BYTES = 16;

/** The part of a call that its type demands; types that are not here have none. */
const PARTS: Partial<Record<scheduler.Call_Type, keyof scheduler.Call>> = {
  SUBSCRIBE: 'subscribe',
  ACCEPT: 'accept',
  DECLINE: 'decline',
  ACCEPT_INVERSE_OFFERS: 'accept_inverse_offers',
  DECLINE_INVERSE_OFFERS: 'decline_inverse_offers',
  KILL: 'kill',
  SHUTDOWN: 'shutdown',
  ACKNOWLEDGE: 'acknowledge',
  ACKNOWLEDGE_OPERATION_STATUS: 'acknowledge_operation_status',
  RECONCILE: 'reconcile',
  RECONCILE_OPERATIONS: 'reconcile_operations',
  MESSAGE: 'message',
  REQUEST: 'request',
  UPDATE_FRAMEWORK: 'update_framework',
};

/** Says what is wrong with a call, or undefined. */
export function callProblem(call: scheduler.Call): string | undefined {
  if (call.type === undefined) return "Expecting 'type' to be present";
  if (call.type === 'SUBSCRIBE') return subscribeProblem(call);
  if (call.framework_id === undefined) return "Expecting 'framework_id' to be present";
  const part = PARTS[call.type];
  if (part !== undefined && call[part] === undefined) return `Expecting '${part}' to be present`;
  const uuid = call.acknowledge?.uuid ?? call.acknowledge_operation_status?.uuid;
  if (uuid !== undefined && uuid.length !== UUID_BYTES) return 'Not a valid UUID';
  if (
    call.type === 'ACKNOWLEDGE_OPERATION_STATUS' &&
    call.acknowledge_operation_status?.agent_id === undefined
  ) {
    return "Expecting 'agent_id' to be present";
  }
  const id = call.update_framework?.framework_info.id?.value;
  if (call.type === 'UPDATE_FRAMEWORK' && id !== call.framework_id.value) {
    return "'framework_id' differs from 'update_framework.framework_info.id'";
  }
  return undefined;
}

function subscribeProblem(call: scheduler.Call): string | undefined {
  if (call.subscribe === undefined) return "Expecting 'subscribe' to be present";
  const inside = call.subscribe.framework_info.id?.value;
  return inside === call.framework_id?.value
    ? undefined
    : "'framework_id' differs from 'subscribe.framework_info.id'";
}
