/** Rules about networks and ports. */

import type { AppDefinition, Network, PortDefinition, PortMapping } from './app-definition.ts';
import { isHostMode } from './normalise-app.ts';
import type { Violation } from './problem.ts';

export function networkViolations(app: AppDefinition): readonly Violation[] {
  const violations = [...modeViolations(app.networks)];
  const isDockerEngine = app.container?.type === 'DOCKER';
  if (isDockerEngine && app.networks.filter(({ mode }) => mode === 'container').length > 1) {
    const error = 'must have at most one container network when the Docker engine is used';
    violations.push({ path: '/networks', error });
  }
  if (isHostMode(app.networks))
    return [...violations, ...definitionViolations(app.portDefinitions)];
  return [...violations, ...mappingViolations(app.container?.portMappings ?? [], app.networks)];
}

/** One host network, or one bridge, or any number of container networks. */
function modeViolations(networks: readonly Network[]): readonly Violation[] {
  const violations: Violation[] = [];
  const modes = new Set(networks.map(({ mode }) => mode));
  if (modes.size > 1) {
    violations.push({ path: '/networks', error: 'must not mix networks of different modes' });
  } else if (!modes.has('container') && networks.length > 1) {
    const [mode = 'host'] = modes;
    violations.push({ path: '/networks', error: `must have at most one network of mode ${mode}` });
  }
  for (const [index, { mode, name, labels }] of networks.entries()) {
    const path = `/networks(${index})`;
    if (mode !== 'container' && name !== undefined) {
      violations.push({ path: `${path}/name`, error: `must not be set in mode ${mode}` });
    }
    if (mode === 'host' && Object.keys(labels).length > 0) {
      violations.push({ path: `${path}/labels`, error: 'must be empty in mode host' });
    }
  }
  const names = networks.flatMap(({ name }) => name ?? []);
  if (new Set(names).size !== names.length) {
    violations.push({ path: '/networks', error: 'must have unique names' });
  }
  return violations;
}

function definitionViolations(definitions: readonly PortDefinition[]): readonly Violation[] {
  const violations: Violation[] = [];
  if (hasDuplicates(definitions.flatMap(({ name }) => name ?? []))) {
    violations.push({ path: '/portDefinitions', error: 'Port names must be unique.' });
  }
  if (hasDuplicates(definitions.flatMap(({ port }) => (port === 0 ? [] : port)))) {
    violations.push({ path: '/portDefinitions', error: 'Ports must be unique.' });
  }
  return violations;
}

function mappingViolations(
  mappings: readonly PortMapping[],
  networks: readonly Network[],
): readonly Violation[] {
  const violations: Violation[] = [];
  const path = '/container/portMappings';
  if (hasDuplicates(mappings.flatMap(({ name }) => name ?? []))) {
    violations.push({ path, error: 'Port names must be unique.' });
  }
  if (
    hasDuplicates(mappings.flatMap(({ servicePort }) => (servicePort === 0 ? [] : servicePort)))
  ) {
    violations.push({ path, error: 'Service ports must be unique.' });
  }
  const declared = new Set(networks.flatMap(({ name }) => name ?? []));
  const containerNetworks = networks.filter(({ mode }) => mode === 'container').length;
  for (const [index, mapping] of mappings.entries()) {
    const place = `${path}(${index})/networkNames`;
    for (const name of mapping.networkNames) {
      if (!declared.has(name)) violations.push({ path: place, error: `unknown network '${name}'` });
    }
    if (
      mapping.hostPort !== undefined &&
      containerNetworks > 1 &&
      mapping.networkNames.length !== 1
    ) {
      const error =
        'must name exactly one network, since there are several and a hostPort is given';
      violations.push({ path: place, error });
    }
  }
  return violations;
}

function hasDuplicates(values: readonly (string | number)[]): boolean {
  return new Set(values).size !== values.length;
}
