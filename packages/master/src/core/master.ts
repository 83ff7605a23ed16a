/**
 * The master as one deterministic machine: an event and the instant in, effects out. It owns its state;
 * what leaves it does so by effects only (their order is a contract, see `effects.ts`) and by views,
 * which read the state.
 *
 * After each event that made work for the allocator one run is requested through a timer of 0 ms, so
 * that a burst of events is served by one run.
 */

import type { Allocator } from '@dcos/allocator';
import {
  assert,
  frameworkId,
  unreachable,
  type Instant,
  type MasterId,
  type Random,
} from '@dcos/base';
import type { agentProtocol } from '@dcos/wire';
import { finishDraining } from './agent-policies.ts';
import { onRegister } from './agent-registration.ts';
import { PERMISSIVE, type Authorizer } from './authorization.ts';
import { onAgentClosed, onUnregister } from './agents.ts';
import { count, note, sendToFramework, type Context } from './context.ts';
import type { Effect, MasterEvent } from './effects.ts';
import { onExecutorExited } from './executors.ts';
import { onFrameworkTimer, onStreamClosed } from './frameworks.ts';
import { ALLOCATE_ALL_TIMER, ALLOCATE_TIMER, allocate, onOfferTimer } from './offers.ts';
import { onResourcesChanged } from './agent-total.ts';
import { onOperationUpdate } from './operations.ts';
import { onOperatorCall } from './operator-calls.ts';
import type { MasterOptions } from './options.ts';
import { onRecovered, onRecoveryTimer } from './recovery.ts';
import { onSchedulerCall, refuseUnrecovered } from './scheduler-calls.ts';
import { onGcTimer } from './registry-gc.ts';
import { onAgentTimer, onSignOfLife } from './silent-agents.ts';
import { snapshotOf, type MasterSnapshot } from './snapshot.ts';
import { emptyState, type Agent, type MasterState } from './state.ts';
import { onStatusUpdate } from './tasks.ts';

export interface MasterDependencies {
  readonly masterId: MasterId;
  readonly random: Random;
  readonly allocator: Allocator;
  /** Everything is allowed when absent. */
  readonly authorizer?: Authorizer;
  readonly options: MasterOptions;
}

export interface Master {
  /**
   * Handles one event. Never throws for input from outside; an assertion means a bug.
   * @param now what the wall clock shows, for stamps.
   * @param monotonicMs of a clock that nobody sets, for what lasts; `now` where there is only one.
   */
  handle(event: MasterEvent, now: Instant, monotonicMs?: number): readonly Effect[];
  /** For views; only `handle` changes it. */
  readonly state: MasterState;
  /** A plain copy of what invariants are about, for checkers. */
  snapshot(): MasterSnapshot;
}

/** Makes a master that waits for its `recovered` event. */
export function createMaster(dependencies: MasterDependencies): Master {
  const state = emptyState();
  let effects: Effect[] = [];
  let allocationRequested = false;
  let allocatedMs = -Infinity;
  const context: Context = {
    ...dependencies,
    authorizer: dependencies.authorizer ?? PERMISSIVE,
    state,
    now: 0,
    monotonicMs: 0,
    emit: (effect) => void effects.push(effect),
  };
  return {
    state,
    snapshot: () => snapshotOf(state, dependencies.allocator),
    handle(event, now, monotonicMs = now) {
      context.now = now;
      context.monotonicMs = monotonicMs;
      effects = [];
      if (event.kind === 'timer' && event.timer === ALLOCATE_TIMER) {
        allocationRequested = false;
        allocatedMs = monotonicMs;
      }
      onEvent(context, event);
      if (state.drainingAgents.size > 0 && state.recovered) finishDraining(context);
      if (!allocationRequested && state.recovered && dependencies.allocator.hasCandidates()) {
        allocationRequested = true;
        effects.push({
          kind: 'setTimer',
          timer: ALLOCATE_TIMER,
          afterMs: allocationWaitMs(state, monotonicMs - allocatedMs),
        });
      }
      return effects;
    },
  };
}

/** Between two runs of the allocator while agents come back to a new leader. */
const RETURN_GAP_MS = 50;

/**
 * What is free is offered at once. But when thousands of agents come back, an offer for each as it comes, and the
 * framework's answer to each, would hold up those that are still to come: then what came meanwhile is offered together.
 */
function allocationWaitMs({ recoveredAgents }: MasterState, sinceLastMs: number): number {
  return recoveredAgents.size === 0 ? 0 : Math.max(0, RETURN_GAP_MS - sinceLastMs);
}

function onEvent(context: Context, event: MasterEvent): void {
  if (event.kind === 'recovered') {
    assert(!context.state.recovered, 'the registry is read once');
    onRecovered(context, event.entries);
    return;
  }
  if (!context.state.recovered) {
    if (event.kind === 'schedulerCall' || event.kind === 'operatorCall')
      refuseUnrecovered(context, event.request);
    if (event.kind === 'agentFrame')
      context.emit({ kind: 'closeAgent', connection: event.connection });
    return;
  }
  switch (event.kind) {
    case 'schedulerCall':
      return onSchedulerCall(context, event);
    case 'streamClosed':
      return onStreamClosed(context, event.streamId);
    case 'operatorCall':
      return onOperatorCall(context, event.request, event.call, event.principal);
    case 'agentFrame':
      return onAgentFrame(context, event);
    case 'agentClosed':
      return onAgentClosed(context, event.connection);
    case 'whitelist':
      return context.allocator.updateWhitelist(event.hostnames);
    case 'timer':
      return onTimer(context, event.timer);
    default:
      return unreachable(event);
  }
}

function onTimer(context: Context, timer: string): void {
  if (timer === ALLOCATE_TIMER) {
    allocate(context, 'candidates');
  } else if (timer === ALLOCATE_ALL_TIMER) {
    allocate(context, 'all');
    context.emit({ kind: 'setTimer', timer, afterMs: context.options.allocationIntervalMs });
  } else {
    assert(
      onFrameworkTimer(context, timer) ||
        onAgentTimer(context, timer) ||
        onOfferTimer(context, timer) ||
        onRecoveryTimer(context, timer) ||
        onGcTimer(context, timer),
      `nobody set the timer ${timer}`,
    );
  }
}

function onAgentFrame(
  context: Context,
  { connection, frame, principal }: Extract<MasterEvent, { kind: 'agentFrame' }>,
): void {
  if (frame.type === 'REGISTER' && frame.register !== undefined) {
    onRegister(context, connection, frame.register, principal);
    return;
  }
  const bound = context.state.connections.get(connection);
  const agent = bound === undefined ? undefined : context.state.agents.get(bound);
  if (agent === undefined) {
    count(context, 'master/dropped_messages');
    note(context, 'warn', 'frame.dropped', `${frame.type} before REGISTER`);
    context.emit({ kind: 'closeAgent', connection });
    return;
  }
  onFrameOfAgent(context, agent, frame);
}

function onFrameOfAgent(context: Context, agent: Agent, frame: agentProtocol.ToMaster): void {
  onSignOfLife(context, agent);
  if (frame.status_update !== undefined) onStatusUpdate(context, agent, frame.status_update);
  else if (frame.executor_message !== undefined)
    onExecutorMessage(context, agent, frame.executor_message);
  else if (frame.executor_exited !== undefined)
    onExecutorExited(context, agent, frame.executor_exited);
  else if (frame.operation_update !== undefined)
    onOperationUpdate(context, agent, frame.operation_update);
  else if (frame.resources_changed !== undefined)
    onResourcesChanged(context, agent, frame.resources_changed);
  else if (frame.unregister !== undefined) onUnregister(context, agent);
}

function onExecutorMessage(
  context: Context,
  agent: Agent,
  message: agentProtocol.ExecutorMessage,
): void {
  count(context, 'master/messages_executor_to_framework');
  const framework = context.state.frameworks.get(frameworkId(message.framework_id.value));
  const sent =
    framework !== undefined &&
    sendToFramework(context, framework, {
      type: 'MESSAGE',
      message: {
        agent_id: { value: agent.id },
        executor_id: message.executor_id,
        data: message.data,
      },
    });
  const validity = sent ? 'valid' : 'invalid';
  count(context, `master/${validity}_executor_to_framework_messages`);
}
