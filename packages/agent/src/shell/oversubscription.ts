/**
 * Lends what tasks do not use: takes samples for the estimator and the QoS controller that are on, and hands on what
 * they decide. Guests are the containers that have revocable resources; they are never counted as slack themselves.
 */

import { loadavg } from 'node:os';
import { errorText, OperationError, type ContainerId, type Logger } from '@dcos/base';
import { Resources } from '@dcos/resources';
import type { Resource } from '@dcos/wire';
import type { AgentConfig } from '../config.ts';
import {
  cpuSlackEstimator,
  isTerminal,
  loadController,
  type AgentEvent,
  type AgentSnapshot,
  type LoadAverages,
  type QosController,
  type ResourceEstimator,
  type UsageSample,
} from '../core/index.ts';
import type { ContainerUsage } from './http/container-documents.ts';

/** The three averages of the host. */
export type LoadOfHost = () => readonly number[];

export interface OversubscriptionOptions {
  readonly config: Pick<
    AgentConfig,
    | 'resourceEstimator'
    | 'oversubscribedResourcesIntervalMs'
    | 'qosController'
    | 'qosCorrectionIntervalMs'
    | 'qosLoadThreshold5min'
    | 'qosLoadThreshold15min'
  >;
  readonly cpusTotal: number;
  readonly snapshot: () => AgentSnapshot;
  readonly usage: () => Promise<readonly ContainerUsage[]>;
  readonly monotonicMs: () => number;
  readonly load?: LoadOfHost;
  readonly emit: (event: AgentEvent) => void;
  readonly logger: Logger;
}

export interface Oversubscription {
  close(): void;
}

/** Starts what is on. Throws CONFIG_INVALID for a controller without bounds. */
export function startOversubscription(options: OversubscriptionOptions): Oversubscription {
  const { config, logger } = options;
  const estimator = estimatorOf(options);
  const controller = controllerOf(config);
  const closed = new AbortController();
  const repeat = (intervalMs: number, act: () => Promise<void>): void =>
    void repeatUntil(closed.signal, intervalMs, async () => {
      try {
        await act();
      } catch (error) {
        logger.warn(
          { event: 'oversubscription.failed', error: errorText(error) },
          'cannot tell what may be lent',
        );
      }
    });
  if (estimator !== undefined)
    repeat(config.oversubscribedResourcesIntervalMs, async () => await lend(options, estimator));
  if (controller !== undefined)
    repeat(config.qosCorrectionIntervalMs, async () => correct(options, controller));
  return { close: () => closed.abort() };
}

/** One act at a time; each wait begins with the end of the one before. */
async function repeatUntil(
  closed: AbortSignal,
  intervalMs: number,
  act: () => Promise<void>,
): Promise<void> {
  const stopped = new Promise<void>((resolve) =>
    closed.addEventListener('abort', () => resolve(), { once: true }),
  );
  while (!closed.aborted) {
    let timer: NodeJS.Timeout | undefined;
    const pause = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, intervalMs).unref();
    });
    await Promise.race([pause, stopped]);
    clearTimeout(timer);
    if (!closed.aborted) await act();
  }
}

function estimatorOf({
  config,
  cpusTotal,
}: OversubscriptionOptions): ResourceEstimator | undefined {
  switch (config.resourceEstimator) {
    case 'none':
      return undefined;
    case 'cpu-slack':
      return cpuSlackEstimator(cpusTotal);
    default:
      return config.resourceEstimator satisfies never;
  }
}

function controllerOf(config: OversubscriptionOptions['config']): QosController | undefined {
  switch (config.qosController) {
    case 'none':
      return undefined;
    case 'load':
      if ((config.qosLoadThreshold5min ?? config.qosLoadThreshold15min) === undefined)
        throw new OperationError(
          'CONFIG_INVALID',
          "the QoS controller 'load' needs qosLoadThreshold5min or qosLoadThreshold15min",
        );
      return loadController({
        ...(config.qosLoadThreshold5min !== undefined && {
          fiveMinutes: config.qosLoadThreshold5min,
        }),
        ...(config.qosLoadThreshold15min !== undefined && {
          fifteenMinutes: config.qosLoadThreshold15min,
        }),
      });
    default:
      return config.qosController satisfies never;
  }
}

async function lend(
  { usage, monotonicMs, emit }: OversubscriptionOptions,
  estimator: ResourceEstimator,
): Promise<void> {
  const sample = sampleOf(await usage(), monotonicMs());
  emit({ kind: 'estimated', resources: estimator.estimate(sample) });
}

function sampleOf(usage: readonly ContainerUsage[], monotonicMs: number): UsageSample {
  return {
    monotonicMs,
    containers: usage.flatMap(({ task, stats }) => {
      const granted = Resources.fromWire(task.info.resources);
      if (stats === undefined || !granted.revocable().isEmpty()) return [];
      const cpuSeconds = stats.cpuUserSeconds + stats.cpuSystemSeconds;
      return [{ id: task.containerId, cpus: granted.cpus(), cpuSeconds }];
    }),
  };
}

function correct(
  { load = loadavg, snapshot, emit }: OversubscriptionOptions,
  controller: QosController,
): void {
  const [, fiveMinutes = 0, fifteenMinutes = 0] = load();
  const averages: LoadAverages = { fiveMinutes, fifteenMinutes };
  for (const id of controller.correct(averages, guestsOf(snapshot())))
    emit({
      kind: 'limited',
      id,
      reason: 'REASON_CONTAINER_PREEMPTED',
      message: 'Container preempted by QoS correction',
    });
}

/** Whether any of these, or of those of a name, is revocable. */
export function hasRevocable(resources: readonly Resource[] = [], name?: string): boolean {
  return resources.some(
    (resource) => resource.revocable !== undefined && (name ?? resource.name) === resource.name,
  );
}

/** Runs that have revocable resources, those of executors included. */
export function guestsOf({ live, executors }: AgentSnapshot): readonly ContainerId[] {
  const guests = new Set<ContainerId>();
  for (const { state, info, group, executor, containerId } of live)
    if (!isTerminal(state) && hasRevocable(info.resources))
      guests.add((group ?? executor)?.containerId ?? containerId);
  for (const { info, containerId } of executors)
    if (hasRevocable(info.resources)) guests.add(containerId);
  return [...guests];
}
