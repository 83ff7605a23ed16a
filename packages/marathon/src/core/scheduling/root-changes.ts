/**
 * From a changed root group to a running deployment: the one way in which what is wanted changes.
 *
 * Invariants: a change is taken whole or not at all; its records and its deployment's are persisted before
 * the answer; at most one running deployment touches an app, unless an older one was cancelled for it.
 */

import { randomUuid, type Result } from '@dcos/base';
import {
  allApps,
  appToJson,
  notValid,
  lockedByDeployments,
  tooManyDeployments,
  versionAfter,
  type Group,
  type Problem,
} from '../model/index.ts';
import { busEvent } from './bus-events.ts';
import { conflictingDeployments, planDeployment, takeOverRestarts } from './deployment-plan.ts';
import { cancelDeployment, startDeployment } from './deployment-progress.ts';
import type { Deployment, DeploymentPlan } from './deployment.ts';
import type { Reply } from './effects.ts';
import { announceHealthChecks } from './health-checks.ts';
import { deploymentRecordRemovals, deploymentRecords } from './records.ts';
import { emit, persist, publish, type MarathonState, type Step } from './state.ts';

/** Where a request came from, for the event bus. */
export interface Origin {
  readonly clientIp: string;
  readonly uri: string;
}

export interface RootChange {
  readonly requestId: number;
  readonly force: boolean;
  readonly origin: Origin;
  /** The group that is reported as changed. */
  readonly groupId: string | (() => string);
  /** Makes the new root; everything that changed has this version. */
  readonly change: (root: Group, version: string) => Result<Group, Problem>;
  /** The answer, once the change has been taken. */
  readonly reply: (taken: TakenChange) => Reply;
  /** Runs when the change is taken, before its deployment begins. */
  readonly onTaken?: (taken: TakenChange) => void;
}

export interface TakenChange {
  readonly plan: DeploymentPlan;
  readonly root: Group;
  readonly original: Group;
}

/** Carries out a change of the root group, or refuses it. */
export function changeRoot(step: Step, request: RootChange): void {
  const { state, now } = step;
  const original = state.history.root;
  const version = versionAfter(now, original.version);
  const changed = request.change(original, version);
  if (!changed.ok) {
    refuseRequest(step, request.requestId, changed.error);
    return;
  }
  const plan = planDeployment({
    id: randomUuid(state.random),
    version,
    createdAt: now,
    original,
    target: changed.value,
  });
  const conflicts = conflictingDeployments(plan, state.deployments.values());
  const problem = admissionProblem(
    step,
    { target: changed.value, force: request.force },
    conflicts,
  );
  if (problem !== undefined) {
    state.counters.deploymentsDismissed += 1;
    publish(
      step,
      busEvent(
        'group_change_failed',
        { groupId: groupIdOf(request), version, reason: problem.body.message },
        now,
      ),
    );
    refuseRequest(step, request.requestId, problem);
    return;
  }
  const taken = { plan: takeOverRestarts(plan, conflicts), root: changed.value, original };
  takeChange(step, request, taken, conflicts);
}

function groupIdOf({ groupId }: RootChange): string {
  return typeof groupId === 'string' ? groupId : groupId();
}

function admissionProblem(
  step: Step,
  { target, force }: { readonly target: Group; readonly force: boolean },
  conflicts: readonly Deployment[],
): Problem | undefined {
  const { state } = step;
  if (conflicts.length > 0 && !force) {
    return lockedByDeployments(conflicts.map(({ plan }) => plan.id));
  }
  const { appsMax } = state.settings;
  const apps = appsMax === undefined ? 0 : allApps(target).length;
  if (appsMax !== undefined && apps > appsMax && apps > state.history.appCount) {
    return notValid([{ path: '/', error: `there may be at most ${appsMax} apps (--apps_max)` }]);
  }
  const running = state.deployments.size - conflicts.length;
  const { runningDeploymentsMax } = state.settings;
  return running >= runningDeploymentsMax ? tooManyDeployments(runningDeploymentsMax) : undefined;
}

function takeChange(
  step: Step,
  request: RootChange,
  taken: TakenChange,
  conflicts: readonly Deployment[],
): void {
  const { state, now } = step;
  const { plan, root } = taken;
  const isUsed = (appId: string, version: string): boolean => isRunning(state, appId, version);
  // In one record batch: of two deployments that touch an app neither could go on after a restart.
  persist(
    step,
    ...state.history.replaceRoot(root, isUsed),
    ...conflicts.flatMap((deployment) => deploymentRecordRemovals(deployment.plan)),
    ...(plan.steps.length > 0 ? deploymentRecords(plan) : []),
  );
  state.rolesChanged = true;
  state.counters.deployments += 1;
  for (const deployment of conflicts) {
    cancelDeployment(step, deployment, `superseded by deployment ${plan.id}`);
  }
  const { origin } = request;
  const groupId = groupIdOf(request);
  publish(step, busEvent('group_change_success', { groupId, version: root.version }, now));
  for (const [appId, { original, target }] of plan.changes) {
    announceHealthChecks(step, original, target);
    const changed = target ?? original;
    if (changed !== undefined) {
      publish(
        step,
        busEvent('api_post_event', { ...origin, appDefinition: appToJson(changed) }, now),
      );
    }
    if (original?.versionInfo.lastConfigChangeAt !== target?.versionInfo.lastConfigChangeAt) {
      state.delays.delete(appId);
    }
  }
  request.onTaken?.(taken);
  emit(step, { kind: 'reply', requestId: request.requestId, reply: request.reply(taken) });
  startDeployment(step, { plan, step: -1, finished: new Set() });
}

/** True when a task runs this version of an app: its definition must be kept. */
function isRunning(state: MarathonState, appId: string, version: string): boolean {
  return state.instances
    .of(appId)
    .some((instance) => instance.task !== undefined && instance.version === version);
}

/** Answers that a request was refused. Nothing else changes. */
export function refuseRequest(step: Step, requestId: number, problem: Problem): void {
  emit(step, {
    kind: 'reply',
    requestId,
    reply: { statusCode: problem.status, body: problem.body },
  });
}

/** The header that names the deployment of an answer. */
export function deploymentHeader(plan: DeploymentPlan): Readonly<Record<string, string>> {
  return { 'Marathon-Deployment-Id': plan.id };
}

/** The usual answer of a change. */
export function deploymentReply({ plan }: TakenChange, statusCode = 200): Reply {
  return {
    statusCode,
    body: { version: plan.version, deploymentId: plan.id },
    headers: deploymentHeader(plan),
  };
}
