/**
 * Runs the health checks of instances: when a probe is due, what its answer changes, and what an instance's
 * health is as a whole. Checks that Mesos executes report through task statuses instead.
 *
 * Invariants: an answer for a task that is over is dropped; an unreachable instance is never killed for its
 * health; an instance is healthy when all its checks are alive, unknown until one of them says something.
 */

import { assert, type Instant } from '@dcos/base';
import { formatTimestamp, type AppDefinition, type AppHealthCheck } from '../model/index.ts';
import { healthCheckAddress, isMarathonCheck } from './app-facts.ts';
import { busEvent } from './bus-events.ts';
import { applyProbe, hasResult, isAlive, UNKNOWN_HEALTH, type HealthState } from './health.ts';
import { stopInstance } from './instance-changes.ts';
import type { Instance, InstanceTask } from './instance.ts';
import { healthOutcome, type ProbeAnswer } from './probe-answer.ts';
import { definitionOf, emit, publish, type MarathonState, type Step } from './state.ts';
import { saveFailure } from './status-updates.ts';

/** The first probe of an instance comes after its check's interval, but not later than this. */
const FIRST_PROBE_MS_MAX = 5_000;
/** Probes of one check are at least this far apart, and may take this long, whatever the definition says. */
const PROBE_MS_MIN = 1_000;
/** Longest time-out of a probe: timers of the platform do not go on for ever. */
const PROBE_TIMEOUT_MS_MAX = 3_600_000;

/** Begins the checks of an instance whose task runs. */
export function beginHealthChecks(step: Step, instance: Instance): void {
  const { state } = step;
  const app = definitionOf(state, instance);
  if (app === undefined || app.healthChecks.length === 0) return;
  state.health.set(
    instance.id,
    app.healthChecks.map(() => UNKNOWN_HEALTH),
  );
  scheduleProbes(step, instance, app);
}

/** Goes on with the checks of an instance that was unreachable; what was known about it stays. */
export function resumeHealthChecks(step: Step, instance: Instance): void {
  const app = definitionOf(step.state, instance);
  if (app !== undefined) scheduleProbes(step, instance, app);
}

function scheduleProbes(step: Step, instance: Instance, app: AppDefinition): void {
  const { state, now } = step;
  for (const [index, check] of app.healthChecks.entries()) {
    if (!isMarathonCheck(check)) continue;
    const first = Math.min(intervalMs(check), FIRST_PROBE_MS_MAX);
    state.timers.set({ kind: 'health', id: timerId(instance.id, index) }, now + first);
  }
}

function timeoutMs({ timeoutSeconds }: AppHealthCheck): number {
  return Math.min(Math.max(timeoutSeconds * 1000, PROBE_MS_MIN), PROBE_TIMEOUT_MS_MAX);
}

function intervalMs(check: AppHealthCheck): number {
  return Math.max(check.intervalSeconds * 1000, PROBE_MS_MIN);
}

function timerId(instanceId: string, checkIndex: number): string {
  return `${instanceId}#${checkIndex}`;
}

/** A probe is due. The next one is set here, so that a lost answer never ends the series. */
export function startProbe(step: Step, id: string): void {
  const { state, now } = step;
  const separator = id.lastIndexOf('#');
  const instance = state.instances.get(id.slice(0, separator));
  const checkIndex = Number(id.slice(separator + 1));
  if (instance?.condition !== 'Running' || instance.task === undefined) return;
  const app = definitionOf(state, instance);
  const check = app?.healthChecks[checkIndex];
  if (app === undefined || check === undefined || !isMarathonCheck(check)) return;
  state.timers.set({ kind: 'health', id }, now + intervalMs(check));
  const address = healthCheckAddress(app, check, instance);
  if (address === undefined) {
    applyHealthAnswer(step, probeIdentity(instance, checkIndex), {
      kind: 'failed',
      cause: 'the instance has no port that the check could use',
    });
    return;
  }
  emit(step, {
    kind: 'probe',
    probe: {
      purpose: 'health',
      instanceId: instance.id,
      taskId: instance.task.id,
      checkIndex,
      protocol: check.protocol,
      host: address.host,
      port: address.port,
      path: check.path ?? '/',
      timeoutMs: timeoutMs(check),
    },
  });
}

export interface ProbeIdentity {
  readonly instanceId: string;
  readonly taskId: string;
  readonly checkIndex: number;
}

function probeIdentity(instance: Instance, checkIndex: number): ProbeIdentity {
  return { instanceId: instance.id, taskId: instance.task?.id ?? '', checkIndex };
}

/** Takes in the answer to a health probe. */
export function applyHealthAnswer(step: Step, probe: ProbeIdentity, answer: ProbeAnswer): void {
  const { state, now } = step;
  const instance = state.instances.get(probe.instanceId);
  if (instance?.condition !== 'Running' || instance.task?.id !== probe.taskId) return;
  const check = definitionOf(state, instance)?.healthChecks[probe.checkIndex];
  const states = state.health.get(instance.id);
  const before = states?.[probe.checkIndex];
  if (check === undefined || states === undefined || before === undefined) return;
  const wasHealthy = aggregateHealth(states);
  const outcome = healthOutcome(answer, { ignoreHttp1xx: check.ignoreHttp1xx });
  const result = applyProbe(
    before,
    outcome,
    {
      gracePeriodMs: check.gracePeriodSeconds * 1000,
      maxConsecutiveFailures: check.maxConsecutiveFailures,
    },
    { startedAt: instance.task.startedAt ?? now, now },
  );
  states[probe.checkIndex] = result.state;
  step.touched.add(instance.appId);
  if (result.failed) publishFailedCheck(step, instance, check);
  if (result.alive !== undefined) publishFlip(step, instance, result.alive);
  publishAggregate(step, instance, wasHealthy, aggregateHealth(states));
  if (result.kill) killUnhealthy(step, instance, outcome.kind === 'unhealthy' ? outcome.cause : '');
}

/**
 * Takes in the health that an executor reported with a status. One that is known already changes nothing,
 * but after a restart of the scheduler only the record of the task knows it.
 */
export function reportTaskHealth(step: Step, instance: Instance, isNews: boolean): void {
  const { state, now } = step;
  const app = definitionOf(state, instance);
  const healthy = instance.task?.healthy;
  const index = app?.healthChecks.findIndex((check) => !isMarathonCheck(check)) ?? -1;
  if (app === undefined || healthy === undefined || index < 0) return;
  const states = state.health.get(instance.id) ?? app.healthChecks.map(() => UNKNOWN_HEALTH);
  state.health.set(instance.id, states);
  const before = states[index];
  assert(before !== undefined, 'there is a state for each health check');
  if (!isNews && hasResult(before)) return;
  const wasHealthy = aggregateHealth(states);
  const rules = { gracePeriodMs: 0, maxConsecutiveFailures: 0 };
  const outcome = healthy
    ? ({ kind: 'healthy' } as const)
    : ({ kind: 'unhealthy', cause: instance.task?.message ?? '' } as const);
  const result = applyProbe(before, outcome, rules, { startedAt: 0, now });
  states[index] = result.state;
  step.touched.add(instance.appId);
  if (result.alive !== undefined) publishFlip(step, instance, result.alive);
  publishAggregate(step, instance, wasHealthy, aggregateHealth(states));
}

/** Health over all checks: true, false, or undefined while nothing is known. */
export function aggregateHealth(states: readonly HealthState[] | undefined): boolean | undefined {
  if (states === undefined || states.length === 0 || !states.some(hasResult)) return undefined;
  return states.every(isAlive);
}

/**
 * True when an instance counts as healthy for a deployment: it runs, and all its checks are alive. One that
 * the master was asked about and has not confirmed may be gone.
 */
export function isHealthy(state: MarathonState, instance: Instance): boolean {
  if (instance.condition !== 'Running' || state.reconciliation.pending.has(instance.id))
    return false;
  const app = definitionOf(state, instance);
  if (app === undefined || app.healthChecks.length === 0) return true;
  return aggregateHealth(state.health.get(instance.id)) === true;
}

/** True when it is certain that nothing is lost with an instance. Not so while its health is unknown. */
export function isKnownUnhealthy(state: MarathonState, instance: Instance): boolean {
  if (state.reconciliation.pending.has(instance.id)) return false;
  if (instance.condition !== 'Running') return true;
  const states = state.health.get(instance.id) ?? [];
  return states.some((health) => (hasResult(health) && !isAlive(health)) || health.failedInGrace);
}

function killUnhealthy(step: Step, instance: Instance, cause: string): void {
  reportHealthKill(step, instance, cause);
  stopInstance(step, instance, { goal: instance.goal });
}

/**
 * A task has ended that nobody told to: if the last that its executor said was that it is not healthy, then
 * the executor ended it for that. The end itself does not tell, and would leave a loop without a cause.
 */
export function reportExecutorKill(step: Step, instance: Instance, before: InstanceTask): void {
  const app = definitionOf(step.state, instance);
  const hasCheck = app?.healthChecks.some((check) => !isMarathonCheck(check)) ?? false;
  if (before.healthy !== false || !hasCheck) return;
  const states = step.state.health.get(instance.id) ?? [];
  const cause = states.find(({ lastFailureCause }) => lastFailureCause !== undefined);
  reportHealthKill(step, instance, cause?.lastFailureCause ?? '');
}

function reportHealthKill(step: Step, instance: Instance, cause: string): void {
  const { now } = step;
  const taskId = instance.task?.id ?? '';
  const slaveId = instance.placement?.agentId;
  publish(
    step,
    busEvent(
      'unhealthy_instance_kill_event',
      {
        appId: instance.appId,
        taskId,
        instanceId: instance.id,
        version: instance.version,
        reason: cause,
        host: instance.placement?.hostname ?? '',
        slaveId,
      },
      now,
    ),
  );
  saveFailure(step, {
    appId: instance.appId,
    host: instance.placement?.hostname ?? '',
    message: `Task was killed since health check failed. Reason: ${cause}`,
    state: 'TASK_KILLED',
    taskId,
    timestamp: formatTimestamp(now),
    version: instance.version,
    ...(slaveId === undefined ? {} : { slaveId }),
  });
}

function publishFailedCheck(step: Step, instance: Instance, check: AppHealthCheck): void {
  const fields = {
    appId: instance.appId,
    taskId: instance.id,
    healthCheck: healthCheckJson(check),
  };
  publish(step, busEvent('failed_health_check_event', fields, step.now));
}

function publishFlip(step: Step, instance: Instance, alive: boolean): void {
  const { appId, id, version } = instance;
  publish(
    step,
    busEvent('health_status_changed_event', { appId, instanceId: id, version, alive }, step.now),
  );
}

function publishAggregate(
  step: Step,
  instance: Instance,
  before: boolean | undefined,
  after: boolean | undefined,
): void {
  if (before === after) return;
  const fields = {
    instanceId: instance.id,
    runSpecId: instance.appId,
    healthy: after,
    runSpecVersion: instance.version,
  };
  publish(step, busEvent('instance_health_changed_event', fields, step.now));
}

/** Says which checks an app has from now on; one event per check, the old ones are withdrawn first. */
export function announceHealthChecks(
  step: Step,
  before: AppDefinition | undefined,
  after: AppDefinition | undefined,
): void {
  const { now } = step;
  if (before !== undefined && before.healthChecks.length > 0) {
    publish(step, busEvent('remove_health_check_event', { appId: before.id }, now));
  }
  if (after === undefined) return;
  for (const check of after.healthChecks) {
    const fields = { appId: after.id, version: after.version, healthCheck: healthCheckJson(check) };
    publish(step, busEvent('add_health_check_event', fields, now));
  }
}

function healthCheckJson(check: AppHealthCheck): {
  readonly [key: string]: string | number | boolean | undefined;
} {
  return {
    protocol: check.protocol,
    path: check.path,
    portIndex: check.portIndex,
    port: check.port,
    gracePeriodSeconds: check.gracePeriodSeconds,
    intervalSeconds: check.intervalSeconds,
    timeoutSeconds: check.timeoutSeconds,
    maxConsecutiveFailures: check.maxConsecutiveFailures,
  };
}

/** The instants of a health state as the API shows them. */
export function healthInstants(state: HealthState): Record<string, string | undefined> {
  const text = (instant: Instant | undefined): string | undefined =>
    instant === undefined ? undefined : formatTimestamp(instant);
  return {
    firstSuccess: text(state.firstSuccess),
    lastFailure: text(state.lastFailure),
    lastSuccess: text(state.lastSuccess),
  };
}
