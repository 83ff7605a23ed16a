/** Commands that change groups. */

import { ok, unreachable, type Result } from '@dcos/base';
import {
  createGroup,
  deleteGroup,
  findGroup,
  illegalArgument,
  parsePathId,
  patchGroup,
  updateGroup,
  versionAfter,
  type ChangeContext,
  type Group,
  type GroupChange,
  type Problem,
  type RootVersions,
} from '../model/index.ts';
import type { CommandOf } from './command.ts';
import { planDeployment } from './deployment-plan.ts';
import { planJson } from './deployment.ts';
import type { Reply } from './effects.ts';
import { requestContext } from './request-context.ts';
import { changeRoot, deploymentReply, refuseRequest, type TakenChange } from './root-changes.ts';
import { emit, type Step } from './state.ts';

export function applyGroupCommand(step: Step, requestId: number, command: GroupCommand): void {
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

type GroupCommand =
  | CommandOf<'createGroup'>
  | CommandOf<'updateGroup'>
  | CommandOf<'patchGroup'>
  | CommandOf<'deleteGroup'>;

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
