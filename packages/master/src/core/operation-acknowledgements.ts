/**
 * Frameworks that acknowledge how an operation ended: on to the agent, which then forgets it, as the master does.
 */

import { agentId, toBase64 } from '@dcos/base';
import type { scheduler } from '@dcos/wire';
import { count, note, type Context } from './context.ts';
import { acknowledgeToAgent, forgetOperation, isTerminalOperation } from './operations.ts';
import type { Agent, Framework, OperationRecord } from './state.ts';

/** ACKNOWLEDGE_OPERATION_STATUS: on to the agent; a terminal status ends the record. */
export function onAcknowledgeOperation(
  context: Context,
  framework: Framework,
  acknowledge: scheduler.Call_AcknowledgeOperationStatus,
): void {
  count(context, 'master/messages_operation_status_update_acknowledgement');
  const named = acknowledge.agent_id?.value ?? '';
  const agent = context.state.agents.get(agentId(named));
  const record = agent && acknowledgedRecord(framework, agent, acknowledge);
  if (record === undefined || agent?.connection === undefined) {
    count(context, 'master/invalid_operation_status_update_acknowledgements');
    const id = acknowledge.operation_id.value;
    note(
      context,
      'info',
      'acknowledgement.dropped',
      `operation ${id} is not known, or not on agent ${named}, or the agent is not connected`,
      { frameworkId: framework.id },
    );
    return;
  }
  count(context, 'master/valid_operation_status_update_acknowledgements');
  const { operation } = record;
  acknowledgeToAgent(context, agent, operation.uuid.value, acknowledge.uuid);
  const acknowledged = operation.statuses?.find(
    ({ uuid }) => uuid !== undefined && toBase64(uuid.value) === toBase64(acknowledge.uuid),
  );
  if (acknowledged !== undefined && isTerminalOperation(acknowledged.state))
    forgetOperation(context, agent, record);
}

/**
 * The operation that is meant. Two agents that come back to a new master may have operations of one id, when the
 * framework used it again before the first of them was back.
 */
function acknowledgedRecord(
  framework: Framework,
  agent: Agent,
  { operation_id: { value: id } }: scheduler.Call_AcknowledgeOperationStatus,
): OperationRecord | undefined {
  const known = framework.operations.get(id);
  if (known === undefined || known.agentId === agent.id) return known;
  return [...agent.operations.values()].find(
    (record) => record.frameworkId === framework.id && record.operation.info.id?.value === id,
  );
}
