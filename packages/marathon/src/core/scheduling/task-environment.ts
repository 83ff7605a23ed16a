/**
 * The environment of a task. Later entries win over earlier ones: facts about the task, ports and host,
 * then what the user set.
 * Source: Marathon's task environment as documented.
 */

import { randomBelow, type Random } from '@dcos/base';
import type { AppDefinition } from '../model/index.ts';
import { portsOf } from './app-facts.ts';
import type { Instance } from './instance.ts';

/** Labels whose name is this long, or longer, are left out. */
const LABEL_NAME_LENGTH_MAX = 493;
/** Labels whose value is this long, or longer, are left out. */
const LABEL_VALUE_LENGTH_MAX = 512;
/** First port that is made up for a container port left open without a host port. */
const EPHEMERAL_PORT_MIN = 1025;

export interface EnvironmentOptions {
  /** Put before every name that does not come from the user. */
  readonly prefix: string;
  /** Whether the app's top-level group enforces its role. */
  readonly enforcesGroupRole: boolean;
  readonly random: Random;
}

/** All variables of an instance's task, in order of precedence resolved. */
export function taskEnvironment(
  app: AppDefinition,
  instance: Instance,
  options: EnvironmentOptions,
): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  const set = (name: string, value: string): void =>
    void variables.set(options.prefix + name, value);
  setContext(app, instance, set);
  set('MARATHON_APP_ENFORCE_GROUP_ROLE', options.enforcesGroupRole ? 'TRUE' : 'FALSE');
  set('HOST', instance.placement?.hostname ?? '');
  setPorts(app, instance, set, options.random);
  for (const [name, value] of Object.entries(app.env)) {
    if (typeof value === 'string') variables.set(name, value);
  }
  return variables;
}

type SetVariable = (name: string, value: string) => void;

function setContext(app: AppDefinition, instance: Instance, set: SetVariable): void {
  set('MESOS_TASK_ID', instance.task?.id ?? '');
  set('MARATHON_APP_ID', app.id);
  set('MARATHON_APP_VERSION', app.version);
  if (app.container?.type === 'DOCKER' && app.container.docker !== undefined) {
    set('MARATHON_APP_DOCKER_IMAGE', app.container.docker.image);
  }
  set('MARATHON_APP_RESOURCE_CPUS', decimal(app.cpus));
  set('MARATHON_APP_RESOURCE_MEM', decimal(app.mem));
  set('MARATHON_APP_RESOURCE_DISK', decimal(app.disk));
  set('MARATHON_APP_RESOURCE_GPUS', String(app.gpus));
  setLabels(app, set);
}

function setLabels(app: AppDefinition, set: SetVariable): void {
  const names: string[] = [];
  for (const [label, value] of Object.entries(app.labels)) {
    if (label.length >= LABEL_NAME_LENGTH_MAX || value.length >= LABEL_VALUE_LENGTH_MAX) continue;
    const name = label.replaceAll(/[^A-Za-z0-9_]+/g, '_').toUpperCase();
    names.push(name);
    set(`MARATHON_APP_LABEL_${name}`, value);
  }
  set('MARATHON_APP_LABELS', names.join(' '));
}

function setPorts(app: AppDefinition, instance: Instance, set: SetVariable, random: Random): void {
  const ports = portsOf(app);
  const hostPorts = instance.task?.hostPorts ?? [];
  const effective = ports.map(
    (port, index) => hostPorts[index] ?? (port.containerPort || madeUpPort(random)),
  );
  for (const [index, port] of ports.entries()) {
    const value = String(effective[index] ?? 0);
    set(`PORT${index}`, value);
    set(`PORT_${port.requested === 0 ? value : port.requested}`, value);
    if (port.name !== undefined) set(`PORT_${port.name.toUpperCase()}`, value);
  }
  const assigned = hostPorts.filter((port) => port !== null);
  const first = assigned[0] ?? effective[0];
  if (first !== undefined) set('PORT', String(first));
  if (effective.length > 0) set('PORTS', effective.join(','));
}

function madeUpPort(random: Random): number {
  return EPHEMERAL_PORT_MIN + randomBelow(random, 65_536 - EPHEMERAL_PORT_MIN);
}

/** A number as the original writes it: always with a fraction. */
function decimal(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
