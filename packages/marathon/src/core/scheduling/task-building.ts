/**
 * The TaskInfo of an instance: what the agent is asked to run.
 * Source: Marathon's task building as documented; field meanings from the Mesos v1 messages.
 */

import type { Random } from '@dcos/base';
import type {
  CommandInfo,
  Environment_Variable,
  Resource,
  TaskInfo,
  Value_Scalar,
} from '@dcos/wire';
import { hostnameOf, type AppDefinition } from '../model/index.ts';
import { labelsOf } from './app-facts.ts';
import type { Instance } from './instance.ts';
import { genericCheck, mesosHealthCheck } from './task-checks.ts';
import { containerInfo, secretOf } from './task-container.ts';
import { discoveryInfo } from './task-discovery.ts';
import { taskEnvironment } from './task-environment.ts';

const NANOSECONDS = 1e9;

export interface TaskInputs {
  /** The resources that were taken out of the offer for this task. */
  readonly taken: readonly Resource[];
  readonly envVarsPrefix: string;
  /** Whether the app's top-level group enforces its role. */
  readonly enforcesGroupRole: boolean;
  readonly random: Random;
}

/** Builds the TaskInfo of an instance that was placed and has its ports. */
export function buildTask(app: AppDefinition, instance: Instance, inputs: TaskInputs): TaskInfo {
  const container = containerInfo(app, instance);
  const healthCheck = mesosHealthCheck(app, instance);
  const check = genericCheck(app, instance);
  const limits = limitsOf(app);
  const grace = app.taskKillGracePeriodSeconds;
  return {
    name: hostnameOf(app.id),
    task_id: { value: instance.task?.id ?? '' },
    agent_id: { value: instance.placement?.agentId ?? '' },
    resources: inputs.taken,
    ...commandOrExecutor(app, instance, inputs),
    ...(container === undefined ? {} : { container }),
    ...(healthCheck === undefined ? {} : { health_check: healthCheck }),
    ...(check === undefined ? {} : { check }),
    ...(limits === undefined ? {} : { limits }),
    ...(grace === undefined
      ? {}
      : { kill_policy: { grace_period: { nanoseconds: grace * NANOSECONDS } } }),
    labels: labelsOf(app.labels),
    discovery: discoveryInfo(app, instance),
  };
}

/** A path as executor is made runnable and gets the command as its arguments. */
function commandOrExecutor(
  app: AppDefinition,
  instance: Instance,
  inputs: TaskInputs,
): Pick<TaskInfo, 'command' | 'executor'> {
  const command = commandInfo(app, instance, inputs);
  if (app.executor === '' || app.executor === '//cmd') return { command };
  const { uris, environment, user } = command;
  const call = [`'${app.executor}'`, ...(app.cmd === undefined ? app.args : [app.cmd])].join(' ');
  return {
    executor: {
      executor_id: { value: `marathon-${instance.task?.id ?? ''}` },
      command: {
        shell: true,
        value: `chmod ug+rx '${app.executor}' && exec ${call}`,
        ...(uris === undefined ? {} : { uris }),
        ...(environment === undefined ? {} : { environment }),
        ...(user === undefined ? {} : { user }),
      },
    },
  };
}

/** What a task may use at most, where the app says so. */
function limitsOf({ resourceLimits }: AppDefinition): Record<string, Value_Scalar> | undefined {
  if (resourceLimits === undefined) return undefined;
  const limits: Record<string, Value_Scalar> = {};
  for (const name of ['cpus', 'mem'] as const) {
    const limit = resourceLimits[name];
    if (limit === undefined) continue;
    limits[name] = { value: limit === 'unlimited' ? Number.POSITIVE_INFINITY : limit };
  }
  return limits;
}

function variablesOf(
  app: AppDefinition,
  instance: Instance,
  inputs: TaskInputs,
): Environment_Variable[] {
  const texts = taskEnvironment(app, instance, {
    prefix: inputs.envVarsPrefix,
    enforcesGroupRole: inputs.enforcesGroupRole,
    random: inputs.random,
  });
  const secrets = Object.entries(app.env).flatMap(([name, value]): Environment_Variable[] =>
    typeof value === 'string'
      ? []
      : [{ name, type: 'SECRET', secret: secretOf(app, value.secret) }],
  );
  return [...[...texts].map(([name, value]) => ({ name, value })), ...secrets];
}

function commandInfo(app: AppDefinition, instance: Instance, inputs: TaskInputs): CommandInfo {
  const common = {
    environment: { variables: variablesOf(app, instance, inputs) },
    ...(app.user === undefined ? {} : { user: app.user }),
    ...(app.fetch.length === 0
      ? {}
      : {
          uris: app.fetch.map(({ uri, extract, executable, cache, destPath }) => ({
            value: uri,
            extract,
            executable,
            cache,
            ...(destPath === undefined ? {} : { output_file: destPath }),
          })),
        }),
  };
  if (app.cmd !== undefined) return { ...common, shell: true, value: app.cmd };
  if (app.args.length === 0) return { ...common, shell: false };
  // Without a container the first argument is also the program that is run.
  const value = app.container === undefined ? { value: app.args[0] ?? '' } : {};
  return { ...common, shell: false, ...value, arguments: app.args };
}
