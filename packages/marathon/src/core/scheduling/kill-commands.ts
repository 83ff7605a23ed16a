/** Commands that end tasks by name. Without `scale` the instances are launched again. */

import { err, ok, type JsonObject, type Result } from '@dcos/base';
import {
  badRequest,
  findApp,
  parsePathId,
  scaleApp,
  unknownApp,
  unknownTask,
  type ChangeContext,
  type Group,
  type Problem,
} from '../model/index.ts';
import { taskView } from './app-views.ts';
import type { CommandOf, TaskSelection } from './command.ts';
import { stopInstance } from './instance-changes.ts';
import { isActive, type Instance } from './instance.ts';
import { requestContext } from './request-context.ts';
import { changeRoot, deploymentReply, refuseRequest } from './root-changes.ts';
import { emit, type MarathonState, type Step } from './state.ts';
import { parseTaskId } from './task-id.ts';

export function applyKillTasks(
  step: Step,
  requestId: number,
  command: CommandOf<'killTasks'>,
): void {
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
    for (const instance of instances) stopInstance(step, instance, { goal: goal(instance) });
    // After what it promises is stored.
    emit(step, { kind: 'reply', requestId, reply: { statusCode: 200, body } });
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
