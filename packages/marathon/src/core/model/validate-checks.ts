/** Rules about health checks, generic checks and readiness checks. */

import type { AppCheck, AppDefinition, AppHealthCheck, ReadinessCheck } from './app-definition.ts';
import { isHostMode } from './normalise-app.ts';
import type { Violation } from './problem.ts';

const HTTP_FAMILY: ReadonlySet<string> = new Set(['HTTP', 'HTTPS', 'MESOS_HTTP', 'MESOS_HTTPS']);
const BY_EXECUTOR: ReadonlySet<string> = new Set(['MESOS_HTTP', 'MESOS_HTTPS', 'MESOS_TCP']);

export function checkViolations(app: AppDefinition): readonly Violation[] {
  const ports = portNames(app);
  return [
    ...healthCheckViolations(app, ports.length),
    ...genericCheckViolations(app, ports.length),
    ...readinessViolations(app.readinessChecks, ports),
  ];
}

/** The name of each port index; undefined for one without a name. */
function portNames(app: AppDefinition): readonly (string | undefined)[] {
  const ports = isHostMode(app.networks)
    ? app.portDefinitions
    : (app.container?.portMappings ?? []);
  return ports.map(({ name }) => name);
}

function healthCheckViolations(app: AppDefinition, portCount: number): readonly Violation[] {
  const violations = app.healthChecks.flatMap((check, index) =>
    healthCheckErrors(app, check, portCount).map((error) => ({
      path: `/healthChecks(${index})`,
      error,
    })),
  );
  const executed = app.healthChecks.filter(({ protocol }) => BY_EXECUTOR.has(protocol)).length;
  const commands = app.healthChecks.filter(({ protocol }) => protocol === 'COMMAND').length;
  if (executed > 1 || (executed === 1 && commands > 0)) {
    const error = 'AppDefinition can contain at most one Mesos health check';
    violations.push({ path: '/healthChecks', error });
  }
  return violations;
}

function healthCheckErrors(
  app: AppDefinition,
  check: AppHealthCheck,
  portCount: number,
): readonly string[] {
  const errors: string[] = [];
  const { protocol } = check;
  if (protocol === 'COMMAND') {
    if (check.command === undefined) errors.push('a COMMAND health check must have a command');
    if (check.path !== undefined) errors.push('a COMMAND health check must not have a path');
    if (check.port !== undefined || check.portIndex !== undefined) {
      errors.push('a COMMAND health check must not have a port');
    }
    return errors;
  }
  if (check.command !== undefined)
    errors.push(`a ${protocol} health check must not have a command`);
  if (check.path !== undefined && !HTTP_FAMILY.has(protocol)) {
    errors.push(`a ${protocol} health check must not have a path`);
  }
  if (check.ignoreHttp1xx && protocol !== 'HTTP' && protocol !== 'HTTPS') {
    errors.push(`a ${protocol} health check must not have ignoreHttp1xx`);
  }
  const problem = portProblem(check, portCount);
  if (problem !== undefined) errors.push(problem);
  if (
    check.ipProtocol === 'IPv6' &&
    (app.container?.type !== 'DOCKER' || !BY_EXECUTOR.has(protocol))
  ) {
    errors.push(
      'IPv6 is possible for MESOS_HTTP, MESOS_HTTPS and MESOS_TCP with the Docker engine only',
    );
  }
  return errors;
}

function portProblem(
  target: { readonly port?: number; readonly portIndex?: number },
  portCount: number,
): string | undefined {
  if (target.port !== undefined) return undefined;
  if (target.portIndex === undefined) {
    return 'must have a port or a portIndex, since the app has no ports';
  }
  return target.portIndex < portCount
    ? undefined
    : 'Health check port indices must address an element of the ports array or container port mappings.';
}

function genericCheckViolations(app: AppDefinition, portCount: number): readonly Violation[] {
  const { check } = app;
  if (check === undefined) return [];
  const errors: string[] = [];
  if (app.container?.type === 'DOCKER')
    errors.push('must not be set when the Docker engine is used');
  const { http, tcp, exec } = check;
  if ([http, tcp, exec].filter((kind) => kind !== undefined).length !== 1) {
    errors.push('must have exactly one of http, tcp and exec');
  }
  for (const target of [http, tcp]) {
    if (target === undefined || target.port !== undefined) continue;
    if ((target.portIndex ?? 0) >= portCount) {
      errors.push('the portIndex must address a port of the app');
    }
  }
  if (isEmptyCommand(check)) errors.push('the command must not be empty');
  return errors.map((error) => ({ path: '/check', error }));
}

function isEmptyCommand({ exec }: AppCheck): boolean {
  return exec !== undefined && 'argv' in exec.command && exec.command.argv.length === 0;
}

function readinessViolations(
  checks: readonly ReadinessCheck[],
  ports: readonly (string | undefined)[],
): readonly Violation[] {
  const violations: Violation[] = [];
  if (checks.length > 1) {
    violations.push({ path: '/readinessChecks', error: 'must have at most one element' });
  }
  for (const [index, check] of checks.entries()) {
    const path = `/readinessChecks(${index})`;
    if (check.timeoutSeconds >= check.intervalSeconds) {
      const error = `must be less than intervalSeconds (${check.intervalSeconds})`;
      violations.push({ path: `${path}/timeoutSeconds`, error });
    }
    if (!ports.includes(check.portName)) {
      const named = ports.filter((name) => name !== undefined);
      const error = `No port definition reference for portName '${check.portName}' ([${named.join(', ')}])`;
      violations.push({ path: `${path}/portName`, error });
    }
    if (check.httpStatusCodesForReady.length === 0) {
      violations.push({ path: `${path}/httpStatusCodesForReady`, error: 'must not be empty' });
    }
  }
  return violations;
}
