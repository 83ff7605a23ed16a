/**
 * POST /api/v1/scheduler and POST /api/v1.
 */

import { frameworkId } from '@dcos/base';
import type { FastifyInstance, FastifyReply, FastifyRequest } from '@dcos/http';
import { masterApi, scheduler, type Encoding } from '@dcos/wire';
import { visibleState } from '../core/visible-state.ts';
import type { MasterState } from '../core/state.ts';
import { readAnswer } from '../views/v1-reads.ts';
import { refuse, refuseNotTaken, sendEmpty, sendMessage } from './answers.ts';
import { decodeCall } from './decode-call.ts';
import { POSITION_INVALID, positionOf } from './event-log.ts';
import { answerFiles } from './log-routes.ts';
import type { Leadership, MasterShell } from './master-shell.ts';

const NOT_ACCEPTABLE = "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'";

/** Adds both routes, with and without the process's prefix. */
export function addV1Routes(app: FastifyInstance, shell: MasterShell): void {
  for (const prefix of ['', '/master']) {
    app.all(`${prefix}/api/v1/scheduler`, (request, reply) => onScheduler(shell, request, reply));
    app.all(`${prefix}/api/v1`, (request, reply) => onOperator(shell, request, reply));
  }
}

function onScheduler(shell: MasterShell, request: FastifyRequest, reply: FastifyReply): void {
  if (shell.leadership === undefined) {
    refuseNotTaken(reply);
    return;
  }
  const decoded = decodeCall(request, reply, scheduler.CallType);
  if (decoded === undefined) return;
  const { call, accepts } = decoded;
  const streamId = request.headers['mesos-stream-id'];
  shell.throttle.take({
    principal: shell.access.principalOf(request) ?? principalOf(shell.leadership.core.state, call),
    handle() {
      if (shell.leadership === undefined) refuseNotTaken(reply);
      else {
        shell.dispatch({
          kind: 'schedulerCall',
          request: shell.requests.add({ reply, encoding: accepts ?? 'json' }),
          call,
          acceptable: accepts !== undefined,
          ...(typeof streamId === 'string' && { streamId }),
        });
      }
    },
    refuse(text, retryAfterSeconds) {
      void reply.header('retry-after', String(retryAfterSeconds));
      refuse(reply, 429, text);
    },
    isWanted: () => !reply.raw.destroyed,
  });
}

/** Whom a framework that did not log in says that it is. */
function principalOf(state: MasterState, call: scheduler.Call): string | undefined {
  const { framework_id, subscribe } = call;
  if (subscribe !== undefined) return subscribe.framework_info.principal;
  return state.frameworks.get(frameworkId(framework_id?.value ?? ''))?.info.principal;
}

/** The part of a call that its type demands; types that are not here have none. */
const PARTS: Partial<Record<masterApi.Call_Type, keyof masterApi.Call>> = {
  SET_LOGGING_LEVEL: 'set_logging_level',
  LIST_FILES: 'list_files',
  READ_FILE: 'read_file',
  UPDATE_WEIGHTS: 'update_weights',
  RESERVE_RESOURCES: 'reserve_resources',
  UNRESERVE_RESOURCES: 'unreserve_resources',
  CREATE_VOLUMES: 'create_volumes',
  DESTROY_VOLUMES: 'destroy_volumes',
  GROW_VOLUME: 'grow_volume',
  SHRINK_VOLUME: 'shrink_volume',
  UPDATE_MAINTENANCE_SCHEDULE: 'update_maintenance_schedule',
  START_MAINTENANCE: 'start_maintenance',
  STOP_MAINTENANCE: 'stop_maintenance',
  DRAIN_AGENT: 'drain_agent',
  DEACTIVATE_AGENT: 'deactivate_agent',
  REACTIVATE_AGENT: 'reactivate_agent',
  UPDATE_QUOTA: 'update_quota',
  SET_QUOTA: 'set_quota',
  REMOVE_QUOTA: 'remove_quota',
  TEARDOWN: 'teardown',
  MARK_AGENT_GONE: 'mark_agent_gone',
};

function problemOf(call: masterApi.Call): string | undefined {
  if (call.type === undefined) return "Expecting 'type' to be present";
  const part = PARTS[call.type];
  return part !== undefined && call[part] === undefined
    ? `Expecting '${part}' to be present`
    : undefined;
}

function onOperator(shell: MasterShell, request: FastifyRequest, reply: FastifyReply): void {
  const { leadership } = shell;
  if (leadership === undefined) {
    refuseNotTaken(reply);
    return;
  }
  const decoded = decodeCall(request, reply, masterApi.CallType);
  if (decoded === undefined) return;
  const { call, accepts } = decoded;
  const problem = problemOf(call);
  const refusal = shell.access.refusalOfCall(request, call);
  if (problem !== undefined) refuse(reply, 400, `Failed to validate master::Call: ${problem}`);
  else if (accepts === undefined) refuse(reply, 406, NOT_ACCEPTABLE);
  else if (refusal !== undefined) refuse(reply, 403, refusal);
  else if (call.type === 'SUBSCRIBE' && positionOf(request) === 'invalid') {
    refuse(reply, 400, POSITION_INVALID);
  } else if (!answerRead(shell, leadership, call, { reply, encoding: accepts })) {
    shell.dispatchCall(reply, call, accepts);
  }
}

function answerRead(
  shell: MasterShell,
  leadership: Leadership,
  call: masterApi.Call,
  to: { readonly reply: FastifyReply; readonly encoding: Encoding },
): boolean {
  if (call.type === 'LIST_FILES' || call.type === 'READ_FILE') {
    answerFiles(shell.log, call, to);
    return true;
  }
  if (call.type === 'SET_LOGGING_LEVEL' && call.set_logging_level !== undefined) {
    const { level, duration } = call.set_logging_level;
    shell.log.setLevel(level, duration.nanoseconds / 1e6);
    sendEmpty(to.reply, 200);
    return true;
  }
  const { core, allocator, identity, masterInfo } = leadership;
  const viewer = shell.access.viewerOf(to.reply.request);
  const answer = readAnswer(call, {
    state: visibleState(core.state, viewer),
    wholeState: core.state,
    viewer,
    allocator,
    identity,
    masterInfo,
    metrics: () => shell.masterMetrics?.snapshot() ?? {},
    loggingLevel: shell.log.level,
  });
  if (answer !== undefined) sendMessage(to.reply, answer, to.encoding);
  return answer !== undefined;
}
