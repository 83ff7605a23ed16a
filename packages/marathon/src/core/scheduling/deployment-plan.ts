/**
 * Plans a deployment: which actions, in which steps, lead from one root group to another.
 *
 * Removed apps are stopped first, then new ones get their record, then one step for each level of the
 * dependency graph of the target, dependencies before their dependents. Empty steps are left out.
 */

import { compareText, type Instant } from '@dcos/base';
import {
  dependencyLevels,
  isConfigDifferent,
  type AppDefinition,
  type Group,
} from '../model/index.ts';
import type {
  PlannedChange,
  Deployment,
  DeploymentAction,
  DeploymentPlan,
  DeploymentStep,
} from './deployment.ts';
import { differentApps, differentGroups } from './root-difference.ts';

export interface PlanInput {
  readonly id: string;
  readonly version: string;
  readonly createdAt: Instant;
  readonly original: Group;
  readonly target: Group;
}

/** Plans the way from one root to another. A restart shows as a new `lastConfigChangeAt`. */
export function planDeployment(input: PlanInput): DeploymentPlan {
  const changes = new Map<string, PlannedChange>();
  const stops: DeploymentAction[] = [];
  const starts: DeploymentAction[] = [];
  for (const [id, change] of differentApps(input.original, input.target)) {
    const { original, target } = change;
    if (original?.version === target?.version) continue;
    changes.set(id, change);
    if (target === undefined) stops.push({ action: 'StopApplication', app: id });
    else if (original === undefined) starts.push({ action: 'StartApplication', app: id });
  }
  const steps: DeploymentStep[] = [step(stops), step(starts)];
  const changed = [...changes].flatMap(([id, { target }]) => (target === undefined ? [] : [id]));
  if (changed.length > 0) {
    // Of a single app the level is of no interest.
    const levels = changed.length === 1 ? [changed] : dependencyLevels(input.target);
    for (const level of levels) {
      steps.push(step(level.flatMap((id) => levelAction(id, changes.get(id)))));
    }
  }
  return {
    id: input.id,
    version: input.version,
    createdAt: input.createdAt,
    steps: steps.filter(({ actions }) => actions.length > 0),
    changes,
    groups: differentGroups(input.original, input.target),
  };
}

function step(actions: readonly DeploymentAction[]): DeploymentStep {
  return { actions: [...actions].sort((left, right) => compareText(left.app, right.app)) };
}

function levelAction(app: string, change: PlannedChange | undefined): DeploymentAction[] {
  if (change?.target === undefined) return [];
  const restarts = change.original !== undefined && isRestart(change.original, change.target);
  return [{ action: restarts ? 'RestartApplication' : 'ScaleApplication', app }];
}

/** True when running instances of the original do not do for the target. */
function isRestart(original: AppDefinition, target: AppDefinition): boolean {
  if (target.instances === 0) return false;
  return (
    isConfigDifferent(original, target) ||
    original.versionInfo.lastConfigChangeAt !== target.versionInfo.lastConfigChangeAt
  );
}

/**
 * The plan, with the restarts that the deployments which it supersedes have not finished. Without them an
 * app that is scaled by force in the middle of a rolling update would keep instances of both versions.
 */
export function takeOverRestarts(
  plan: DeploymentPlan,
  superseded: readonly Deployment[],
): DeploymentPlan {
  const unfinished = new Set(superseded.flatMap(unfinishedRestarts));
  if (unfinished.size === 0) return plan;
  const takeOver = (action: DeploymentAction): DeploymentAction => {
    const instances = plan.changes.get(action.app)?.target?.instances ?? 0;
    const isTakenOver =
      action.action === 'ScaleApplication' && instances > 0 && unfinished.has(action.app);
    return isTakenOver ? { action: 'RestartApplication', app: action.app } : action;
  };
  return { ...plan, steps: plan.steps.map(({ actions }) => ({ actions: actions.map(takeOver) })) };
}

function unfinishedRestarts(deployment: Deployment): string[] {
  const current = Math.max(0, deployment.step);
  return deployment.plan.steps.slice(current).flatMap(({ actions }, index) =>
    actions.flatMap(({ action, app }) => {
      const isFinished = index === 0 && deployment.finished.has(app);
      return action === 'RestartApplication' && !isFinished ? [app] : [];
    }),
  );
}

/** The running deployments that touch an app which the plan touches too. */
export function conflictingDeployments(
  plan: DeploymentPlan,
  running: Iterable<Deployment>,
): Deployment[] {
  return [...running].filter((deployment) =>
    [...plan.changes.keys()].some((id) => deployment.plan.changes.has(id)),
  );
}
