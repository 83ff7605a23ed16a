/**
 * Offer operations on their way: the master applies them at once and sends them to the agent, which
 * applies them in the same order, makes them durable and says so; a framework that gave its operation an
 * id hears of it and acknowledges.
 *
 * An operation that the agent could not carry out was applied here for nothing: the agent then says what it has,
 * and what is still on its way to it is applied to that (`agent-total.ts`).
 *
 * Invariants: an operation has one terminal status; its record lives until that status was acknowledged,
 * by its framework where it wants to hear of it, else by the master; what an agent says at its
 * registration wins over what was believed before.
 * Source: the original's operation life cycle. Its resource versions are not needed here: one ordered
 * connection carries launches and operations, and a new connection begins with the agent's own account.
 */

import { frameworkId, randomUuidBytes, toBase64, type AgentId, type FrameworkId } from '@dcos/base';
import type {
  agentProtocol,
  Offer_Operation,
  Operation,
  OperationState,
  OperationStatus,
} from '@dcos/wire';
import { count, note, sendToAgent, sendToFramework, type Context } from './context.ts';
import type { Agent, Framework, OperationRecord } from './state.ts';

/** States after which nothing changes any more. */
const TERMINAL: ReadonlySet<OperationState> = new Set<OperationState>([
  'OPERATION_FINISHED',
  'OPERATION_FAILED',
  'OPERATION_ERROR',
  'OPERATION_DROPPED',
  'OPERATION_GONE_BY_OPERATOR',
]);

/** Whether no other state can follow. */
export function isTerminalOperation(state: OperationState): boolean {
  return TERMINAL.has(state);
}

/** Name of a state or a kind of operation in metrics. */
function metricName(name: string): string {
  return name.replace('OPERATION_', '').toLowerCase();
}

/** Counts an operation that ended, in total and by its type. */
export function countOperationEnd(
  context: Context,
  operation: Offer_Operation,
  state: OperationState,
): void {
  count(context, `master/operations/${metricName(state)}`);
  count(
    context,
    `master/operations/${metricName(operation.type ?? 'UNKNOWN')}/${metricName(state)}`,
  );
}

/**
 * Sends an operation to its agent, which must be connected. Its resources carry no allocation.
 * @param framework absent for an operator's.
 */
export function sendOperation(
  context: Context,
  agent: Agent,
  operation: Offer_Operation,
  framework: Framework | undefined,
): void {
  const uuid = randomUuidBytes(context.random);
  const status: OperationStatus = {
    ...(operation.id !== undefined && { operation_id: operation.id }),
    state: 'OPERATION_PENDING',
    agent_id: { value: agent.id },
  };
  keepOperation(context, agent, {
    ...(framework !== undefined && { framework_id: { value: framework.id } }),
    agent_id: { value: agent.id },
    info: operation,
    latest_status: status,
    uuid: { value: uuid },
  });
  sendToAgent(context, agent, {
    type: 'APPLY_OPERATION',
    apply_operation: {
      ...(framework !== undefined && { framework_id: { value: framework.id } }),
      operation_uuid: uuid,
      operation,
    },
  });
}

function keepOperation(context: Context, agent: Agent, operation: Operation): OperationRecord {
  const id = operation.framework_id?.value;
  const record: OperationRecord = {
    agentId: agent.id,
    frameworkId: id === undefined ? undefined : frameworkId(id),
    operation,
  };
  agent.operations.set(toBase64(operation.uuid.value), record);
  const framework = frameworkOf(context, record);
  const operationId = operation.info.id?.value;
  if (
    framework !== undefined &&
    operationId !== undefined &&
    !framework.operations.has(operationId)
  )
    framework.operations.set(operationId, record);
  return record;
}

function frameworkOf(context: Context, record: OperationRecord): Framework | undefined {
  return record.frameworkId === undefined
    ? undefined
    : context.state.frameworks.get(record.frameworkId);
}

/** Whether a framework is told of the operation. */
function hasFeedback({ operation, frameworkId: id }: OperationRecord): boolean {
  return operation.info.id !== undefined && id !== undefined;
}

/** Forgets an operation that is over for everybody. */
export function forgetOperation(context: Context, agent: Agent, record: OperationRecord): void {
  agent.operations.delete(toBase64(record.operation.uuid.value));
  const framework = frameworkOf(context, record);
  const id = record.operation.info.id?.value;
  if (framework !== undefined && id !== undefined && framework.operations.get(id) === record)
    framework.operations.delete(id);
}

/** OPERATION_UPDATE of an agent. One with a uuid is repeated until it is acknowledged. */
export function onOperationUpdate(
  context: Context,
  agent: Agent,
  update: agentProtocol.OperationUpdate,
): void {
  count(context, 'master/messages_operation_status_update');
  const record = agent.operations.get(toBase64(update.operation_uuid));
  if (record === undefined) {
    // Forgotten with its framework or by an older master; nobody else will acknowledge it.
    count(context, 'master/invalid_operation_status_updates');
    acknowledgeToAgent(context, agent, update.operation_uuid, update.status.uuid?.value);
    return;
  }
  count(context, 'master/valid_operation_status_updates');
  const status: OperationStatus = { ...update.status, agent_id: { value: agent.id } };
  noteStatus(context, record, update.latest_status ?? status, status);
  const framework = frameworkOf(context, record);
  if (hasFeedback(record) && framework !== undefined) {
    tellFramework(context, framework, status);
    if (status.uuid === undefined && isTerminalOperation(status.state))
      forgetOperation(context, agent, record);
    return;
  }
  acknowledgeToAgent(context, agent, update.operation_uuid, status.uuid?.value);
  if (isTerminalOperation(status.state)) forgetOperation(context, agent, record);
}

function noteStatus(
  context: Context,
  record: OperationRecord,
  latest: OperationStatus,
  status: OperationStatus,
): void {
  const { operation } = record;
  if (isTerminalOperation(operation.latest_status.state)) return;
  const statuses = [...(operation.statuses ?? []), status];
  record.operation = { ...operation, latest_status: latest, statuses };
  if (isTerminalOperation(latest.state)) countOperationEnd(context, operation.info, latest.state);
}

/** Tells an agent that a status of an operation need not be repeated. */
export function acknowledgeToAgent(
  context: Context,
  agent: Agent,
  operationUuid: Uint8Array,
  statusUuid: Uint8Array | undefined,
): void {
  if (statusUuid === undefined) return;
  sendToAgent(context, agent, {
    type: 'ACKNOWLEDGE_OPERATION',
    acknowledge_operation: { operation_uuid: operationUuid, status_uuid: statusUuid },
  });
}

/** Tells a framework how one of its operations stands. */
export function tellFramework(
  context: Context,
  framework: Framework,
  status: OperationStatus,
): void {
  // What was converted is for the master; frameworks see the result in their next offer.
  const { converted_resources: _converted, ...told } = status;
  sendToFramework(context, framework, {
    type: 'UPDATE_OPERATION_STATUS',
    update_operation_status: { status: told },
  });
}

/** Tells a framework that its operation was not even tried; without an id it is only noted. */
export function refuseOperation(
  context: Context,
  framework: Framework,
  operation: Offer_Operation,
  refusal: {
    readonly state: 'OPERATION_DROPPED' | 'OPERATION_ERROR';
    readonly message: string;
    readonly agentId?: AgentId;
  },
): void {
  const { state, message } = refusal;
  countOperationEnd(context, operation, state);
  note(context, 'info', 'operation.refused', message, { frameworkId: framework.id });
  if (operation.id === undefined) return;
  tellFramework(context, framework, {
    operation_id: operation.id,
    state,
    message,
    ...(refusal.agentId !== undefined && { agent_id: { value: refusal.agentId } }),
  });
}

/** What an agent says of operations when it registers, against what was believed. */
export function reconcileAgentOperations(
  context: Context,
  agent: Agent,
  reported: readonly Operation[],
): void {
  const uuids = new Set(reported.map(({ uuid }) => toBase64(uuid.value)));
  for (const [key, record] of agent.operations) {
    if (uuids.has(key)) continue;
    // It never arrived, or its end was acknowledged while we did not listen.
    endOperation(
      context,
      agent,
      record,
      'OPERATION_DROPPED',
      'The agent does not know the operation',
    );
  }
  for (const operation of reported) {
    if (!agent.operations.has(toBase64(operation.uuid.value)))
      keepOperation(context, agent, operation);
  }
}

function endOperation(
  context: Context,
  agent: Agent,
  record: OperationRecord,
  state: OperationState,
  message: string,
): void {
  const { info, latest_status } = record.operation;
  forgetOperation(context, agent, record);
  if (isTerminalOperation(latest_status.state)) return;
  if (isTerminalOperation(state)) countOperationEnd(context, info, state);
  const framework = frameworkOf(context, record);
  if (framework === undefined || info.id === undefined) return;
  tellFramework(context, framework, {
    operation_id: info.id,
    state,
    message,
    agent_id: { value: agent.id },
  });
}

/** The agent is lost or gone, and so is what it had to do. */
export function endAgentOperations(
  context: Context,
  agent: Agent,
  state: 'OPERATION_UNREACHABLE' | 'OPERATION_GONE_BY_OPERATOR' | 'OPERATION_DROPPED',
): void {
  for (const record of agent.operations.values())
    endOperation(context, agent, record, state, 'The agent of the operation was removed');
}

/** The framework is gone: its operations go on, and nobody is told. */
export function orphanOperations(context: Context, framework: FrameworkId): void {
  for (const agent of context.state.agents.values()) {
    for (const record of agent.operations.values())
      if (record.frameworkId === framework) record.frameworkId = undefined;
  }
}
