/**
 * Gives every port that asks for one its service port, unique in the cluster.
 *
 * Invariants: deterministic; only apps that are new or changed are looked at; a port that was given stays
 * given. Zeros take the ports of the former definition of the same app that it no longer names, then the
 * lowest unused ones of the range.
 */

import { err, ok, type Result } from '@dcos/base';
import type { AppDefinition, RootGroup, Version } from './app-definition.ts';
import { allApps, mapChangedApps } from './group.ts';
import { isHostMode } from './normalise-app.ts';
import { internalProblem, type Problem } from './problem.ts';
import type { ModelSettings } from './settings.ts';

export interface PortAssignment {
  readonly original: RootGroup;
  readonly target: RootGroup;
  readonly version: Version;
  readonly settings: ModelSettings;
}

/** The service ports of an app by port index; 0 for those that have none yet. */
export function servicePortsOf(app: AppDefinition): readonly number[] {
  return isHostMode(app.networks)
    ? app.portDefinitions.map(({ port }) => port)
    : (app.container?.portMappings ?? []).map(({ servicePort }) => servicePort);
}

/** The target with all service ports given; 500 when the range is used up. */
export function assignServicePorts(assignment: PortAssignment): Result<RootGroup, Problem> {
  const { original, target, version, settings } = assignment;
  let asks = false;
  mapChangedApps(target, original, version, (app) => {
    asks ||= servicePortsOf(app).includes(0);
    return app;
  });
  if (!asks) return ok(target);
  const used = new Set(allApps(target).flatMap(servicePortsOf));
  let candidate = settings.localPortMin;
  const nextUnused = (): number | undefined => {
    while (used.has(candidate)) candidate += 1;
    return candidate <= settings.localPortMax ? candidate : undefined;
  };
  let isExhausted = false;
  const assigned = mapChangedApps(target, original, version, (app, before) => {
    if (!servicePortsOf(app).includes(0)) return app;
    const former = before === undefined ? [] : servicePortsOf(before);
    const free = former.filter((port) => port !== 0 && !used.has(port));
    const ports = servicePortsOf(app).map((port) => {
      if (port !== 0) return port;
      const chosen = free.shift() ?? nextUnused();
      if (chosen === undefined) {
        isExhausted = true;
        return 0;
      }
      used.add(chosen);
      return chosen;
    });
    return withServicePorts(app, ports);
  });
  if (!isExhausted) return ok(assigned);
  const range = `${settings.localPortMin} to ${settings.localPortMax}`;
  return err(internalProblem(`All service ports of the range ${range} are in use.`));
}

/** The app with these service ports, one for each port index. */
export function withServicePorts(app: AppDefinition, ports: readonly number[]): AppDefinition {
  if (isHostMode(app.networks)) {
    const portDefinitions = app.portDefinitions.map((definition, index) => ({
      ...definition,
      port: ports[index] ?? definition.port,
    }));
    return { ...app, portDefinitions };
  }
  if (app.container === undefined) return app;
  const portMappings = app.container.portMappings.map((mapping, index) => ({
    ...mapping,
    servicePort: ports[index] ?? mapping.servicePort,
  }));
  return { ...app, container: { ...app.container, portMappings } };
}
