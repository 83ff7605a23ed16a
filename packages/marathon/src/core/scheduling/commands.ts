/**
 * What clients ask for, and how it is carried out. Reading and checking of definitions is the app model's;
 * here requests become changes of the root group, kills, resets and their answers.
 */

import { err, ok, unreachable, type JsonObject, type Result } from '@dcos/base';
import {
  appToJson,
  badRequest,
  createApp,
  createGroup,
  deleteApp,
  deleteGroup,
  findApp,
  findGroup,
  illegalArgument,
  parentOf,
  parsePathId,
  patchGroup,
  restartApp,
  scaleApp,
  unknownApp,
  unknownTask,
  updateApp,
  updateApps,
  updateGroup,
  versionAfter,
  type AppDefinition,
  type AppVersions,
  type ChangeContext,
  type Group,
  type GroupChange,
  type Problem,
  type RootVersions,
} from '../model/index.ts';
import { taskView } from './app-views.ts';
import { planJson } from './deployment.ts';
import { planDeployment } from './deployment-plan.ts';
import { cancelDeployment } from './deployment-progress.ts';
import type { Reply } from './effects.ts';
import { requestOffers, stopInstance } from './instance-changes.ts';
import { isActive, type Instance } from './instance.ts';
import { revertPlan } from './rollback.ts';
import {
  changeRoot,
  deploymentHeader,
  deploymentReply,
  refuseRequest,
  type Origin,
  type TakenChange,
} from './root-changes.ts';
import { emit, type MarathonState, type Step } from './state.ts';
import { parseTaskId } from './task-id.ts';

interface Change {
  readonly force: boolean;
  readonly origin: Origin;
}

/** Which tasks to end. */
export type TaskSelection =
  | { readonly kind: 'app'; readonly appId: string; readonly host?: string }
  | { readonly kind: 'task'; readonly appId: string; readonly taskId: string }
  | { readonly kind: 'ids'; readonly taskIds: readonly string[] };

export type Command =
  | (Change & { readonly kind: 'createApp'; readonly body: string })
  | (Change & {
      readonly kind: 'updateApp';
      readonly appId: string;
      readonly body: string;
      readonly partial: boolean;
      readonly mayCreate: boolean;
    })
  | (Change & {
      readonly kind: 'updateApps';
      readonly body: string;
      readonly partial: boolean;
      readonly mayCreate: boolean;
    })
  | (Change & { readonly kind: 'deleteApp'; readonly appId: string })
  | (Change & { readonly kind: 'restartApp'; readonly appId: string })
  | (Change & {
      readonly kind: 'killTasks';
      readonly of: TaskSelection;
      readonly scale: boolean;
      readonly wipe: boolean;
    })
  | (Change & { readonly kind: 'createGroup'; readonly groupId: string; readonly body: string })
  | (Change & { readonly kind: 'patchGroup'; readonly groupId: string; readonly body: string })
  | (Change & {
      readonly kind: 'updateGroup';
      readonly groupId: string;
      readonly body: string;
      readonly dryRun: boolean;
    })
  | (Change & { readonly kind: 'deleteGroup'; readonly groupId: string })
  | (Change & { readonly kind: 'cancelDeployment'; readonly deploymentId: string })
  | { readonly kind: 'resetDelay'; readonly appId: string; readonly origin: Origin };

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

type Of<Kind extends Command['kind']> = Extract<Command, { readonly kind: Kind }>;

/** What the app model needs to know to read a request. */
function requestContext(
  state: MarathonState,
  version: string,
): ChangeContext & AppVersions & RootVersions {
  return {
    settings: state.settings.model,
    version,
    appAt: (id, at) => state.history.appAt(id, at),
    rootAt: (at) => state.history.rootAt(at),
  };
}

function applyCreateApp(step: Step, requestId: number, command: Of<'createApp'>): void {
  let created: AppDefinition | undefined;
  changeRoot(step, {
    requestId,
    force: command.force,
    origin: command.origin,
    groupId: '/',
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

function applyUpdateApp(step: Step, requestId: number, command: Of<'updateApp'>): void {
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

function applyUpdateApps(step: Step, requestId: number, command: Of<'updateApps'>): void {
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

function applyDeleteApp(step: Step, requestId: number, command: Of<'deleteApp'>): void {
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

function applyRestartApp(step: Step, requestId: number, command: Of<'restartApp'>): void {
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

function applyKillTasks(step: Step, requestId: number, command: Of<'killTasks'>): void {
  if (command.scale && command.wipe) {
    return refuseRequest(
      step,
      requestId,
      badRequest('You cannot use scale and wipe at the same time.'),
    );
  }
  const selected = selectInstances(step.state, command.of);
  if (!selected.ok) return refuseRequest(step, requestId, selected.error);
  const instances = selected.value;
  const goal = (instance: Instance): Instance['goal'] =>
    command.wipe ? 'Decommissioned' : instance.goal;
  if (!command.scale) {
    const tasks = instances.map((instance) => taskView(step.state, instance));
    const body: JsonObject = command.of.kind === 'task' ? { task: tasks[0] ?? null } : { tasks };
    emit(step, { kind: 'reply', requestId, reply: { statusCode: 200, body } });
    for (const instance of instances) stopInstance(step, instance, { goal: goal(instance) });
    return;
  }
  changeRoot(step, {
    requestId,
    force: command.force,
    origin: command.origin,
    groupId: '/',
    change: (root, version) => scaledDown(root, instances, requestContext(step.state, version)),
    reply: deploymentReply,
    onTaken: () => {
      for (const instance of instances) stopInstance(step, instance, { goal: 'Decommissioned' });
    },
  });
}

/** Each app with as many instances fewer as are named. */
function scaledDown(
  root: Group,
  instances: readonly Instance[],
  context: ChangeContext,
): Result<Group, Problem> {
  const fewer = new Map<string, number>();
  for (const { appId } of instances) fewer.set(appId, (fewer.get(appId) ?? 0) + 1);
  let changed = root;
  for (const [id, count] of fewer) {
    const app = findApp(changed, id);
    if (app === undefined) continue;
    const scaled = scaleApp(changed, { id, instances: app.instances - count }, context);
    if (!scaled.ok) return scaled;
    changed = scaled.value.root;
  }
  return ok({ ...changed, version: context.version });
}

function selectInstances(
  state: MarathonState,
  of: TaskSelection,
): Result<readonly Instance[], Problem> {
  if (of.kind === 'ids') return selectByIds(state, of.taskIds);
  const id = parsePathId(of.appId) ?? of.appId;
  if (state.history.app(id) === undefined) return err(unknownApp(id));
  const instances = state.instances.of(id).filter(isActive);
  if (of.kind === 'task') {
    const found = instances.filter(({ task }) => task?.id === of.taskId);
    return found.length === 0 ? err(unknownTask(of.taskId)) : ok(found);
  }
  const { host } = of;
  return ok(
    host === undefined
      ? instances
      : instances.filter(({ placement }) => placement?.hostname === host),
  );
}

/** The instances of those ids that are known; an id that is no task id refuses all. */
function selectByIds(
  state: MarathonState,
  taskIds: readonly string[],
): Result<readonly Instance[], Problem> {
  const found: Instance[] = [];
  for (const taskId of new Set(taskIds)) {
    const parsed = parseTaskId(taskId);
    if (parsed === undefined) return err(badRequest(`Invalid task id '${taskId}'.`));
    const instance = state.instances.get(parsed.instanceId);
    if (instance !== undefined && isActive(instance) && instance.task?.id === taskId)
      found.push(instance);
  }
  return ok(found);
}

function applyGroupCommand(step: Step, requestId: number, command: GroupCommand): void {
  const groupId = parsePathId(command.groupId);
  if (groupId === undefined) {
    return refuseRequest(
      step,
      requestId,
      illegalArgument(`'${command.groupId}' is not a group id`),
    );
  }
  let changedGroup: { readonly id: string; readonly isCreated: boolean } = {
    id: groupId,
    isCreated: false,
  };
  const change = (root: Group, version: string): Result<Group, Problem> => {
    const changed = changeGroup(root, { command, groupId }, requestContext(step.state, version));
    if (!changed.ok) return changed;
    const id = changed.value.groupId;
    changedGroup = { id, isCreated: findGroup(root, id) === undefined };
    return ok(changed.value.root);
  };
  if (command.kind === 'updateGroup' && command.dryRun) return applyDryRun(step, requestId, change);
  changeRoot(step, {
    requestId,
    force: command.force,
    origin: command.origin,
    groupId,
    change,
    reply: (taken) =>
      command.kind === 'patchGroup' ? { statusCode: 200 } : groupReply(taken, changedGroup),
  });
}

type GroupCommand = Of<'createGroup'> | Of<'updateGroup'> | Of<'patchGroup'> | Of<'deleteGroup'>;

function changeGroup(
  root: Group,
  { command, groupId }: { readonly command: GroupCommand; readonly groupId: string },
  context: ChangeContext & RootVersions,
): Result<GroupChange, Problem> {
  switch (command.kind) {
    case 'createGroup':
      return createGroup(root, { id: groupId, body: command.body }, context);
    case 'updateGroup':
      return updateGroup(root, { id: groupId, body: command.body }, context);
    case 'patchGroup':
      return patchGroup(root, { id: groupId, body: command.body }, context);
    case 'deleteGroup':
      return deleteGroup(root, groupId, context);
    default:
      return unreachable(command);
  }
}

function groupReply(
  taken: TakenChange,
  group: { readonly id: string; readonly isCreated: boolean },
): Reply {
  if (!group.isCreated) return deploymentReply(taken);
  const reply = deploymentReply(taken, 201);
  return { ...reply, headers: { ...reply.headers, Location: `/v2/groups${group.id}` } };
}

/** Shows what a change would do. */
function applyDryRun(
  step: Step,
  requestId: number,
  change: (root: Group, version: string) => Result<Group, Problem>,
): void {
  const { root } = step.state.history;
  const changed = change(root, versionAfter(step.now, root.version));
  if (!changed.ok) return refuseRequest(step, requestId, changed.error);
  const plan = planDeployment({
    id: '',
    version: root.version,
    createdAt: step.now,
    original: root,
    target: changed.value,
  });
  emit(step, {
    kind: 'reply',
    requestId,
    reply: { statusCode: 200, body: { steps: planJson(plan).steps ?? [] } },
  });
}

/** Stops a deployment; without force its changes are taken back by another one. */
function applyCancel(step: Step, requestId: number, command: Of<'cancelDeployment'>): void {
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
    change: (root, version) => ok(revertPlan(root, deployment.plan, version)),
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
