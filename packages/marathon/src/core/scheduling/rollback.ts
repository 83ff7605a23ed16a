/**
 * Takes a deployment back: every app and group that it changed returns to its definition of before, in the
 * root as it is now; what others changed meanwhile stays.
 *
 * Invariants: the result satisfies all rules, or the answer says which one it breaks and nothing changes.
 * An app that returns to a configuration keeps the time of that configuration, so instances that still run
 * it are not restarted: the original restarts them all.
 */

import { ok, type Result } from '@dcos/base';
import {
  allApps,
  emptyGroup,
  findApp,
  findGroup,
  finishRoot,
  isConfigDifferent,
  putApp,
  putGroup,
  removeApp,
  removeGroup,
  servicePortsOf,
  withServicePorts,
  type AppDefinition,
  type ChangeContext,
  type Problem,
  type RootGroup,
} from '../model/index.ts';
import type { DeploymentPlan } from './deployment.ts';
import { isSameGroup, type GroupDifference } from './root-difference.ts';

/** The root with the changes of a plan taken back; refused when what others did meanwhile forbids it. */
export function revertPlan(
  root: RootGroup,
  plan: DeploymentPlan,
  context: ChangeContext,
): Result<RootGroup, Problem> {
  const { version } = context;
  const groups = [...plan.groups].sort(([left], [right]) => left.length - right.length);
  let reverted: RootGroup = { ...root, version };
  for (const [id, change] of groups) reverted = restoreGroup(reverted, id, change, version);
  for (const [id, { original }] of plan.changes) {
    if (original === undefined) reverted = removeApp(reverted, id, version);
  }
  // Groups inside others go first.
  for (const [id, { original }] of groups.reverse()) {
    const group = original === undefined ? findGroup(reverted, id) : undefined;
    if (group !== undefined && group.apps.size === 0 && group.groups.size === 0)
      reverted = removeGroup(reverted, id, version);
  }
  const removed = [...plan.changes].flatMap(([, { original }]) => original ?? []);
  reverted = putBack(reverted, removed, context);
  const finished = finishRoot(root, reverted, context);
  return finished.ok ? ok(withFormerConfiguration(finished.value, removed, version)) : finished;
}

function restoreGroup(
  root: RootGroup,
  id: string,
  { original, target }: GroupDifference,
  version: string,
): RootGroup {
  if (original === undefined) return root;
  const present = findGroup(root, id);
  // What somebody else made of the group meanwhile stays.
  if (present !== undefined && (target === undefined || !isSameGroup(present, target))) return root;
  const { enforceRole: _enforceRole, ...group } = present ?? emptyGroup(id, version);
  return putGroup(root, { ...group, ...original, version }, version);
}

/** Apps in their definition of before; a service port that has another owner now is given anew. */
function putBack(
  root: RootGroup,
  originals: readonly AppDefinition[],
  { settings, version }: ChangeContext,
): RootGroup {
  const restored = new Set(originals.map(({ id }) => id));
  const others = allApps(root).filter(({ id }) => !restored.has(id));
  const taken = new Set(others.flatMap(servicePortsOf));
  const isTaken = (port: number): boolean =>
    taken.has(port) && port >= settings.localPortMin && port <= settings.localPortMax;
  let result = root;
  for (const original of originals) {
    const ports = servicePortsOf(original);
    // A port that is required on the host is the app's own choice.
    const isFree = original.requirePorts || !ports.some(isTaken);
    const app = isFree
      ? { ...original }
      : withServicePorts(
          original,
          ports.map((port) => (isTaken(port) ? 0 : port)),
        );
    result = putApp(result, app, version);
  }
  return result;
}

function withFormerConfiguration(
  root: RootGroup,
  originals: readonly AppDefinition[],
  version: string,
): RootGroup {
  let result = root;
  for (const original of originals) {
    const app = findApp(result, original.id);
    if (app === undefined || isConfigDifferent(original, app)) continue;
    const { lastConfigChangeAt } = original.versionInfo;
    const versionInfo = { lastScalingAt: version, lastConfigChangeAt };
    result = putApp(result, { ...app, version, versionInfo }, version);
  }
  return result;
}
