import { expect, test } from 'vitest';
import type { Resource } from '@dcos/wire';
import { portMappingProblem } from './port-mappings.ts';

const ports = (begin: number, end: number): Resource => ({
  name: 'ports',
  type: 'RANGES',
  ranges: { range: [{ begin, end }] },
});

test.each<[mapped: readonly number[], resources: readonly Resource[], problem: string | undefined]>(
  [
    [[], [], undefined],
    [[31_000], [ports(31_000, 31_000)], undefined],
    [[31_005, 31_020], [ports(31_000, 31_009), ports(31_020, 31_020)], undefined],
    [[31_000], [], 'Port mappings require port resources'],
    [[31_000, 80], [ports(31_000, 31_009)], 'Port [80] not included in resources'],
    [[31_010], [ports(31_000, 31_009)], 'Port [31010] not included in resources'],
  ],
)('ports %j of %j: %s', (mapped, resources, problem) => {
  const port_mappings = mapped.map((host_port) => ({ host_port, container_port: 80 }));
  const docker = { image: 'x', network: 'BRIDGE', port_mappings } as const;
  expect(portMappingProblem({ type: 'DOCKER', docker }, resources)).toBe(problem);
});

test('a container without mappings needs no ports', () => {
  expect(portMappingProblem(undefined)).toBeUndefined();
  expect(portMappingProblem({ type: 'DOCKER', docker: { image: 'x' } })).toBeUndefined();
});
