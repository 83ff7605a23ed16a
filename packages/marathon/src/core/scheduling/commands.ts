/**
 * What clients ask for, and how it is carried out. Reading and checking of definitions is the app model's;
 * here requests become changes of the root group, kills, resets and their answers.
 */

import { unreachable } from '@dcos/base';
import { parsePathId } from '../model/index.ts';
import {
  applyCreateApp,
  applyDeleteApp,
  applyRestartApp,
  applyUpdateApp,
  applyUpdateApps,
} from './app-commands.ts';
import type { Command, CommandOf } from './command.ts';
import { cancelDeployment } from './deployment-progress.ts';
import { applyGroupCommand } from './group-commands.ts';
import { requestOffers } from './instance-changes.ts';
import { applyKillTasks } from './kill-commands.ts';
import { requestContext } from './request-context.ts';
import { revertPlan } from './rollback.ts';
import { changeRoot, deploymentReply, refuseRequest } from './root-changes.ts';
import { emit, type Step } from './state.ts';

/** Carries a command out; its answer is among the effects. */
export function applyCommand(step: Step, requestId: number, command: Command): void {
  switch (command.kind) {
    case 'createApp':
      return applyCreateApp(step, requestId, command);
    case 'updateApp':
      return applyUpdateApp(step, requestId, command);
    case 'updateApps':
      return applyUpdateApps(step, requestId, command);
    case 'deleteApp':
      return applyDeleteApp(step, requestId, command);
    case 'restartApp':
      return applyRestartApp(step, requestId, command);
    case 'killTasks':
      return applyKillTasks(step, requestId, command);
    case 'createGroup':
    case 'updateGroup':
    case 'patchGroup':
    case 'deleteGroup':
      return applyGroupCommand(step, requestId, command);
    case 'cancelDeployment':
      return applyCancel(step, requestId, command);
    case 'resetDelay':
      return applyResetDelay(step, requestId, command.appId);
    default:
      return unreachable(command);
  }
}

/** Stops a deployment; without force its changes are taken back by another one. */
function applyCancel(step: Step, requestId: number, command: CommandOf<'cancelDeployment'>): void {
  const { state } = step;
  const deployment = state.deployments.get(command.deploymentId);
  if (deployment === undefined) {
    const message = `DeploymentPlan ${command.deploymentId} does not exist`;
    return refuseRequest(step, requestId, { status: 404, body: { message } });
  }
  if (command.force) {
    cancelDeployment(step, deployment, 'cancelled by request');
    emit(step, { kind: 'reply', requestId, reply: { statusCode: 202 } });
    return;
  }
  changeRoot(step, {
    requestId,
    force: true,
    origin: command.origin,
    groupId: '/',
    change: (root, version) => revertPlan(root, deployment.plan, requestContext(state, version)),
    reply: deploymentReply,
  });
}

function applyResetDelay(step: Step, requestId: number, appId: string): void {
  const { state } = step;
  const id = parsePathId(appId) ?? appId;
  const app = state.history.app(id);
  if (app === undefined || state.instances.toBeLaunchedOf(id) === 0) {
    const message = `Application ${id} not found in tasks queue.`;
    return refuseRequest(step, requestId, { status: 404, body: { message } });
  }
  state.delays.delete(id);
  state.timers.cancel({ kind: 'launch', id });
  requestOffers(step, app.role);
  emit(step, { kind: 'reply', requestId, reply: { statusCode: 204 } });
}
