/**
 * Carries deployments out. After every change of an app, of its instances or of their health, the action
 * that concerns it is looked at again: what is there is compared with what is wanted, and the difference is
 * acted on. There is no other memory than the instances themselves, so a deployment goes on after a restart
 * of the scheduler where it stood.
 *
 * Invariant: healthy instances are stopped only while at least `minimumHealthCapacity` of them remain.
 */

import { assert } from '@dcos/base';
import type { AppDefinition } from '../model/index.ts';
import { busEvent } from './bus-events.ts';
import { planJson, stepJson, type Deployment, type DeploymentAction } from './deployment.ts';
import { isHealthy, isKnownUnhealthy } from './health-checks.ts';
import {
  addInstances,
  announceTerminated,
  removeInstance,
  stopInstance,
} from './instance-changes.ts';
import { isActive, isCounted, isToBeLaunched, type Instance } from './instance.ts';
import { selectVictims } from './kill-selection.ts';
import { isReady, startReadinessChecks } from './readiness-checks.ts';
import { deploymentRecordRemovals, failureRecord } from './records.ts';
import { decideRestart } from './rolling-restart.ts';
import { appOf, persist, publish, type MarathonState, type Step } from './state.ts';

/** Passes of one settlement at most; every pass makes progress or is the last. */
const PASSES_MAX = 10_000;

/** Looks at everything that was touched, until nothing changes any more. */
export function settleApps(step: Step): void {
  for (let pass = 0; step.touched.size > 0; pass++) {
    assert(pass < PASSES_MAX, 'deployments settle');
    const touched = [...step.touched];
    step.touched.clear();
    const seen = new Set<Deployment>();
    for (const appId of touched) {
      const deployment = deploymentOf(step.state, appId);
      if (deployment === undefined) keepScale(step, appId);
      else seen.add(deployment);
    }
    for (const deployment of seen) advance(step, deployment);
  }
}

/** The running deployment that touches an app. */
export function deploymentOf(state: MarathonState, appId: string): Deployment | undefined {
  return state.deploymentByApp.get(appId);
}

/** Begins a deployment that was planned. One without steps is over at once. */
export function startDeployment(step: Step, deployment: Deployment): void {
  step.state.deployments.set(deployment.plan.id, deployment);
  for (const appId of deployment.plan.changes.keys())
    step.state.deploymentByApp.set(appId, deployment);
  advance(step, deployment);
}

/** Ends a deployment before its time; what it did stays. */
export function cancelDeployment(step: Step, deployment: Deployment, reason: string): void {
  forget(step, deployment);
  const { id } = deployment.plan;
  publish(
    step,
    busEvent('deployment_failed', { id, plan: planJson(deployment.plan), reason }, step.now),
  );
  for (const appId of deployment.plan.changes.keys()) step.touched.add(appId);
}

function forget(step: Step, deployment: Deployment): void {
  const { state } = step;
  state.deployments.delete(deployment.plan.id);
  for (const appId of deployment.plan.changes.keys()) {
    if (state.deploymentByApp.get(appId) === deployment) state.deploymentByApp.delete(appId);
  }
  persist(step, ...deploymentRecordRemovals(deployment.plan));
}

function advance(step: Step, deployment: Deployment): void {
  const { plan } = deployment;
  if (step.state.deployments.get(plan.id) !== deployment) return;
  if (deployment.step < 0) beginStep(step, deployment, 0);
  for (;;) {
    const current = plan.steps[deployment.step];
    if (current === undefined) {
      finish(step, deployment);
      return;
    }
    for (const action of current.actions) {
      if (!deployment.finished.has(action.app) && carryOut(step, action))
        deployment.finished.add(action.app);
    }
    if (current.actions.some(({ app }) => !deployment.finished.has(app))) return;
    const fields = { plan: planJson(plan), currentStep: stepJson(current) };
    publish(step, busEvent('deployment_step_success', fields, step.now));
    beginStep(step, deployment, deployment.step + 1);
  }
}

function beginStep(step: Step, deployment: Deployment, index: number): void {
  deployment.step = index;
  deployment.finished.clear();
  const { plan } = deployment;
  const current = plan.steps[index];
  if (current === undefined) return;
  const fields = { plan: planJson(plan), currentStep: stepJson(current) };
  publish(step, busEvent('deployment_info', fields, step.now));
}

function finish(step: Step, deployment: Deployment): void {
  forget(step, deployment);
  const { plan } = deployment;
  publish(step, busEvent('deployment_success', { id: plan.id, plan: planJson(plan) }, step.now));
  for (const appId of plan.changes.keys()) step.touched.add(appId);
}

/** Does what can be done now for one action. True when it is finished. */
function carryOut(step: Step, { action, app: appId }: DeploymentAction): boolean {
  const app = appOf(step.state, appId);
  switch (action) {
    case 'StartApplication':
      return true;
    case 'StopApplication':
      return stopApp(step, appId);
    case 'ScaleApplication':
      return app === undefined || scaleApp(step, app);
    case 'RestartApplication':
      return app === undefined || restartApp(step, app);
    default:
      return true;
  }
}

/** True when the app has no instance left. */
function stopApp(step: Step, appId: string): boolean {
  const { state } = step;
  for (const instance of state.instances.of(appId))
    stopInstance(step, instance, { goal: 'Decommissioned' });
  if (state.instances.countOf(appId) > 0) return false;
  state.delays.delete(appId);
  state.waiting.delete(appId);
  if (state.failures.delete(appId)) persist(step, failureRecord(appId, undefined));
  announceTerminated(step, appId);
  return true;
}

/** True when exactly the wanted instances are there, healthy and ready. */
function scaleApp(step: Step, app: AppDefinition): boolean {
  const { state } = step;
  const instances = state.instances.of(app.id);
  const counted = instances.filter(isCounted);
  if (counted.length > app.instances) {
    stopVictims(step, surplus(state, app, counted));
    return false;
  }
  if (instances.some(({ goal }) => goal === 'Decommissioned')) return false;
  if (counted.length < app.instances) {
    addInstances(step, app, app.instances - counted.length);
    return false;
  }
  startReadinessChecks(step, app, counted);
  return (
    counted.filter((instance) => isHealthyAndReady(state, app, instance)).length >= app.instances
  );
}

/** The instances that are too many, the least useful ones. */
function surplus(
  state: MarathonState,
  app: AppDefinition,
  counted: readonly Instance[],
): readonly Instance[] {
  return selectVictims(counted, counted.length - app.instances, app, (instance) =>
    isHealthy(state, instance),
  );
}

function stopVictims(step: Step, victims: readonly Instance[], drainMs = 0): void {
  for (const victim of victims) stopInstance(step, victim, { goal: 'Decommissioned', drainMs });
}

function isHealthyAndReady(state: MarathonState, app: AppDefinition, instance: Instance): boolean {
  return isHealthy(state, instance) && isReady(state, app, instance);
}

/**
 * True when a new instance may take the place of an old one. Where nothing checks it, one that ends at once
 * has run for a moment too: without a pause a broken version would take the place of all that work.
 */
function hasSettled(step: Step, app: AppDefinition, { id, task }: Instance): boolean {
  if (app.healthChecks.length > 0 || app.readinessChecks.length > 0) return true;
  const at = (task?.startedAt ?? step.now) + step.state.settings.settleMs;
  if (at <= step.now) return true;
  step.state.timers.set({ kind: 'settle', id }, at);
  return false;
}

/** True when all instances run the wanted configuration, healthy and ready, and no other is left. */
function restartApp(step: Step, app: AppDefinition): boolean {
  const { state } = step;
  const instances = state.instances.of(app.id);
  const isFresh = (instance: Instance): boolean =>
    instance.configVersion === app.versionInfo.lastConfigChangeAt;
  const fresh = instances.filter((instance) => isFresh(instance) && isCounted(instance));
  const old = instances.filter((instance) => !isFresh(instance) && instance.goal === 'Running');
  // What has no task any more is not worth a launch of the old configuration.
  const ended = old.filter((instance) => !isActive(instance));
  for (const instance of ended) removeInstance(step, instance, 'Killed');
  const running = old.filter(isActive);
  startReadinessChecks(step, app, fresh);
  const freshReady = fresh.filter(
    (instance) => isHealthyAndReady(state, app, instance) && hasSettled(step, app, instance),
  );
  const oldHealthy = running.filter((instance) => isHealthy(state, instance));
  const stopping = instances.filter(({ goal }) => goal === 'Decommissioned');
  const decision = decideRestart(
    {
      target: app.instances,
      minimumHealthCapacity: app.upgradeStrategy.minimumHealthCapacity,
      maximumOverCapacity: app.upgradeStrategy.maximumOverCapacity,
      isResident: false,
    },
    {
      old: running.length,
      oldHealthy: oldHealthy.length,
      oldStopping: stopping.length,
      fresh: fresh.length,
      freshReady: freshReady.length,
    },
  );
  const healthy = new Set(oldHealthy);
  const unhealthy = running.filter((instance) => !healthy.has(instance));
  // The rest of the order is of no interest, and costly to find for an app that spreads over groups.
  const healthyVictims = Math.max(0, decision.kill - unhealthy.length);
  const unhealthyFirst = [...unhealthy, ...selectVictims(oldHealthy, healthyVictims, app)];
  const { drainMs } = state.settings;
  stopVictims(step, unhealthyFirst.slice(0, decision.kill), drainMs);
  const failing = unhealthyFirst
    .slice(decision.kill)
    .filter((instance) => isKnownUnhealthy(state, instance));
  stopVictims(step, failing.slice(0, decision.killUnhealthy));
  addInstances(step, app, decision.start);
  const left = state.instances
    .of(app.id)
    .filter((instance) => !isFresh(instance) || instance.goal !== 'Running');
  return left.length === 0 && fresh.length >= app.instances && freshReady.length >= app.instances;
}

/** Keeps the number of instances of an app that no deployment touches. */
function keepScale(step: Step, appId: string): void {
  const { state } = step;
  const app = appOf(state, appId);
  const instances = state.instances.of(appId);
  if (app === undefined) {
    // Its definition is gone: left over from a deployment that was cancelled.
    stopVictims(
      step,
      instances.filter(({ goal }) => goal === 'Running'),
    );
    return;
  }
  const counted = instances.filter(isCounted);
  if (counted.length > app.instances) {
    stopVictims(step, surplus(state, app, counted));
  } else if (counted.length < app.instances) {
    addInstances(step, app, app.instances - counted.length);
  }
}

/** Apps whose instances wait for a launch; for display. */
export function waitingInstances(state: MarathonState, appId: string): Instance[] {
  return state.instances.of(appId).filter(isToBeLaunched);
}
