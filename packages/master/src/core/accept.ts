/**
 * ACCEPT: offers become tasks and other resources. Operations run in order against what is left of the
 * offers; one that fails does not stop later ones; what remains goes back with the call's filter.
 * Source: the original's order of checks and its feedback for each kind of failure.
 */

import { assert, offerId, type OfferId } from '@dcos/base';
import { Resources } from '@dcos/resources';
import type { Offer_Operation, scheduler, TaskInfo } from '@dcos/wire';
import { count, countKind, countOf, type Context } from './context.ts';
import type { Grant } from './grant.ts';
import { failTask, launchGroup, launchTasks } from './launch.ts';
import { convertOffered } from './offered-operations.ts';
import { refusalOf, removeOffer, withdrawOffer } from './offers.ts';
import { refuseOperation } from './operations.ts';
import type { Framework, OfferRecord } from './state.ts';

/** Carries an ACCEPT call out. */
export function onAccept(
  context: Context,
  framework: Framework,
  accept: scheduler.Call_Accept,
): void {
  const operations = accept.operations ?? [];
  countLaunches(context, operations);
  const records = (accept.offer_ids ?? []).map(({ value }) => framework.offers.get(offerId(value)));
  const problem = offersProblem(context, framework, accept, records);
  if (problem !== undefined) {
    dropAll(context, framework, records, operations, problem);
    return;
  }
  const grant = takeOffers(context, records);
  if (grant === undefined) {
    dropAll(context, framework, records, operations, 'the agent of the offers is not registered');
    return;
  }
  countOf(framework, 'offers/accepted', records.length);
  const { agent, remaining: offered } = grant;
  for (const operation of operations) performOperation(context, framework, grant, operation);
  // Offers that were used in full leave nothing to give back, and no filter; unused ones are as declined.
  const rest = grant.remaining.add(grant.setAside);
  const refusal = { ...refusalOf(accept.filters), leftover: rest !== offered };
  context.allocator.recover(framework.id, agent.id, rest, refusal, context.monotonicMs);
}

/** As the original counts them: LAUNCH only, and one without tasks is an old way to decline. */
function countLaunches(context: Context, operations: readonly Offer_Operation[]): void {
  for (const { type, launch } of operations) {
    if (type !== 'LAUNCH') continue;
    const isEmpty = (launch?.task_infos ?? []).length === 0;
    count(context, isEmpty ? 'master/messages_decline_offers' : 'master/messages_launch_tasks');
  }
}

function offersProblem(
  context: Context,
  framework: Framework,
  accept: scheduler.Call_Accept,
  records: readonly (OfferRecord | undefined)[],
): string | undefined {
  const ids = (accept.offer_ids ?? []).map(({ value }) => value);
  if (ids.length === 0) return 'No offers specified';
  const seen = new Set<string>();
  for (const [index, id] of ids.entries()) {
    if (seen.has(id)) return `Duplicate offer ${id} in offer list`;
    seen.add(id);
    if (records[index] === undefined) {
      const foreign = context.state.offers.has(offerId(id));
      return foreign
        ? `Offer ${id} has invalid framework, framework ${framework.id} is expected`
        : `Offer ${id} is no longer valid`;
    }
  }
  const [first] = records;
  for (const record of records) {
    if (record?.agentId !== first?.agentId)
      return 'Aggregated offers must belong to one single agent';
    if (record?.role !== first?.role) return 'Aggregated offers must be allocated to the same role';
  }
  const tasks = (accept.operations ?? []).reduce(
    (sum, operation) => sum + tasksOf(operation).length,
    0,
  );
  const { tasksPerAcceptMax } = context.options;
  if (tasks > tasksPerAcceptMax)
    return `${tasks} tasks in one call, at most ${tasksPerAcceptMax} are allowed`;
  return undefined;
}

function takeOffers(
  context: Context,
  records: readonly (OfferRecord | undefined)[],
): Grant | undefined {
  const [first] = records;
  const agent = first === undefined ? undefined : context.state.agents.get(first.agentId);
  if (first === undefined || agent?.connection === undefined) return undefined;
  let remaining = Resources.empty;
  for (const record of records) {
    assert(record !== undefined, 'offers were checked before they are taken');
    remaining = remaining.add(record.resources);
    withdrawOffer(context, record);
    context.state.declines.end(record);
  }
  return { agent, role: first.role, remaining, setAside: Resources.empty };
}

/** Nothing of the call can be done: valid offers go back, every task is dropped. */
function dropAll(
  context: Context,
  framework: Framework,
  records: readonly (OfferRecord | undefined)[],
  operations: readonly Offer_Operation[],
  problem: string,
): void {
  const discarded = new Set<OfferId>();
  for (const record of records) {
    if (record === undefined || discarded.has(record.id)) continue;
    discarded.add(record.id);
    // As declined: a client that repeats a wrong call must not be offered the same as fast as it can.
    removeOffer(context, record, { rescind: false, refusal: { refuseMs: 0 } });
  }
  for (const operation of operations) {
    for (const task of tasksOf(operation)) {
      failTask(context, framework, task, {
        state: 'TASK_DROPPED',
        reason: 'REASON_INVALID_OFFERS',
        message: `Task launched with invalid offers: ${problem}`,
      });
    }
    if (!isLaunch(operation)) {
      refuseOperation(context, framework, operation, {
        state: 'OPERATION_DROPPED',
        message: `Operation with invalid offers: ${problem}`,
      });
    }
  }
}

function performOperation(
  context: Context,
  framework: Framework,
  grant: Grant,
  operation: Offer_Operation,
): void {
  countKind(framework, 'operations', operation.type);
  switch (operation.type) {
    case 'LAUNCH':
      return launchTasks(context, framework, grant, operation);
    case 'LAUNCH_GROUP':
      return launchGroup(context, framework, grant, operation);
    case 'RESERVE':
    case 'UNRESERVE':
    case 'CREATE':
    case 'DESTROY':
    case 'GROW_VOLUME':
    case 'SHRINK_VOLUME':
      return convertOffered(context, framework, grant, operation);
    case 'CREATE_DISK':
    case 'DESTROY_DISK':
      return refuseOperation(context, framework, operation, {
        state: 'OPERATION_ERROR',
        message: `${operation.type} needs a resource provider, and agents of this cluster have none`,
      });
    default:
      return refuseOperation(context, framework, operation, {
        state: 'OPERATION_ERROR',
        message: 'The type of the operation is unknown',
      });
  }
}

function isLaunch(operation: Offer_Operation): boolean {
  return operation.type === 'LAUNCH' || operation.type === 'LAUNCH_GROUP';
}

function tasksOf(operation: Offer_Operation): readonly TaskInfo[] {
  if (operation.type === 'LAUNCH') return operation.launch?.task_infos ?? [];
  return operation.type === 'LAUNCH_GROUP' ? (operation.launch_group?.task_group.tasks ?? []) : [];
}
