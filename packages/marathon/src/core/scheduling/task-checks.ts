/** The checks of a task that its executor runs. */

import type { CheckInfo, HealthCheck } from '@dcos/wire';
import type { AppDefinition } from '../model/index.ts';
import { isMarathonCheck, portsOf } from './app-facts.ts';
import type { Instance } from './instance.ts';

/** The one health check that Mesos executes; the first, should old data have several. */
export function mesosHealthCheck(app: AppDefinition, instance: Instance): HealthCheck | undefined {
  const check = app.healthChecks.find((candidate) => !isMarathonCheck(candidate));
  if (check === undefined) return undefined;
  const common = {
    delay_seconds: check.delaySeconds,
    interval_seconds: check.intervalSeconds,
    timeout_seconds: check.timeoutSeconds,
    consecutive_failures: check.maxConsecutiveFailures,
    grace_period_seconds: check.gracePeriodSeconds,
  };
  if (check.protocol === 'COMMAND') {
    return {
      ...common,
      type: 'COMMAND',
      command: { shell: true, value: check.command?.value ?? '' },
    };
  }
  const port = checkPort(app, check, instance);
  const protocol = { protocol: check.ipProtocol };
  if (check.protocol === 'MESOS_TCP') return { ...common, type: 'TCP', tcp: { port, ...protocol } };
  const scheme = check.protocol === 'MESOS_HTTPS' ? 'https' : 'http';
  return { ...common, type: 'HTTP', http: { port, path: check.path ?? '/', scheme, ...protocol } };
}

/** The port that an executor probes: it is inside the container's network. */
function checkPort(app: AppDefinition, check: PortReference, instance: Instance): number {
  if (check.port !== undefined) return check.port;
  const index = check.portIndex ?? 0;
  const port = portsOf(app)[index];
  const hostPort = instance.task?.hostPorts[index] ?? 0;
  return port?.containerPort === undefined || port.containerPort === 0
    ? hostPort
    : port.containerPort;
}

interface PortReference {
  readonly port?: number;
  readonly portIndex?: number;
}

/** The app's generic check; its result is shown and decides nothing. */
export function genericCheck(app: AppDefinition, instance: Instance): CheckInfo | undefined {
  const { check } = app;
  if (check === undefined) return undefined;
  const common = {
    delay_seconds: check.delaySeconds,
    interval_seconds: check.intervalSeconds,
    timeout_seconds: check.timeoutSeconds,
  };
  if (check.exec !== undefined) {
    const { command } = check.exec;
    const info =
      'shell' in command
        ? { shell: true, value: command.shell }
        : { shell: false, value: command.argv[0] ?? '', arguments: command.argv };
    return { ...common, type: 'COMMAND', command: { command: info } };
  }
  if (check.tcp !== undefined) {
    return { ...common, type: 'TCP', tcp: { port: checkPort(app, check.tcp, instance) } };
  }
  const port = checkPort(app, check.http ?? {}, instance);
  return { ...common, type: 'HTTP', http: { port, path: check.http?.path ?? '/' } };
}
