/** Runs readiness checks: only during a deployment, only for instances that it started. */

import type { AppDefinition } from '../model/index.ts';
import { portAddress, portsOf } from './app-facts.ts';
import type { ProbeIdentity } from './health-checks.ts';
import type { Instance } from './instance.ts';
import type { ProbeAnswer } from './probe-answer.ts';
import { applyReadinessAnswer } from './readiness.ts';
import { definitionOf, emit, type MarathonState, type Step } from './state.ts';

/** Begins the readiness check of those instances that run and have none yet. */
export function startReadinessChecks(
  step: Step,
  app: AppDefinition,
  instances: readonly Instance[],
): void {
  const { state, now } = step;
  const check = app.readinessChecks[0];
  if (check === undefined) return;
  for (const { id, condition, task } of instances) {
    if (condition !== 'Running' || task === undefined) continue;
    const known = state.readiness.get(id);
    if (known?.taskId === task.id) {
      // Probes end with the deployment that they were for; a later one takes them up again.
      if (!known.ready) state.timers.setIfAbsent({ kind: 'readiness', id }, now);
      continue;
    }
    state.readiness.set(id, { taskId: task.id, name: check.name, ready: false });
    state.timers.set({ kind: 'readiness', id }, now);
  }
}

/** A readiness probe is due; the next one follows until the instance is ready. */
export function probeReadiness(step: Step, instanceId: string): void {
  const { state, now } = step;
  const instance = state.instances.get(instanceId);
  const readiness = state.readiness.get(instanceId);
  if (instance?.task === undefined || readiness === undefined || readiness.ready) return;
  if (instance.condition !== 'Running' || !state.deploymentByApp.has(instance.appId)) return;
  const app = definitionOf(state, instance);
  const check = app?.readinessChecks[0];
  if (app === undefined || check === undefined) return;
  const index = portsOf(app).findIndex(({ name }) => name === check.portName);
  const address = portAddress(app, instance, index);
  state.timers.set({ kind: 'readiness', id: instanceId }, now + check.intervalSeconds * 1000);
  if (address === undefined) return;
  emit(step, {
    kind: 'probe',
    probe: {
      purpose: 'readiness',
      instanceId,
      taskId: instance.task.id,
      checkIndex: 0,
      protocol: check.protocol,
      host: address.host,
      port: address.port,
      path: check.path,
      timeoutMs: check.timeoutSeconds * 1000,
    },
  });
}

/** Takes in the answer to a readiness probe. */
export function applyReadiness(step: Step, probe: ProbeIdentity, answer: ProbeAnswer): void {
  const { state } = step;
  const instance = state.instances.get(probe.instanceId);
  const readiness = state.readiness.get(probe.instanceId);
  if (instance === undefined || readiness?.taskId !== probe.taskId || readiness.ready) return;
  const check = definitionOf(state, instance)?.readinessChecks[0];
  if (check === undefined) return;
  const next = applyReadinessAnswer(readiness, answer, {
    readyStatuses: check.httpStatusCodesForReady,
    preserveLastResponse: check.preserveLastResponse,
  });
  state.readiness.set(probe.instanceId, next);
  if (next.ready) state.timers.cancel({ kind: 'readiness', id: probe.instanceId });
  step.touched.add(instance.appId);
}

/** True when an instance answered its readiness check, or its app has none. */
export function isReady(state: MarathonState, app: AppDefinition, instance: Instance): boolean {
  if (app.readinessChecks.length === 0) return true;
  const readiness = state.readiness.get(instance.id);
  return readiness !== undefined && readiness.taskId === instance.task?.id && readiness.ready;
}
