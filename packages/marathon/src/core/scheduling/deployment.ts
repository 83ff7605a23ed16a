/**
 * A deployment: the steps that lead from one state of the apps to another. Data only; what drives it is in
 * `deployment-progress.ts`, what makes it in `deployment-plan.ts`.
 *
 * Invariants: the steps never change after creation; at any time at most one running deployment touches an
 * app. Only the apps that it touches are stored with it, so that a record never grows with the cluster.
 */

import type { Instant, JsonObject } from '@dcos/base';
import type { AppDifference, GroupDifference } from './root-difference.ts';

export type ActionKind =
  | 'StartApplication'
  | 'StopApplication'
  | 'ScaleApplication'
  | 'RestartApplication';

export interface DeploymentAction {
  readonly action: ActionKind;
  readonly app: string;
}

export interface DeploymentStep {
  readonly actions: readonly DeploymentAction[];
}

/** What a deployment makes of one app. */
export type PlannedChange = AppDifference;

export interface DeploymentPlan {
  readonly id: string;
  readonly version: string;
  readonly createdAt: Instant;
  readonly steps: readonly DeploymentStep[];
  /** App id → change; every app of the steps is here. */
  readonly changes: ReadonlyMap<string, PlannedChange>;
  /** Group id → change, for groups that come, go or get other rules; kept to take the deployment back. */
  readonly groups: ReadonlyMap<string, GroupDifference>;
}

/** A plan that is being carried out. */
export interface Deployment {
  readonly plan: DeploymentPlan;
  /** Index of the step that is being carried out; -1 before the first. */
  step: number;
  /** Apps of the current step whose action is finished. */
  readonly finished: Set<string>;
}

/** The apps that a deployment touches. */
export function affectedApps(plan: DeploymentPlan): readonly string[] {
  return [...plan.changes.keys()];
}

/** The plan as the event bus and the API show it. */
export function planJson(plan: DeploymentPlan): JsonObject {
  return { id: plan.id, version: plan.version, steps: plan.steps.map(stepJson) };
}

export function stepJson(step: DeploymentStep): JsonObject {
  return { actions: step.actions.map(({ action, app }) => ({ action, app })) };
}
