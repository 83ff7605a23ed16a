/**
 * RECONCILE_OPERATIONS: what is known of operations that a framework asks about. Source: the original's
 * answers for agents in each condition.
 */

import { agentId } from '@dcos/base';
import type { OperationState, OperationStatus, scheduler } from '@dcos/wire';
import { count, type Context } from './context.ts';
import { tellFramework } from './operations.ts';
import type { Framework } from './state.ts';

/** RECONCILE_OPERATIONS: all of the framework's with an id, or those that are named. */
export function onReconcileOperations(
  context: Context,
  framework: Framework,
  reconcile: scheduler.Call_ReconcileOperations,
): void {
  count(context, 'master/messages_reconcile_operations');
  const questions = reconcile.operations ?? [];
  if (questions.length === 0) {
    for (const { operation } of framework.operations.values())
      tellFramework(context, framework, reconciled(operation.latest_status));
    return;
  }
  for (const question of questions) {
    const known = framework.operations.get(question.operation_id.value);
    tellFramework(
      context,
      framework,
      known === undefined
        ? verdictOn(context, question)
        : reconciled(known.operation.latest_status),
    );
  }
}

/** An answer to a question carries no uuid: nobody is to acknowledge it. */
function reconciled(status: OperationStatus): OperationStatus {
  const { uuid: _uuid, ...told } = status;
  return { ...told, message: 'Reconciliation: Latest operation status' };
}

function verdictOn(
  { state }: Context,
  question: scheduler.Call_ReconcileOperations_Operation,
): OperationStatus {
  const { operation_id, agent_id } = question;
  const agent = agent_id === undefined ? undefined : agentId(agent_id.value);
  const answer = (verdict: OperationState, text: string): OperationStatus => ({
    operation_id,
    state: verdict,
    message: `Reconciliation: ${text}`,
    ...(agent_id !== undefined && { agent_id }),
  });
  if (agent === undefined)
    return answer('OPERATION_UNKNOWN', "Operation is unknown and no 'agent_id' was provided");
  if (state.agents.has(agent)) return answer('OPERATION_UNKNOWN', 'Operation is unknown');
  if (state.recoveredAgents.has(agent))
    return answer('OPERATION_RECOVERING', 'Agent has not registered again yet');
  if (state.unreachableAgents.has(agent))
    return answer('OPERATION_UNREACHABLE', 'Agent is unreachable');
  if (state.goneAgents.has(agent))
    return answer('OPERATION_GONE_BY_OPERATOR', 'Agent is marked gone');
  return answer('OPERATION_UNKNOWN', 'Operation and agent are unknown');
}
