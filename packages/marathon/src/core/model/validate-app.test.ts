import { describe, expect, test } from 'vitest';
import type { JsonObject } from '@dcos/base';
import type { Feature, ModelSettings } from './settings.ts';
import { create, detailsOf, problemOf } from './testing/fixtures.ts';

const IMAGE = { image: 'python:3' };
const DOCKER = { type: 'DOCKER', docker: IMAGE };
const BRIDGE = [{ mode: 'container/bridge' }];

function features(...names: readonly Feature[]): Partial<ModelSettings> {
  return { features: new Set(names) };
}

function mapped(...portMappings: readonly JsonObject[]): JsonObject {
  return { networks: BRIDGE, container: { ...DOCKER, portMappings } };
}

describe('accepted', () => {
  test.each<[string, JsonObject]>([
    ['arguments', { cmd: null, args: ['sleep', '1'] }],
    ['an image alone', { cmd: null, container: DOCKER }],
    [
      'an image of the Mesos containerizer',
      { cmd: null, container: { type: 'MESOS', docker: IMAGE } },
    ],
    ['a Mesos container without an image', { container: { type: 'MESOS' } }],
    [
      'a host volume',
      { container: { ...DOCKER, volumes: [{ containerPath: '/a', hostPath: '/b', mode: 'RO' }] } },
    ],
    ['the free role', { acceptedResourceRoles: ['*'] }],
    ['two zero ports', { portDefinitions: [{ port: 0 }, { port: 0 }] }],
    ['a TCP check', { healthChecks: [{ protocol: 'TCP' }] }],
    ['a check of a fixed port', { portDefinitions: [], healthChecks: [{ port: 80 }] }],
    [
      'a Mesos check beside others',
      { healthChecks: [{ protocol: 'MESOS_TCP' }, { protocol: 'HTTP' }] },
    ],
    [
      'several commands',
      { healthChecks: [1, 2].map(() => ({ protocol: 'COMMAND', command: { value: 'true' } })) },
    ],
    ['a generic check', { check: { tcp: { portIndex: 0 } } }],
    [
      'one instance with the label',
      {
        labels: { MARATHON_SINGLE_INSTANCE_APP: 'true' },
        upgradeStrategy: { minimumHealthCapacity: 0, maximumOverCapacity: 0 },
      },
    ],
    ['limits', { cpus: 1, resourceLimits: { cpus: 1, mem: 'unlimited' } }],
    ['a strategy', { unreachableStrategy: { inactiveAfterSeconds: 5, expungeAfterSeconds: 5 } }],
    [
      'two container networks',
      {
        networks: [{ name: 'a' }, { name: 'b' }],
        container: { type: 'MESOS', portMappings: [{ hostPort: 0, networkNames: ['a'] }] },
      },
    ],
    ['residency, which has no effect', { residency: { taskLostBehavior: 'WAIT_FOREVER' } }],
    [
      'seccomp',
      {
        container: {
          ...DOCKER,
          linuxInfo: { seccomp: { profileName: 'a' }, ipcInfo: { mode: 'PRIVATE', shmSize: 8 } },
        },
      },
    ],
  ])('%s', (_name, fields) => {
    const result = create(fields);
    expect(result.ok ? {} : problemOf(result).body).toEqual({});
  });
});

describe('refused', () => {
  test.each<[string, JsonObject, string]>([
    ['neither command nor image', { cmd: null }, '/'],
    ['a Mesos container without anything', { cmd: null, container: { type: 'MESOS' } }, '/'],
    ['command and arguments', { args: ['a'] }, '/'],
    ['a command of one character', { cmd: 'w' }, '/cmd'],
    ['an empty variable name', { env: { '': 'a' } }, '/env'],
    ['the root as an app', { id: '/' }, '/id'],
    ['a reserved name', { id: '/a/tasks' }, '/id'],
    ['no roles', { acceptedResourceRoles: [] }, '/acceptedResourceRoles'],
    [
      'a foreign role in the list',
      { acceptedResourceRoles: ['*', 'other'] },
      '/acceptedResourceRoles',
    ],
    ['a foreign role', { role: 'other' }, '/role'],
    ['a role that is none', { acceptedResourceRoles: ['*', '-a'] }, '/acceptedResourceRoles(1)'],
    ['gpus without the feature', { gpus: 1 }, '/gpus'],
    ['a limit below the request', { cpus: 2, resourceLimits: { cpus: 1 } }, '/resourceLimits/cpus'],
    ['a memory limit below the request', { resourceLimits: { mem: 1 } }, '/resourceLimits/mem'],
    ['secrets without the feature', { secrets: { a: { source: 'b' } } }, '/secrets'],
    ['a secret in the environment', { env: { A: { secret: 'a' } } }, '/env/A/secret'],
    ['a uri that is none', { fetch: [{ uri: 'http://a b' }] }, '/fetch(0)/uri'],
    ['a uri with a broken escape', { fetch: [{ uri: 'http://a/%zz' }] }, '/fetch(0)/uri'],
    [
      'an expunge before inactivity',
      { unreachableStrategy: { inactiveAfterSeconds: 6, expungeAfterSeconds: 5 } },
      '/unreachableStrategy',
    ],
    ['a Docker container without image', { container: { type: 'DOCKER' } }, '/container/docker'],
    [
      'a pull secret for the Docker engine',
      { container: { docker: { ...IMAGE, pullConfig: { secret: 's' } } } },
      '/container/docker/pullConfig',
    ],
    [
      'parameters for Mesos',
      {
        container: { type: 'MESOS', docker: { ...IMAGE, parameters: [{ key: 'a', value: 'b' }] } },
      },
      '/container/docker/parameters',
    ],
    [
      'privileges for Mesos',
      { container: { type: 'MESOS', docker: { ...IMAGE, privileged: true } } },
      '/container/docker/privileged',
    ],
    [
      'persistent volumes',
      {
        container: {
          type: 'MESOS',
          volumes: [{ containerPath: 'a', mode: 'RW', persistent: { size: 1 } }],
        },
      },
      '/container/volumes(0)/persistent',
    ],
    [
      'external volumes',
      { container: { type: 'MESOS', volumes: [{ external: {} }] } },
      '/container/volumes(0)/external',
    ],
    [
      'secret volumes',
      { container: { type: 'MESOS', volumes: [{ secret: 'a' }] } },
      '/container/volumes(0)/secret',
    ],
    [
      'seccomp without a profile',
      { container: { ...DOCKER, linuxInfo: { seccomp: {} } } },
      '/container/linuxInfo/seccomp',
    ],
    [
      'seccomp with both',
      { container: { ...DOCKER, linuxInfo: { seccomp: { profileName: 'a', unconfined: true } } } },
      '/container/linuxInfo/seccomp',
    ],
    [
      'shared memory of the parent',
      { container: { ...DOCKER, linuxInfo: { ipcInfo: { mode: 'SHARE_PARENT', shmSize: 1 } } } },
      '/container/linuxInfo/ipcInfo/shmSize',
    ],
    ['mixed networks', { networks: [{ mode: 'host' }, { name: 'a' }] }, '/networks'],
    ['two bridges', { networks: [...BRIDGE, ...BRIDGE] }, '/networks'],
    ['a network twice', { networks: [{ name: 'a' }, { name: 'a' }] }, '/networks'],
    [
      'two networks with the Docker engine',
      { networks: [{ name: 'a' }, { name: 'b' }], container: DOCKER },
      '/networks',
    ],
    ['a named host network', { networks: [{ mode: 'host', name: 'a' }] }, '/networks(0)/name'],
    [
      'a labelled host network',
      { networks: [{ mode: 'host', labels: { a: 'b' } }] },
      '/networks(0)/labels',
    ],
    [
      'a named bridge',
      { networks: [{ mode: 'container/bridge', name: 'a' }] },
      '/networks(0)/name',
    ],
    ['a container network without name', { networks: [{}] }, '/networks(0)/name'],
    [
      'mappings on the host',
      { container: { ...DOCKER, portMappings: [{}] } },
      '/container/portMappings',
    ],
    ['definitions on a bridge', { networks: BRIDGE, portDefinitions: [{}] }, '/portDefinitions'],
    ['a port name twice', { portDefinitions: [{ name: 'a' }, { name: 'a' }] }, '/portDefinitions'],
    ['a port twice', { portDefinitions: [{ port: 80 }, { port: 80 }] }, '/portDefinitions'],
    ['a mapping name twice', mapped({ name: 'a' }, { name: 'a' }), '/container/portMappings'],
    [
      'a service port twice',
      mapped({ servicePort: 1 }, { servicePort: 1 }),
      '/container/portMappings',
    ],
    [
      'an unknown network of a mapping',
      mapped({ networkNames: ['x'] }),
      '/container/portMappings(0)/networkNames',
    ],
    [
      'a host port on which of two networks',
      {
        networks: [{ name: 'a' }, { name: 'b' }],
        container: { type: 'MESOS', portMappings: [{ hostPort: 0 }] },
      },
      '/container/portMappings(0)/networkNames',
    ],
    [
      'a check of a port that is not there',
      { healthChecks: [{ portIndex: 1 }] },
      '/healthChecks(0)',
    ],
    ['a check without ports', { portDefinitions: [], healthChecks: [{}] }, '/healthChecks(0)'],
    [
      'a command check without command',
      { healthChecks: [{ protocol: 'COMMAND' }] },
      '/healthChecks(0)',
    ],
    [
      'a command check with a path',
      { healthChecks: [{ protocol: 'COMMAND', command: { value: 'a' }, path: '/' }] },
      '/healthChecks(0)',
    ],
    [
      'a command check with a port',
      { healthChecks: [{ protocol: 'COMMAND', command: { value: 'a' }, port: 1 }] },
      '/healthChecks(0)',
    ],
    ['a command for HTTP', { healthChecks: [{ command: { value: 'a' } }] }, '/healthChecks(0)'],
    ['a path for TCP', { healthChecks: [{ protocol: 'TCP', path: '/' }] }, '/healthChecks(0)'],
    [
      '1xx for TCP',
      { healthChecks: [{ protocol: 'TCP', ignoreHttp1xx: true }] },
      '/healthChecks(0)',
    ],
    [
      'IPv6 on the host',
      { healthChecks: [{ protocol: 'MESOS_TCP', ipProtocol: 'IPv6' }] },
      '/healthChecks(0)',
    ],
    [
      'two Mesos checks',
      { healthChecks: [{ protocol: 'MESOS_TCP' }, { protocol: 'MESOS_HTTP' }] },
      '/healthChecks',
    ],
    ['a generic check of nothing', { check: {} }, '/check'],
    ['a generic check of two things', { check: { tcp: {}, http: {} } }, '/check'],
    ['a generic check of a missing port', { check: { tcp: { portIndex: 3 } } }, '/check'],
    ['a generic check without a command', { check: { exec: { command: { argv: [] } } } }, '/check'],
    ['a generic check with the Docker engine', { container: DOCKER, check: { tcp: {} } }, '/check'],
    [
      'two readiness checks',
      { portDefinitions: [{ name: 'http-api' }], readinessChecks: [{}, {}] },
      '/readinessChecks',
    ],
    ['readiness of an unknown port', { readinessChecks: [{}] }, '/readinessChecks(0)/portName'],
    [
      'readiness with a long time-out',
      { portDefinitions: [{ name: 'http-api' }], readinessChecks: [{ timeoutSeconds: 30 }] },
      '/readinessChecks(0)/timeoutSeconds',
    ],
    [
      'readiness without codes',
      {
        portDefinitions: [{ name: 'http-api' }],
        readinessChecks: [{ httpStatusCodesForReady: [] }],
      },
      '/readinessChecks(0)/httpStatusCodesForReady',
    ],
    [
      'an unknown migration API',
      {
        labels: {
          DCOS_MIGRATION_API_VERSION: 'v2',
          DCOS_PACKAGE_FRAMEWORK_NAME: 'a',
          DCOS_MIGRATION_API_PATH: '/',
        },
      },
      '/labels/DCOS_MIGRATION_API_VERSION',
    ],
    [
      'a migration API without path',
      { labels: { DCOS_MIGRATION_API_VERSION: 'v1', DCOS_PACKAGE_FRAMEWORK_NAME: 'a' } },
      '/labels/DCOS_MIGRATION_API_PATH',
    ],
    [
      'an unknown GPU behaviour',
      { labels: { GPU_SCHEDULING_BEHAVIOR: 'free' } },
      '/labels/GPU_SCHEDULING_BEHAVIOR',
    ],
  ])('%s', (_name, fields, path) => {
    const result = create(fields);
    expect(problemOf(result)).toMatchObject({
      status: 422,
      body: { message: 'Object is not valid' },
    });
    expect(Object.keys(detailsOf(result))).toEqual([path]);
  });

  test('more than one instance with the single-instance label', () => {
    const result = create({ instances: 2, labels: { MARATHON_SINGLE_INSTANCE_APP: 'true' } });
    expect(Object.keys(detailsOf(result))).toEqual(['/instances', '/upgradeStrategy']);
  });

  test('neither command nor image, in the words that clients look for', () => {
    expect(JSON.stringify(detailsOf(create({ cmd: null })))).toContain(
      "AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'.",
    );
  });

  test('a role says what it could be', () => {
    expect(detailsOf(create({ role: 'other', id: '/shop/web' }))).toEqual({
      '/role': ['got other, expected one of: [*, shop]'],
    });
  });
});

describe('with features', () => {
  test('gpus, but not with the Docker engine', () => {
    expect(create({ gpus: 1 }, features('gpu_resources')).ok).toBe(true);
    const docker = create({ gpus: 1, container: DOCKER }, features('gpu_resources'));
    expect(Object.keys(detailsOf(docker))).toEqual(['/gpus']);
  });

  test('secrets, when they are declared', () => {
    const env = { A: { secret: 'a' } };
    const secrets = { a: { source: '/vault/a' } };
    expect(create({ env, secrets }, features('secrets')).ok).toBe(true);
    expect(detailsOf(create({ env }, features('secrets')))).toEqual({
      '/env/A/secret': ["references an undefined secret named 'a'"],
    });
    expect(
      Object.keys(detailsOf(create({ env: { A: { secret: 'toString' } } }, features('secrets')))),
    ).toEqual(['/env/A/secret']);
  });
});
