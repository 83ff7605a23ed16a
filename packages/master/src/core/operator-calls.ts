/**
 * Calls of the operator API that change something, and its event stream. Reads are answered by views.
 */

import { agentId, frameworkId } from '@dcos/base';
import { isValidRole } from '@dcos/resources';
import type { masterApi, WeightInfo } from '@dcos/wire';
import { deactivateAgent, drainAgent, reactivateAgent } from './agent-policies.ts';
import { markAgentGone } from './agents.ts';
import type { Action } from './authorization.ts';
import type { Context } from './context.ts';
import type { RequestId } from './effects.ts';
import { removeFramework } from './frameworks.ts';
import { startMaintenance, stopMaintenance, updateSchedule } from './maintenance.ts';
import { removeOffer } from './offers.ts';
import { onOperatorOperation } from './operator-operations.ts';
import { updateQuota } from './quota.ts';
import { removeQuota, setQuota } from './quota-requests.ts';
import { keyProblem, putRecord } from './registry.ts';
import { unlistedRole } from './role-whitelist.ts';
import { getState } from './view-v1.ts';
import { viewerOf } from './viewer.ts';
import { visibleState } from './visible-state.ts';

/** Weights of one call; they are one batch of the store. */
const WEIGHTS_PER_CALL_MAX = 1_000;

/** Performs a call; every path answers the request once. */
export function onOperatorCall(
  context: Context,
  request: RequestId,
  call: masterApi.Call,
  principal?: string,
): void {
  if (onOperatorOperation(context, request, call, principal)) return;
  const reply = (status: number, text?: string): void =>
    context.emit({ kind: 'reply', request, status, ...(text !== undefined && { text }) });
  const answer = (refusal: { readonly status: number; readonly text: string } | undefined): void =>
    refusal === undefined ? reply(200) : reply(refusal.status, refusal.text);
  const allows = (action: Action, object?: string): boolean =>
    context.authorizer.allows({ action, principal, object });
  switch (call.type) {
    case 'SUBSCRIBE':
      context.emit({
        kind: 'openOperatorStream',
        request,
        snapshot: getState(visibleState(context.state, viewerOf(context.authorizer, principal))),
      });
      return;
    case 'TEARDOWN': {
      const framework = context.state.frameworks.get(
        frameworkId(call.teardown?.framework_id.value ?? ''),
      );
      if (framework === undefined) return reply(400, 'No framework found with specified ID');
      if (!allows('TEARDOWN_FRAMEWORK', framework.info.principal))
        return reply(403, 'Not authorized to teardown framework');
      removeFramework(context, framework);
      return reply(200);
    }
    case 'MARK_AGENT_GONE': {
      if (!allows('MARK_AGENT_GONE')) return reply(403, 'Not authorized to mark agent gone');
      const found = markAgentGone(context, agentId(call.mark_agent_gone?.agent_id.value ?? ''));
      return found ? reply(200) : reply(404, 'Agent not found');
    }
    case 'UPDATE_QUOTA': {
      const { quota_configs: configs = [], force = false } = call.update_quota ?? {};
      return answer(updateQuota(context, configs, { force, principal }));
    }
    case 'SET_QUOTA':
      return answer(setQuota(context, call.set_quota?.quota_request ?? {}, principal));
    case 'REMOVE_QUOTA':
      return answer(removeQuota(context, call.remove_quota?.role ?? '', principal));
    case 'UPDATE_MAINTENANCE_SCHEDULE':
      return answer(
        updateSchedule(context, call.update_maintenance_schedule?.schedule ?? {}, principal),
      );
    case 'START_MAINTENANCE':
      return answer(startMaintenance(context, call.start_maintenance?.machines ?? [], principal));
    case 'STOP_MAINTENANCE':
      return answer(stopMaintenance(context, call.stop_maintenance?.machines ?? [], principal));
    case 'DRAIN_AGENT':
      return answer(
        call.drain_agent === undefined
          ? undefined
          : drainAgent(context, call.drain_agent, principal),
      );
    case 'DEACTIVATE_AGENT':
      return answer(
        deactivateAgent(context, agentId(call.deactivate_agent?.agent_id.value ?? ''), principal),
      );
    case 'REACTIVATE_AGENT':
      return answer(
        reactivateAgent(context, agentId(call.reactivate_agent?.agent_id.value ?? ''), principal),
      );
    case 'UPDATE_WEIGHTS': {
      const weights = call.update_weights?.weight_infos ?? [];
      if (!weights.every(({ role }) => allows('UPDATE_WEIGHT', role ?? '')))
        return reply(403, 'Not authorized to update weight');
      const problem = updateWeights(context, weights);
      return problem === undefined ? reply(200) : reply(400, problem);
    }
    default:
      return reply(501, `The call ${call.type ?? 'UNKNOWN'} is not supported yet`);
  }
}

/** Sets the weights of some roles. Returns the problem that kept all of them from being set. */
function updateWeights(context: Context, weights: readonly WeightInfo[]): string | undefined {
  if (weights.length > WEIGHTS_PER_CALL_MAX) {
    return `${weights.length} weights in one call, at most ${WEIGHTS_PER_CALL_MAX} are allowed`;
  }
  for (const { role = '', weight } of weights) {
    const prefix = `Failed to validate update weights request JSON for role '${role}': `;
    const problem = isValidRole(role) ?? keyProblem(role);
    if (problem !== undefined) return `${prefix}Invalid role '${role}': ${problem}`;
    if (unlistedRole(context.options, [role]) !== undefined)
      return `${prefix}Unknown role '${role}'`;
    if (!(weight > 0) || !Number.isFinite(weight)) {
      return `${prefix}Invalid weight '${weight}': Weights must be positive`;
    }
  }
  const { state, allocator } = context;
  context.emit({
    kind: 'persist',
    writes: weights.map(({ role = '', weight }) => putRecord({ kind: 'weight', role, weight })),
  });
  for (const { role = '', weight } of weights) state.weights.set(role, weight);
  allocator.updateWeights(state.weights);
  // Offers were made with the old shares; roles that gained must not wait for the others to answer.
  if (weights.length > 0) {
    for (const offer of state.offers.values()) removeOffer(context, offer, { rescind: true });
  }
  return undefined;
}
