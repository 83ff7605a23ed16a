/**
 * POST /api/v1/scheduler after decoding: the checks in the original's order, then the call itself.
 *
 * Order: message (400), unknown type (501), Accept of SUBSCRIBE (406), presence of the stream id (400),
 * framework known (400), its principal the caller's (400), framework connected (403), stream id current (400).
 */

import {
  agentId,
  executorId,
  frameworkId,
  taskId,
  type AgentId,
  type ExecutorId,
} from '@dcos/base';
import type { agentProtocol, FrameworkInfo, scheduler } from '@dcos/wire';
import { onAccept } from './accept.ts';
import { callProblem } from './call-validation.ts';
import { count, countKind, note, sendToAgent, type Context } from './context.ts';
import type { MasterEvent, RequestId } from './effects.ts';
import { onSubscribe, onSuppression, onUpdateFramework } from './subscriptions.ts';
import { removeFramework } from './frameworks.ts';
import { answerInverseOffers } from './inverse-offers.ts';
import { onDecline } from './offers.ts';
import { onReconcileOperations } from './operation-reconciliation.ts';
import { onAcknowledgeOperation } from './operation-acknowledgements.ts';
import { onReconcile, reconcileTask } from './reconcile.ts';
import type { Framework } from './state.ts';
import { onAcknowledge } from './tasks.ts';

type SchedulerCall = Extract<MasterEvent, { kind: 'schedulerCall' }>;

/** Checks and performs a call; every path answers the request once. */
export function onSchedulerCall(context: Context, event: SchedulerCall): void {
  const { call, request, streamId } = event;
  const refuse = (status: number, text: string): void =>
    context.emit({ kind: 'reply', request, status, text });
  const problem = callProblem(call);
  if (problem !== undefined) {
    refuse(400, `Failed to validate scheduler::Call: ${problem}`);
    return;
  }
  if (call.subscribe !== undefined && call.type === 'SUBSCRIBE') {
    if (!event.acceptable) {
      refuse(406, "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'");
    } else if (streamId !== undefined) {
      refuse(400, "Subscribe calls should not include the 'Mesos-Stream-Id' header");
    } else onSubscribeAs(context, event, call.subscribe);
    return;
  }
  if (call.type === 'UNKNOWN') {
    refuse(501, 'Received scheduler::Call of an unknown type');
    return;
  }
  if (streamId === undefined) {
    refuse(400, "All non-subscribe calls should include the 'Mesos-Stream-Id' header");
    return;
  }
  const framework = context.state.frameworks.get(frameworkId(call.framework_id?.value ?? ''));
  if (framework === undefined) {
    refuse(400, 'Framework cannot be found');
  } else if (event.principal !== undefined && event.principal !== framework.info.principal) {
    refuse(400, principalMismatch(event.principal, framework.info.principal));
  } else if (framework.streamId === undefined) {
    refuse(403, 'Framework is not subscribed');
  } else if (framework.streamId !== streamId) {
    refuse(
      400,
      `The stream ID '${streamId}' included in this request didn't match the stream ID currently ` +
        `associated with framework ID ${framework.id}`,
    );
  } else if (call.type === 'UPDATE_FRAMEWORK' && call.update_framework !== undefined) {
    countKind(framework, 'calls', call.type);
    onUpdateFramework(context, request, framework, {
      ...call.update_framework,
      framework_info: identified(call.update_framework.framework_info, event.principal),
    });
  } else {
    countKind(framework, 'calls', call.type);
    dispatch(context, framework, call);
    context.emit({ kind: 'reply', request, status: 202 });
  }
}

/** A framework that logged in has the principal that it logged in as. */
function onSubscribeAs(
  context: Context,
  { request, principal }: SchedulerCall,
  subscribe: scheduler.Call_Subscribe,
): void {
  const { framework_info: info } = subscribe;
  if (principal !== undefined && (info.principal ?? principal) !== principal) {
    const text = principalMismatch(principal, info.principal);
    context.emit({ kind: 'reply', request, status: 400, text });
    return;
  }
  onSubscribe(context, request, { ...subscribe, framework_info: identified(info, principal) });
}

/** Fills in the principal that a framework logged in as when it names none. */
function identified(info: FrameworkInfo, principal: string | undefined): FrameworkInfo {
  return principal === undefined ? info : { principal, ...info };
}

function principalMismatch(authenticated: string, own: string | undefined): string {
  return `Authenticated principal '${authenticated}' does not match principal '${own ?? ''}' set in FrameworkInfo`;
}

function dispatch(context: Context, framework: Framework, call: scheduler.Call): void {
  // The presence of each part was checked with the call.
  switch (call.type) {
    case 'TEARDOWN':
      count(context, 'master/messages_unregister_framework');
      return removeFramework(context, framework);
    case 'ACCEPT':
      return call.accept && onAccept(context, framework, call.accept);
    case 'DECLINE':
      return call.decline && onDecline(context, framework, call.decline);
    case 'ACCEPT_INVERSE_OFFERS':
      return answerInverseOffers(context, framework, {
        ids: call.accept_inverse_offers?.inverse_offer_ids ?? [],
        willing: true,
        filters: call.accept_inverse_offers?.filters,
      });
    case 'DECLINE_INVERSE_OFFERS':
      return answerInverseOffers(context, framework, {
        ids: call.decline_inverse_offers?.inverse_offer_ids ?? [],
        willing: false,
        filters: call.decline_inverse_offers?.filters,
      });
    case 'REVIVE':
      return onSuppression(context, framework, { revive: true, roles: call.revive?.roles ?? [] });
    case 'SUPPRESS':
      return onSuppression(context, framework, {
        revive: false,
        roles: call.suppress?.roles ?? [],
      });
    case 'KILL':
      return call.kill && onKill(context, framework, call.kill);
    case 'ACKNOWLEDGE':
      return call.acknowledge && onAcknowledge(context, framework, call.acknowledge);
    case 'RECONCILE':
      return call.reconcile && onReconcile(context, framework, call.reconcile);
    case 'RECONCILE_OPERATIONS':
      return (
        call.reconcile_operations &&
        onReconcileOperations(context, framework, call.reconcile_operations)
      );
    case 'ACKNOWLEDGE_OPERATION_STATUS':
      return (
        call.acknowledge_operation_status &&
        onAcknowledgeOperation(context, framework, call.acknowledge_operation_status)
      );
    case 'MESSAGE':
      return call.message && onMessage(context, framework, call.message);
    case 'SHUTDOWN':
      return call.shutdown && onShutdown(context, framework, call.shutdown);
    case 'REQUEST':
      // The built-in allocator of the original does not look at requests either.
      return count(context, 'master/messages_resource_request');
    default:
      // The types that come here were answered before.
      return note(context, 'info', 'call.ignored', `${call.type ?? 'UNKNOWN'} refers to nothing`, {
        frameworkId: framework.id,
      });
  }
}

function onKill(context: Context, framework: Framework, kill: scheduler.Call_Kill): void {
  count(context, 'master/messages_kill_task');
  const id = taskId(kill.task_id.value);
  const claimed = kill.agent_id === undefined ? undefined : agentId(kill.agent_id.value);
  const record = framework.tasks.get(id);
  const agent = record === undefined ? undefined : context.state.agents.get(record.agentId);
  if (record === undefined || agent === undefined) {
    reconcileTask(context, framework, id, claimed);
    return;
  }
  if (claimed !== undefined && claimed !== agent.id) {
    note(context, 'warn', 'kill.ignored', `task ${id} is not on agent ${claimed}`, {
      frameworkId: framework.id,
    });
    return;
  }
  // Remembered until the task has ended: the agent may be away, or leave before the kill arrives.
  const kills = agent.kills.get(framework.id) ?? new Set();
  agent.kills.set(framework.id, kills.add(id));
  sendToAgent(context, agent, {
    type: 'KILL_TASK',
    kill_task: {
      framework_id: { value: framework.id },
      task_id: kill.task_id,
      ...(kill.kill_policy !== undefined && { kill_policy: kill.kill_policy }),
    },
  });
}

function onMessage(context: Context, framework: Framework, message: scheduler.Call_Message): void {
  count(context, 'master/messages_framework_to_executor');
  const { agent_id, executor_id, data } = message;
  const sent = toExecutor(
    context,
    framework,
    agentId(agent_id.value),
    executorId(executor_id.value),
    { data },
  );
  const validity = sent ? 'valid' : 'invalid';
  count(context, `master/${validity}_framework_to_executor_messages`);
}

function onShutdown(
  context: Context,
  framework: Framework,
  shutdown: scheduler.Call_Shutdown,
): void {
  const { agent_id, executor_id } = shutdown;
  toExecutor(context, framework, agentId(agent_id.value), executorId(executor_id.value), {
    data: new Uint8Array(),
    shutdown: true,
  });
}

function toExecutor(
  context: Context,
  framework: Framework,
  agent: AgentId,
  executor: ExecutorId,
  message: Pick<agentProtocol.FrameworkMessage, 'data' | 'shutdown'>,
): boolean {
  const record = context.state.agents.get(agent);
  return (
    record !== undefined &&
    sendToAgent(context, record, {
      type: 'FRAMEWORK_MESSAGE',
      framework_message: {
        framework_id: { value: framework.id },
        executor_id: { value: executor },
        ...message,
      },
    })
  );
}

/** The answer to any request while the registry is being read. */
export function refuseUnrecovered(context: Context, request: RequestId): void {
  context.emit({ kind: 'reply', request, status: 503, text: 'Master has not finished recovery' });
}
