import { describe, expect, test } from 'vitest';
import type { AppDefinition } from './app-definition.ts';
import { isConfigDifferent, isSameDefinition, stampVersion } from './config-difference.ts';
import { created, FIRST, SECOND } from './testing/fixtures.ts';

const BASE: AppDefinition = created({});

const DIFFERENT: Partial<AppDefinition> = {
  cmd: 'sleep 2',
  args: ['a'],
  user: 'root',
  env: { A: 'b' },
  cpus: 2,
  mem: 2,
  disk: 2,
  gpus: 2,
  executor: '//cmd',
  constraints: [{ field: 'hostname', operator: 'UNIQUE' }],
  fetch: [{ uri: 'a', extract: true, executable: false, cache: false }],
  portDefinitions: [],
  requirePorts: true,
  backoffSeconds: 2,
  backoffFactor: 2,
  maxLaunchDelaySeconds: 2,
  container: { type: 'MESOS', portMappings: [], volumes: [] },
  check: { tcp: {}, intervalSeconds: 1, timeoutSeconds: 1, delaySeconds: 1 },
  taskKillGracePeriodSeconds: 2,
  dependencies: ['/x'],
  upgradeStrategy: { minimumHealthCapacity: 0, maximumOverCapacity: 0 },
  labels: { a: 'b' },
  acceptedResourceRoles: ['*'],
  networks: [{ mode: 'container/bridge', labels: {} }],
  secrets: { a: { source: 'b' } },
  unreachableStrategy: 'disabled',
  killSelection: 'OLDEST_FIRST',
  tty: true,
  role: 'x',
  resourceLimits: { mem: 'unlimited' },
  healthChecks: created({ healthChecks: [{}] }).healthChecks,
  readinessChecks: created({ portDefinitions: [{ name: 'http-api' }], readinessChecks: [{}] })
    .readinessChecks,
};

describe('a difference of configuration', () => {
  test.each(Object.entries(DIFFERENT))('is one of %s', (field, value) => {
    expect(isConfigDifferent(BASE, { ...BASE, [field]: value })).toBe(true);
    expect(isConfigDifferent({ ...BASE, [field]: value }, BASE)).toBe(true);
  });

  test('every field of a definition is accounted for', () => {
    const other = ['id', 'instances', 'executorResources', 'version', 'versionInfo'];
    const full = { ...BASE, ...DIFFERENT };
    expect(
      Object.keys(full).filter((field) => !(field in DIFFERENT) && !other.includes(field)),
    ).toEqual([]);
  });

  test('is not one of scaling, executor resources, versions, or the order of a map', () => {
    const executorResources = { cpus: 1, mem: 32, disk: 10 };
    expect(
      isConfigDifferent(BASE, { ...BASE, instances: 9, executorResources, version: SECOND }),
    ).toBe(false);
    const left = { ...BASE, labels: { a: '1', b: '2' } };
    expect(isConfigDifferent(left, { ...BASE, labels: { b: '2', a: '1' } })).toBe(false);
    expect(isSameDefinition(BASE, { ...BASE, version: SECOND })).toBe(true);
    expect(isSameDefinition(BASE, { ...BASE, executorResources })).toBe(false);
  });

  test('gives new versions', () => {
    expect(stampVersion(undefined, BASE, SECOND).versionInfo.lastScalingAt).toBe(SECOND);
    expect(stampVersion(BASE, { ...BASE, version: SECOND }, SECOND)).toBe(BASE);
    expect(stampVersion(BASE, { ...BASE, instances: 2 }, SECOND).versionInfo).toEqual({
      lastScalingAt: SECOND,
      lastConfigChangeAt: FIRST,
    });
  });
});
