/** Commands that change one app or a list of apps. */

import { ok, type JsonObject } from '@dcos/base';
import {
  appToJson,
  createApp,
  deleteApp,
  findApp,
  illegalArgument,
  parentOf,
  parsePathId,
  restartApp,
  updateApp,
  updateApps,
  type AppDefinition,
} from '../model/index.ts';
import type { CommandOf } from './command.ts';
import type { Reply } from './effects.ts';
import { requestContext } from './request-context.ts';
import {
  changeRoot,
  deploymentHeader,
  deploymentReply,
  refuseRequest,
  type TakenChange,
} from './root-changes.ts';
import type { Step } from './state.ts';

export function applyCreateApp(
  step: Step,
  requestId: number,
  command: CommandOf<'createApp'>,
): void {
  let created: AppDefinition | undefined;
  changeRoot(step, {
    requestId,
    force: command.force,
    origin: command.origin,
    // The id is known once the body has been read.
    groupId: () => (created === undefined ? '/' : parentOf(created.id)),
    change(root, version) {
      const result = createApp(root, command.body, requestContext(step.state, version));
      if (!result.ok) return result;
      created = result.value.app;
      return ok(result.value.root);
    },
    reply: (taken) => createdReply(created, taken),
  });
}

/** The answer to a creation: the app with what will be counted, still at zero. */
function createdReply(app: AppDefinition | undefined, { plan, root }: TakenChange): Reply {
  const stored = app === undefined ? undefined : findApp(root, app.id);
  if (stored === undefined) return { statusCode: 500, body: { message: 'the app was not stored' } };
  const body: JsonObject = {
    ...appToJson(stored),
    tasks: [],
    tasksStaged: 0,
    tasksRunning: 0,
    tasksHealthy: 0,
    tasksUnhealthy: 0,
    deployments: [{ id: plan.id }],
  };
  return {
    statusCode: 201,
    body,
    headers: { ...deploymentHeader(plan), Location: `/v2/apps${stored.id}` },
  };
}

export function applyUpdateApp(
  step: Step,
  requestId: number,
  command: CommandOf<'updateApp'>,
): void {
  const id = parsePathId(command.appId);
  if (id === undefined)
    return refuseRequest(step, requestId, illegalArgument(`'${command.appId}' is not an app id`));
  const isNew = step.state.history.app(id) === undefined;
  changeRoot(step, {
    requestId,
    force: command.force,
    origin: command.origin,
    groupId: parentOf(id),
    change(root, version) {
      const { body, partial, mayCreate } = command;
      const updated = updateApp(
        root,
        { id, body, partial, mayCreate },
        requestContext(step.state, version),
      );
      return updated.ok ? ok(updated.value.root) : updated;
    },
    reply: (taken) => {
      const reply = deploymentReply(taken, isNew ? 201 : 200);
      return isNew ? { ...reply, headers: { ...reply.headers, Location: `/v2/apps${id}` } } : reply;
    },
  });
}

export function applyUpdateApps(
  step: Step,
  requestId: number,
  command: CommandOf<'updateApps'>,
): void {
  changeRoot(step, {
    requestId,
    force: command.force,
    origin: command.origin,
    groupId: '/',
    change: (root, version) =>
      updateApps(
        root,
        { body: command.body, partial: command.partial, mayCreate: command.mayCreate },
        requestContext(step.state, version),
      ),
    reply: deploymentReply,
  });
}

export function applyDeleteApp(
  step: Step,
  requestId: number,
  command: CommandOf<'deleteApp'>,
): void {
  const id = parsePathId(command.appId) ?? command.appId;
  changeRoot(step, {
    requestId,
    force: command.force,
    origin: command.origin,
    groupId: parentOf(id),
    change: (root, version) => deleteApp(root, id, requestContext(step.state, version)),
    reply: deploymentReply,
  });
}

export function applyRestartApp(
  step: Step,
  requestId: number,
  command: CommandOf<'restartApp'>,
): void {
  const id = parsePathId(command.appId) ?? command.appId;
  changeRoot(step, {
    requestId,
    force: command.force,
    origin: command.origin,
    groupId: parentOf(id),
    change(root, version) {
      const changed = restartApp(root, id, requestContext(step.state, version));
      return changed.ok ? ok(changed.value.root) : changed;
    },
    reply: deploymentReply,
  });
}
