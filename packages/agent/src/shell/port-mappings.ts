/**
 * Ports of the host that a container on the Docker engine maps: they must be among the resources of its task, else
 * it would take those of others. Source: mesos-kernel §6.5; the texts are the original's.
 */

import type { ContainerInfo, Resource } from '@dcos/wire';

/** Says which mapping cannot be had; undefined when all can. */
export function portMappingProblem(
  container: ContainerInfo | undefined,
  resources: readonly Resource[] = [],
): string | undefined {
  const mappings = container?.docker?.port_mappings ?? [];
  if (mappings.length === 0) return undefined;
  const ranges = resources.flatMap(({ name, ranges: own }) =>
    name === 'ports' ? (own?.range ?? []) : [],
  );
  if (ranges.length === 0) return 'Port mappings require port resources';
  const missing = mappings.find(
    ({ host_port: port }) => !ranges.some(({ begin, end }) => begin <= port && port <= end),
  );
  return missing && `Port [${missing.host_port}] not included in resources`;
}
