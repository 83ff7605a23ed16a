/**
 * ACCEPT: offers become tasks. Operations run in order against what is left of the offers; one that fails
 * does not stop later ones; what remains goes back with the call's filter.
 * Source: the original's order of checks and its feedback for each kind of failure.
 */

import { assert, offerId, taskId, type OfferId } from '@dcos/base';
import { Resources } from '@dcos/resources';
import type {
  Offer_Operation,
  Resource,
  scheduler,
  TaskInfo,
  TaskState,
  TaskStatus_Reason,
} from '@dcos/wire';
import {
  count,
  countKind,
  countOf,
  note,
  sendToAgent,
  sendToFramework,
  type Context,
} from './context.ts';
import { refusalOf, removeOffer, withdrawOffer } from './offers.ts';
import type { Agent, Framework, OfferRecord } from './state.ts';
import { masterStatus } from './status.ts';
import { stateFor } from './task-state.ts';
import { taskProblem } from './task-validation.ts';
import { addTask, countTerminal, taskOfInfo } from './tasks.ts';

interface Grant {
  readonly agent: Agent;
  readonly role: string;
  remaining: Resources;
}

/** Carries an ACCEPT call out. */
export function onAccept(
  context: Context,
  framework: Framework,
  accept: scheduler.Call_Accept,
): void {
  count(context, 'master/messages_launch_tasks');
  const operations = accept.operations ?? [];
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
  const leftover = grant.remaining !== offered;
  const refusal = { ...refusalOf(accept.filters), leftover };
  context.allocator.recover(framework.id, agent.id, grant.remaining, refusal, context.now);
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
  return { agent, role: first.role, remaining };
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
      operationFeedback(
        context,
        framework,
        operation,
        'OPERATION_DROPPED',
        `Operation with invalid offers: ${problem}`,
      );
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
  if (operation.type === 'LAUNCH') {
    for (const task of operation.launch?.task_infos ?? []) {
      const problem =
        operation.id === undefined ? undefined : "'id' is not allowed in a LAUNCH operation";
      launchTask(context, framework, grant, task, problem);
    }
    return;
  }
  const unsupported = `The operation ${operation.type ?? 'UNKNOWN'} is not supported yet`;
  for (const task of tasksOf(operation)) {
    failTask(context, framework, task, {
      state: 'TASK_ERROR',
      reason: 'REASON_TASK_GROUP_INVALID',
      message: unsupported,
    });
  }
  if (!isLaunch(operation))
    operationFeedback(context, framework, operation, 'OPERATION_ERROR', unsupported);
}

function launchTask(
  context: Context,
  framework: Framework,
  grant: Grant,
  given: TaskInfo,
  operationProblem: string | undefined,
): void {
  const task = withAllocation(given, grant.role);
  const problem =
    operationProblem ??
    taskProblem(task, { framework, agent: grant.agent, remaining: grant.remaining });
  if (problem !== undefined) {
    failTask(context, framework, given, {
      state: 'TASK_ERROR',
      reason: 'REASON_TASK_INVALID',
      message: problem,
    });
    return;
  }
  const record = addTask(context, framework, grant.agent, taskOfInfo(framework, task));
  grant.remaining = grant.remaining.subtract(record.resources);
  sendToAgent(context, grant.agent, {
    type: 'RUN_TASK',
    run_task: { framework_info: framework.info, task },
  });
}

function withAllocation(task: TaskInfo, role: string): TaskInfo {
  if (task.resources === undefined) return task;
  const resources = task.resources.map((resource): Resource =>
    resource.allocation_info?.role === undefined
      ? { ...resource, allocation_info: { role } }
      : resource,
  );
  return { ...task, resources };
}

function failTask(
  context: Context,
  framework: Framework,
  task: TaskInfo,
  failure: {
    readonly state: TaskState;
    readonly reason: TaskStatus_Reason;
    readonly message: string;
  },
): void {
  const state = stateFor(framework.capabilities, failure.state);
  const agent = task.agent_id.value;
  const status = {
    ...masterStatus({ ...failure, state, taskId: taskId(task.task_id.value) }, context.now),
    agent_id: { value: agent },
  };
  countTerminal(context, framework, status, state);
  sendToFramework(context, framework, { type: 'UPDATE', update: { status } });
}

function operationFeedback(
  context: Context,
  framework: Framework,
  operation: Offer_Operation,
  state: 'OPERATION_DROPPED' | 'OPERATION_ERROR',
  message: string,
): void {
  count(context, `master/operations/${state === 'OPERATION_ERROR' ? 'error' : 'dropped'}`);
  if (operation.id === undefined) {
    note(context, 'info', 'operation.refused', message, { frameworkId: framework.id });
    return;
  }
  sendToFramework(context, framework, {
    type: 'UPDATE_OPERATION_STATUS',
    update_operation_status: { status: { operation_id: operation.id, state, message } },
  });
}

function isLaunch(operation: Offer_Operation): boolean {
  return operation.type === 'LAUNCH' || operation.type === 'LAUNCH_GROUP';
}

function tasksOf(operation: Offer_Operation): readonly TaskInfo[] {
  if (operation.type === 'LAUNCH') return operation.launch?.task_infos ?? [];
  return operation.type === 'LAUNCH_GROUP' ? (operation.launch_group?.task_group.tasks ?? []) : [];
}
