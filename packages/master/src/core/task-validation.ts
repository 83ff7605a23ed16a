/**
 * What a task must be like to be launched. The first problem is the message of its TASK_ERROR.
 * Source: the original's validation, texts as recorded; features that are not there yet are refused here
 * with a text that says so, never accepted and ignored.
 */

import { idProblem, taskId } from '@dcos/base';
import { Resources, resourcesText, validateResources } from '@dcos/resources';
import type { CheckInfo, ContainerInfo, HealthCheck, TaskInfo } from '@dcos/wire';
import { environmentProblem, secretVolumeProblem } from './secret-validation.ts';
import type { Agent, Framework } from './state.ts';

export interface LaunchPlace {
  readonly framework: Framework;
  readonly agent: Agent;
}

/** Says what is wrong with a task, or undefined. Resources carry their allocation already. */
export function taskProblem(task: TaskInfo, place: LaunchPlace): string | undefined {
  return (
    identityProblem(task, place) ??
    kindProblem(task) ??
    checkProblem('health check', task.health_check) ??
    checkProblem('check', task.check) ??
    durationProblem(task) ??
    resourceProblem(task) ??
    limitProblem(task, place)
  );
}

function identityProblem(task: TaskInfo, { framework, agent }: LaunchPlace): string | undefined {
  const id = taskId(task.task_id.value);
  const problem = idProblem(id);
  if (problem !== undefined) return problem;
  if (framework.tasks.has(id) || framework.unreachableTasks.has(id))
    return `Task has duplicate ID: ${id}`;
  if (task.agent_id.value !== agent.id) {
    return `Task uses invalid agent ${task.agent_id.value} while agent ${agent.id} is expected`;
  }
  return undefined;
}

function kindProblem(task: TaskInfo): string | undefined {
  if ((task.command === undefined) === (task.executor === undefined)) {
    return 'Task should have at least one (but not both) of CommandInfo or ExecutorInfo present';
  }
  if (
    task.command !== undefined &&
    task.command.shell !== false &&
    task.command.value === undefined &&
    task.container === undefined
  ) {
    return "Shell command of the task does not specify a 'value'";
  }
  return environmentProblem(task.command) ?? secretVolumeProblem(task.container);
}

function checkProblem(
  what: string,
  check: HealthCheck | CheckInfo | undefined,
): string | undefined {
  if (check === undefined) return undefined;
  const title = what.charAt(0).toUpperCase() + what.slice(1);
  if (check.type === undefined || check.type === 'UNKNOWN')
    return `Invalid ${what}: must specify 'type'`;
  const part = { COMMAND: check.command, HTTP: check.http, TCP: check.tcp }[check.type];
  if (part === undefined) {
    return `Invalid ${what}: Expecting '${check.type.toLowerCase()}' to be set for ${check.type} ${what}`;
  }
  for (const name of ['delay_seconds', 'interval_seconds', 'timeout_seconds'] as const) {
    const seconds = check[name];
    if (seconds !== undefined && !(seconds >= 0))
      return `${title}: Expecting '${name}' to be non-negative`;
  }
  const port = check.http?.port ?? check.tcp?.port;
  if (port !== undefined && (port < 1 || port > 65_535))
    return `${title}: ${port} is not a valid port`;
  const path = check.http?.path;
  if (path !== undefined && path !== '' && !path.startsWith('/')) {
    return `${title}: The path '${path}' of HTTP ${what} must start with '/'`;
  }
  return undefined;
}

function durationProblem(task: TaskInfo): string | undefined {
  const grace = task.kill_policy?.grace_period?.nanoseconds;
  if (grace !== undefined && grace < 0)
    return "Task's 'kill_policy.grace_period' must be non-negative";
  const completion = task.max_completion_time?.nanoseconds;
  if (completion !== undefined && completion < 0)
    return "Task's 'max_completion_time' must be non-negative";
  return undefined;
}

function resourceProblem(task: TaskInfo): string | undefined {
  const wire = task.resources ?? [];
  if (wire.length === 0) return 'Task uses no resources';
  const problem = validateResources(wire);
  if (problem !== undefined) return `Task uses invalid resources: ${problem}`;
  const wanted = Resources.fromWire(wire);
  if (wanted.isEmpty()) return 'Task uses no resources';
  return mixProblem('Task', wanted) ?? persistenceProblem('Task', wanted);
}

/** Revocable and other resources of one name cannot be told apart by who uses them. */
export function mixProblem(who: string, wanted: Resources): string | undefined {
  const revocable = new Set(wanted.revocable().names());
  const mixed = wanted
    .nonRevocable()
    .names()
    .find((name) => revocable.has(name));
  return mixed === undefined
    ? undefined
    : `${who} mixes revocable and non-revocable resources of '${mixed}'`;
}

/** Whether a container uses the control groups of its parent, as it does unless it says otherwise. */
export function sharesCgroups(container: ContainerInfo | undefined): boolean {
  return container?.linux_info?.share_cgroups ?? true;
}

/** What tasks and the executor that runs them need must go together, whether it runs already or not. */
export function togetherProblem(who: string, together: Resources): string | undefined {
  return persistenceProblem(who, together) ?? mixProblem(who, together);
}

/** A persistence id names one volume of its role on an agent. A shared volume may be used many times. */
export function persistenceProblem(who: string, wanted: Resources): string | undefined {
  const seen = new Set<string>();
  for (const { nature, count } of wanted.entries) {
    const id = nature.frame.disk?.persistence?.id;
    if (id === undefined) continue;
    const name = `${nature.reservedTo ?? ''}/${id}`;
    if (seen.has(name) || (count > 1 && !nature.shared))
      return `${who} uses duplicate persistence ID ${id}`;
    seen.add(name);
  }
  return undefined;
}

/** Whether what is needed is there, or the original's text that it is not. */
export function resourcesProblem(
  needed: Resources,
  remaining: Resources,
  what: 'task' | 'task group',
): string | undefined {
  if (remaining.contains(needed)) return undefined;
  const verb = what === 'task' ? 'is' : 'are';
  return (
    `Total resources ${resourcesText(needed.toWire())} required by ${what} and its executor ${verb} more than ` +
    `available ${resourcesText(remaining.toWire())}`
  );
}

function limitProblem(task: TaskInfo, { agent }: LaunchPlace): string | undefined {
  const limits = Object.entries(task.limits ?? {});
  if (limits.length === 0) return undefined;
  if (!agent.capabilities.some(({ type }) => type === 'TASK_RESOURCE_LIMITS')) {
    return `Agent ${agent.id} is not capable of resource limits`;
  }
  const wanted = Resources.fromWire(task.resources);
  for (const [name, { value }] of limits) {
    if (name !== 'cpus' && name !== 'mem') return `Resource limit of '${name}' is not supported`;
    const request = wanted.scalarMilli(name) / 1000;
    if (request === 0) return `Resource limit of '${name}' needs a request of it`;
    if (Number.isNaN(value) || value < request)
      return `Resource limit of '${name}' is below its request`;
  }
  return undefined;
}
