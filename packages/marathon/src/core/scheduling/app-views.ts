/** Apps, tasks and their figures as the API shows them. Reading only. */

import { compareText, type Instant, type JsonObject, type JsonValue } from '@dcos/base';
import { appToJson, formatTimestamp, type AppDefinition } from '../model/index.ts';
import { effectivePorts, portsOf } from './app-facts.ts';
import { healthInstants } from './health-checks.ts';
import { hasResult, isAlive } from './health.ts';
import { shownTaskState, type Instance } from './instance.ts';
import { definitionOf, type MarathonState } from './state.ts';

/** What can be asked for in addition to the definition of an app. */
export type AppEmbed =
  | 'tasks'
  | 'counts'
  | 'deployments'
  | 'readiness'
  | 'lastTaskFailure'
  | 'taskStats';

const EMBEDS: Readonly<Record<string, readonly AppEmbed[]>> = {
  tasks: ['tasks', 'deployments'],
  counts: ['counts'],
  deployments: ['deployments'],
  readiness: ['readiness'],
  lastTaskFailure: ['lastTaskFailure'],
  failures: ['tasks', 'lastTaskFailure', 'deployments'],
  taskStats: ['taskStats'],
};

/** Reads `embed` parameters; prefixes are optional and unknown names are ignored. */
export function parseAppEmbeds(names: readonly string[]): ReadonlySet<AppEmbed> {
  const embeds = new Set<AppEmbed>();
  for (const name of names) {
    const bare = name.replace(/^(?:group\.apps|apps|app)\./, '');
    for (const embed of Object.hasOwn(EMBEDS, bare) ? (EMBEDS[bare] ?? []) : []) embeds.add(embed);
  }
  return embeds;
}

/** Instances that have a task, the first or a later one; one that was never launched has none to show. */
export function shownInstances(state: MarathonState, appId: string): Instance[] {
  return state.instances
    .of(appId)
    .filter(({ task }) => task !== undefined)
    .sort((left, right) => compareText(left.id, right.id));
}

/** The latest task of an instance. */
export function taskView(state: MarathonState, instance: Instance): JsonObject {
  const app = definitionOf(state, instance);
  const { task, placement } = instance;
  return {
    id: task?.id ?? instance.id,
    appId: instance.appId,
    host: placement?.hostname,
    slaveId: placement?.agentId,
    state: shownTaskState(instance),
    stagedAt: task === undefined ? undefined : formatTimestamp(task.stagedAt),
    startedAt: task?.startedAt === undefined ? undefined : formatTimestamp(task.startedAt),
    version: instance.version,
    ports: effectivePorts(app, instance),
    ipAddresses: (task?.addresses ?? []).map((address) => ({ ...address })),
    healthCheckResults: healthResults(state, instance),
    checkResult: task?.checkResult === undefined ? undefined : (task.checkResult as JsonObject),
    localVolumes: [],
    region: placement?.region,
    zone: placement?.zone,
    role: instance.role,
  };
}

/** A task with the service ports of its app, as lists of tasks have it. */
export function listedTaskView(state: MarathonState, instance: Instance): JsonObject {
  const app = definitionOf(state, instance);
  const servicePorts = app === undefined ? [] : portsOf(app).map(({ servicePort }) => servicePort);
  return { ...taskView(state, instance), servicePorts };
}

function healthResults(state: MarathonState, instance: Instance): JsonValue[] {
  return (state.health.get(instance.id) ?? []).filter(hasResult).map((health) => ({
    alive: isAlive(health) && instance.goal === 'Running',
    consecutiveFailures: health.consecutiveFailures,
    ...healthInstants(health),
    lastFailureCause: health.lastFailureCause,
    instanceId: instance.id,
  }));
}

export interface TaskCounts {
  readonly staged: number;
  readonly running: number;
  readonly healthy: number;
  readonly unhealthy: number;
}

/** Counts tasks: those that nothing was reported of count as staged. */
export function countTasks(state: MarathonState, instances: readonly Instance[]): TaskCounts {
  let staged = 0;
  let running = 0;
  let healthy = 0;
  let unhealthy = 0;
  for (const instance of instances) {
    const taskState = instance.task?.state;
    if (taskState === undefined || taskState === 'TASK_STAGING') staged += 1;
    if (taskState !== 'TASK_RUNNING') continue;
    running += 1;
    const results = (state.health.get(instance.id) ?? []).filter(hasResult);
    if (results.length === 0) continue;
    if (results.every(isAlive)) healthy += 1;
    else unhealthy += 1;
  }
  return { staged, running, healthy, unhealthy };
}

/** An app with what was asked for. */
export function appView(
  state: MarathonState,
  app: AppDefinition,
  embeds: ReadonlySet<AppEmbed>,
  now: Instant,
): JsonObject {
  const instances = shownInstances(state, app.id);
  const counts = countTasks(state, state.instances.of(app.id));
  const failure = state.failures.get(app.id);
  return {
    ...appToJson(app),
    ...(embeds.has('counts')
      ? {
          tasksStaged: counts.staged,
          tasksRunning: counts.running,
          tasksHealthy: counts.healthy,
          tasksUnhealthy: counts.unhealthy,
        }
      : {}),
    ...(embeds.has('deployments') ? { deployments: deploymentsOf(state, app.id) } : {}),
    ...(embeds.has('tasks')
      ? { tasks: instances.map((instance) => taskView(state, instance)) }
      : {}),
    ...(embeds.has('readiness') ? { readinessCheckResults: readinessResults(state, app.id) } : {}),
    ...(embeds.has('lastTaskFailure') && failure !== undefined
      ? { lastTaskFailure: { ...failure } }
      : {}),
    ...(embeds.has('taskStats') ? { taskStats: taskStats(state, app, instances, now) } : {}),
  };
}

export function deploymentsOf(state: MarathonState, appId: string): JsonValue[] {
  const deployment = state.deploymentByApp.get(appId);
  return deployment === undefined ? [] : [{ id: deployment.plan.id }];
}

/** Readiness of the new instances of an app. */
export function readinessResults(state: MarathonState, appId: string): JsonValue[] {
  return state.instances.of(appId).flatMap((instance) => {
    const readiness = state.readiness.get(instance.id);
    if (readiness === undefined) return [];
    const { name, taskId, ready, lastResponse } = readiness;
    return [
      {
        name,
        taskId,
        ready,
        ...(lastResponse === undefined ? {} : { lastResponse: { ...lastResponse } }),
      },
    ];
  });
}

function taskStats(
  state: MarathonState,
  app: AppDefinition,
  instances: readonly Instance[],
  now: Instant,
): JsonObject {
  const { lastScalingAt, lastConfigChangeAt } = app.versionInfo;
  const bucket = (name: string, members: readonly Instance[]): JsonObject =>
    members.length === 0 ? {} : { [name]: { stats: statistics(state, members, now) } };
  const isLatest = (instance: Instance): boolean => instance.configVersion === lastConfigChangeAt;
  const isAfterScaling = ({ task }: Instance): boolean =>
    task !== undefined && formatTimestamp(task.stagedAt) > lastScalingAt;
  return {
    ...bucket('startedAfterLastScaling', instances.filter(isAfterScaling)),
    ...bucket('withLatestConfig', instances.filter(isLatest)),
    ...bucket(
      'withOutdatedConfig',
      instances.filter((instance) => !isLatest(instance)),
    ),
    ...bucket('totalSummary', instances),
  };
}

function statistics(
  state: MarathonState,
  instances: readonly Instance[],
  now: Instant,
): JsonObject {
  const { staged, running, healthy, unhealthy } = countTasks(state, instances);
  const ages = instances
    .flatMap(({ task }) => (task?.startedAt === undefined ? [] : [(now - task.startedAt) / 1000]))
    .sort((left, right) => left - right);
  const middle = ages.length >> 1;
  const median =
    ages.length % 2 === 1
      ? (ages[middle] ?? 0)
      : ((ages[middle - 1] ?? 0) + (ages[middle] ?? 0)) / 2;
  return {
    counts: { staged, running, healthy, unhealthy },
    ...(ages.length === 0
      ? {}
      : {
          lifeTime: {
            averageSeconds: ages.reduce((sum, age) => sum + age, 0) / ages.length,
            medianSeconds: median,
          },
        }),
  };
}
