/**
 * Offer operations on this agent: applied in the order of their arrival to what the agent has, durable
 * before anybody hears of it, told until acknowledged. What was reserved and created outlives the agent's
 * process and comes with every registration.
 *
 * The record of the total carries the operation that made it, so that none is durable in what the agent has and
 * yet unknown when the agent dies before its own record is written.
 *
 * Invariants: the total with all dynamic reservations and volumes undone is what the agent was started
 * with; an operation has one status, and its record goes with the acknowledgement.
 * Source: mesos-kernel §4.6, §6.4.
 */

import { fromBase64, randomUuidBytes, toBase64 } from '@dcos/base';
import { conversionOf, mapOperationResources, Resources, resourcesText } from '@dcos/resources';
import type {
  agentProtocol,
  Offer_Operation,
  OperationState,
  OperationStatus,
  Resource,
} from '@dcos/wire';
import { log, type Context } from './context.ts';
import type { OperationRecord } from './model.ts';
import { tellTotal } from './revocable.ts';
import {
  OPERATION_PREFIX,
  RESOURCES_KEY,
  operationToJson,
  resourcesToJson,
  type SavedTotal,
} from './records.ts';

const RETRY_PREFIX = 'operation/';

/** APPLY_OPERATION: does what it says if the resources are there, and tells what came of it. */
export function applyOperation(context: Context, body: agentProtocol.ApplyOperation): void {
  const key = toBase64(body.operation_uuid);
  if (context.operations.has(key)) {
    tell(context, key);
    return;
  }
  const conversion = conversionOf(body.operation);
  if (!conversion.ok) return finish(context, body, 'OPERATION_ERROR', conversion.error);
  const { consumed } = conversion.value;
  if (!context.total.contains(consumed)) {
    return finish(
      context,
      body,
      'OPERATION_DROPPED',
      `The agent does not have ${resourcesText(consumed.toWire())}`,
    );
  }
  const { converted } = conversion.value;
  const record = recordOf(context, body, 'OPERATION_FINISHED', undefined, converted.toWire());
  context.total = context.total.subtract(consumed).add(converted);
  saveTotal(context, record);
  keep(context, record);
  destroyVolumes(context, body.operation);
}

/** @param last the operation that made the total, until it is acknowledged. */
function saveTotal(context: Context, last: OperationRecord | undefined): void {
  context.lastOperation = last?.uuid;
  const base = context.options.info.resources ?? [];
  context.effects.push({
    kind: 'persist',
    key: RESOURCES_KEY,
    value: resourcesToJson({ base, total: context.total.toWire(), last }),
  });
}

/** An operation that was not carried out: the agent says so, and what it has. */
function finish(
  context: Context,
  body: agentProtocol.ApplyOperation,
  state: OperationState,
  message: string,
): void {
  keep(context, recordOf(context, body, state, message, []));
  // The master believed it to be done, and must not go on believing it.
  tellTotal(context);
}

function recordOf(
  context: Context,
  body: agentProtocol.ApplyOperation,
  state: OperationState,
  message: string | undefined,
  converted: readonly Resource[],
): OperationRecord {
  const { operation, operation_uuid: uuid, framework_id } = body;
  const status: OperationStatus = {
    ...(operation.id !== undefined && { operation_id: operation.id }),
    state,
    ...(message !== undefined && { message }),
    ...(converted.length > 0 && { converted_resources: converted }),
    uuid: { value: randomUuidBytes(context.random) },
    ...(context.agentId !== undefined && { agent_id: { value: context.agentId } }),
  };
  return {
    uuid: toBase64(uuid),
    ...(framework_id !== undefined && { frameworkId: framework_id.value }),
    info: operation,
    status,
  };
}

function keep(context: Context, record: OperationRecord): void {
  context.operations.set(record.uuid, record);
  context.effects.push({
    kind: 'persist',
    key: OPERATION_PREFIX + record.uuid,
    value: operationToJson(record),
  });
  tell(context, record.uuid);
}

/** The contents go after the record is durable, and again after a restart: twice is harmless. */
function destroyVolumes(context: Context, operation: Offer_Operation): void {
  const volumes = operation.destroy?.volumes ?? [];
  if (operation.type !== 'DESTROY' || volumes.length === 0) return;
  context.effects.push({ kind: 'destroyVolumes', volumes });
}

function tell(context: Context, key: string): void {
  const record = context.operations.get(key);
  if (record === undefined || context.phase !== 'registered') return;
  const { frameworkId } = record;
  context.effects.push(
    {
      kind: 'send',
      message: {
        type: 'OPERATION_UPDATE',
        operation_update: {
          ...(frameworkId !== undefined && { framework_id: { value: frameworkId } }),
          operation_uuid: bytesOf(key),
          status: record.status,
          latest_status: record.status,
        },
      },
    },
    { kind: 'timer', id: RETRY_PREFIX + key, afterMs: retryAfterMs(context, key) },
  );
}

function bytesOf(key: string): Uint8Array {
  return fromBase64(key) ?? new Uint8Array();
}

/** The wait doubles with each attempt since the last registration. */
function retryAfterMs(context: Context, key: string): number {
  const { updateRetryMs, updateRetryMaxMs } = context.options.times;
  const attempts = context.operationAttempts.get(key) ?? 0;
  context.operationAttempts.set(key, attempts + 1);
  return Math.min(updateRetryMs * 2 ** Math.min(attempts, 30), updateRetryMaxMs);
}

/** A timer of this file fired. */
export function onOperationTimer(context: Context, name: string): boolean {
  if (!name.startsWith(RETRY_PREFIX)) return false;
  tell(context, name.slice(RETRY_PREFIX.length));
  return true;
}

/** After a registration: all of them at once, with the patience of a first attempt. */
export function tellAllOperations(context: Context): void {
  context.operationAttempts.clear();
  for (const key of context.operations.keys()) tell(context, key);
}

/** ACKNOWLEDGE_OPERATION: the operation is over for everybody. */
export function acknowledgeOperation(
  context: Context,
  body: agentProtocol.AcknowledgeOperation,
): void {
  const key = toBase64(body.operation_uuid);
  const record = context.operations.get(key);
  const expected = record?.status.uuid?.value;
  if (expected === undefined || toBase64(expected) !== toBase64(body.status_uuid)) {
    log(context, 'warn', 'acknowledgement.ignored', 'no operation waits for this acknowledgement');
    return;
  }
  context.operations.delete(key);
  context.operationAttempts.delete(key);
  if (context.lastOperation === key) saveTotal(context, undefined);
  context.effects.push(
    { kind: 'cancelTimer', id: RETRY_PREFIX + key },
    { kind: 'persist', key: OPERATION_PREFIX + key, value: undefined },
  );
}

/** RECONCILE_OPERATIONS: those that the master waits for and that never arrived here. */
export function reconcileOperations(
  context: Context,
  body: agentProtocol.ReconcileOperations,
): void {
  for (const uuid of body.operation_uuids ?? []) {
    const key = toBase64(uuid);
    if (context.operations.has(key)) {
      tell(context, key);
      continue;
    }
    context.effects.push({
      kind: 'send',
      message: {
        type: 'OPERATION_UPDATE',
        operation_update: {
          operation_uuid: uuid,
          status: { state: 'OPERATION_DROPPED', message: 'The agent does not know the operation' },
        },
      },
    });
  }
}

/**
 * What the agent has after a start: the resources that it was started with, changed by the reservations
 * and volumes of the checkpoint. Returns why they do not fit, if so.
 */
export function recoverTotal(context: Context, saved: SavedTotal | undefined): string | undefined {
  const base = Resources.fromWire(context.options.info.resources ?? []);
  context.total = base;
  if (saved === undefined) return undefined;
  const { last } = saved;
  context.lastOperation = last?.uuid;
  if (last !== undefined && !context.operations.has(last.uuid))
    context.operations.set(last.uuid, last);
  const total = Resources.fromWire(saved.total);
  if (base.equals(Resources.fromWire(saved.base))) {
    context.total = total;
    return undefined;
  }
  const changed = total.toWire().filter(isDynamic);
  const needed = Resources.fromWire(changed.map(undone));
  if (!base.contains(needed)) {
    return (
      `the checkpointed reservations and volumes need ${resourcesText(needed.toWire())}, which the agent was ` +
      'not started with; give it these resources, or empty its work directory'
    );
  }
  context.total = base.subtract(needed).add(Resources.fromWire(changed));
  return undefined;
}

function isDynamic({ reservations, disk }: Resource): boolean {
  return disk?.persistence !== undefined || reservations?.at(-1)?.type === 'DYNAMIC';
}

/** A resource as it was before any operation. */
function undone(resource: Resource): Resource {
  const { disk, shared: _shared, reservations = [], ...rest } = resource;
  const fixed = reservations.filter(({ type }) => type === 'STATIC');
  return {
    ...rest,
    ...(fixed.length > 0 && { reservations: fixed }),
    ...(disk?.source !== undefined && { disk: { source: disk.source } }),
  };
}

/** After a restart: what an operation began to destroy is destroyed again. */
export function resumeOperations(context: Context): void {
  for (const { info, status } of context.operations.values())
    if (status.state === 'OPERATION_FINISHED') destroyVolumes(context, info);
}

/** Operations as registrations and views show them. */
export function operationMessages(
  context: Pick<Context, 'operations' | 'agentId'>,
): NonNullable<agentProtocol.Register['operations']> {
  return Array.from(context.operations.values(), ({ uuid, frameworkId, info, status }) => ({
    ...(frameworkId !== undefined && { framework_id: { value: frameworkId } }),
    ...(context.agentId !== undefined && { agent_id: { value: context.agentId } }),
    info: mapOperationResources(info, (resource) => resource),
    latest_status: status,
    statuses: [status],
    uuid: { value: bytesOf(uuid) },
  }));
}
