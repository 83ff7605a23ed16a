import { describe, expect, test } from 'vitest';
import type { JsonObject } from '@dcos/base';
import { createApp } from './app-requests.ts';
import { contextAt, create, detailsOf, EMPTY, FIRST, problemOf } from './testing/fixtures.ts';

function createFrom(body: string) {
  return createApp(EMPTY, body, contextAt(FIRST));
}

describe('bodies', () => {
  test.each(['', '  \n'])('%j is an empty body', (body) => {
    const { status, body: answer } = problemOf(createFrom(body));
    expect(status).toBe(400);
    expect(answer.message).toBe('Please specify data in JSON format');
    expect(answer.details).toBeTypeOf('string');
  });

  test('what is no JSON is answered with the text of the parser', () => {
    const { status, body } = problemOf(createFrom('{"id": "/a",}'));
    expect(status).toBe(400);
    expect(body.message).toBe('Invalid JSON');
    expect(body.details).toMatch(/JSON/);
  });

  test('wrong types are answered with 422', () => {
    const { status, body } = problemOf(createFrom('{"id": 5}'));
    expect(status).toBe(422);
    expect(body).toEqual({
      message: 'Invalid JSON',
      details: [{ path: '/id', errors: ['error.expected.jsstring'] }],
    });
  });

  test.each(['[]', '5', 'null', '"x"'])('%s is no app', (body) => {
    expect(detailsOf(createFrom(body))).toEqual({ '/': ['error.expected.jsobject'] });
  });

  test('an app must have an id, and null is none', () => {
    expect(detailsOf(createFrom('{"cmd":"sleep 1"}'))).toEqual({ '/id': ['error.path.missing'] });
    expect(detailsOf(createFrom('{"id":null}'))).toEqual({ '/id': ['error.path.missing'] });
  });

  test('all wrong places are named at once, and nothing of the prototype is a field', () => {
    const result = createFrom(
      '{"id":"/a","cmd":7,"cpus":"1","args":{},"env":[],"labels":{"a":1},"__proto__":{"mem":"x"}}',
    );
    expect(detailsOf(result)).toEqual({
      '/cmd': ['error.expected.jsstring'],
      '/cpus': ['error.expected.jsnumber'],
      '/args': ['error.expected.jsarray'],
      '/env': ['error.expected.jsobject'],
      '/labels/a': ['error.expected.jsstring'],
    });
  });
});

describe('fields', () => {
  test.each<[JsonObject, string, string]>([
    [{ id: '' }, '/id', 'error.minLength'],
    [{ id: '/A' }, '/id', 'error.pattern'],
    [{ cmd: '' }, '/cmd', 'error.minLength'],
    [{ args: ['a', 1] }, '/args(1)', 'error.expected.jsstring'],
    [{ instances: -1 }, '/instances', 'error.min'],
    [{ instances: 1.5 }, '/instances', 'error.expected.int'],
    [{ instances: 2 ** 31 }, '/instances', 'error.expected.int'],
    [{ instances: '1' }, '/instances', 'error.expected.jsnumber'],
    [{ cpus: 0 }, '/cpus', 'error.min'],
    [{ mem: -0.1 }, '/mem', 'error.min'],
    [{ disk: -1 }, '/disk', 'error.min'],
    [{ gpus: 0.5 }, '/gpus', 'error.expected.int'],
    [{ executor: 'a//b' }, '/executor', 'error.pattern'],
    [{ executorResources: { cpus: 0.05 } }, '/executorResources/cpus', 'error.min'],
    [{ executorResources: { mem: 31 } }, '/executorResources/mem', 'error.min'],
    [{ executorResources: { disk: 9 } }, '/executorResources/disk', 'error.min'],
    [{ env: { A: 1 } }, '/env/A', 'error.expected.jsstring'],
    [{ env: { A: {} } }, '/env/A/secret', 'error.path.missing'],
    [{ secrets: { a: {} } }, '/secrets/a/source', 'error.path.missing'],
    [{ secrets: { a: { source: '' } } }, '/secrets/a/source', 'error.minLength'],
    [{ acceptedResourceRoles: '*' }, '/acceptedResourceRoles', 'error.expected.jsarray'],
    [{ dependencies: ['/x', '/Y'] }, '/dependencies(1)', 'error.pattern'],
    [{ requirePorts: 'no' }, '/requirePorts', 'error.expected.jsboolean'],
    [{ fetch: [{}] }, '/fetch(0)/uri', 'error.path.missing'],
    [{ fetch: [{ uri: 'x'.repeat(1025) }] }, '/fetch(0)/uri', 'error.maxLength'],
    [
      { upgradeStrategy: { minimumHealthCapacity: 1 } },
      '/upgradeStrategy/maximumOverCapacity',
      'error.path.missing',
    ],
    [
      { upgradeStrategy: { minimumHealthCapacity: 1.1, maximumOverCapacity: 0 } },
      '/upgradeStrategy/minimumHealthCapacity',
      'error.max',
    ],
    [{ backoffSeconds: -1 }, '/backoffSeconds', 'error.min'],
    [{ backoffFactor: 0.9 }, '/backoffFactor', 'error.min'],
    [{ maxLaunchDelaySeconds: -1 }, '/maxLaunchDelaySeconds', 'error.min'],
    [{ taskKillGracePeriodSeconds: -1 }, '/taskKillGracePeriodSeconds', 'error.min'],
    [{ killSelection: 'ANY' }, '/killSelection', 'error.unknown.enum.literal'],
    [{ unreachableStrategy: 'enabled' }, '/unreachableStrategy', 'error.unknown.enum.literal'],
    [{ unreachableStrategy: 5 }, '/unreachableStrategy', 'error.expected.jsobject'],
    [
      { unreachableStrategy: { inactiveAfterSeconds: -1 } },
      '/unreachableStrategy/inactiveAfterSeconds',
      'error.min',
    ],
    [{ resourceLimits: { cpus: 'none' } }, '/resourceLimits/cpus', 'error.unknown.enum.literal'],
    [{ resourceLimits: { mem: -1 } }, '/resourceLimits/mem', 'error.min'],
    [{ tty: 1 }, '/tty', 'error.expected.jsboolean'],
    [{ ports: [70_000] }, '/ports(0)', 'error.max'],
    [{ container: { type: 'OCI' } }, '/container/type', 'error.unknown.enum.literal'],
    [{ container: { docker: {} } }, '/container/docker/image', 'error.path.missing'],
    [{ container: { docker: { image: '' } } }, '/container/docker/image', 'error.minLength'],
    [
      { container: { docker: { image: 'a', network: 'bridge' } } },
      '/container/docker/network',
      'error.unknown.enum.literal',
    ],
    [
      { container: { docker: { image: 'a', parameters: [{ key: '' }] } } },
      '/container/docker/parameters(0)/key',
      'error.minLength',
    ],
    [
      { container: { portMappings: [{ containerPort: 65_536 }] } },
      '/container/portMappings(0)/containerPort',
      'error.max',
    ],
    [
      { container: { portMappings: [{ protocol: 'sctp' }] } },
      '/container/portMappings(0)/protocol',
      'error.unknown.enum.literal',
    ],
    [
      { container: { portMappings: [{ name: 'A' }] } },
      '/container/portMappings(0)/name',
      'error.pattern',
    ],
    [
      { container: { volumes: [{ containerPath: '/a' }] } },
      '/container/volumes(0)/hostPath',
      'error.path.missing',
    ],
    [
      { container: { volumes: [{ containerPath: '/a', hostPath: '/b', mode: 'X' }] } },
      '/container/volumes(0)/mode',
      'error.unknown.enum.literal',
    ],
    [{ networks: [{ mode: 'none' }] }, '/networks(0)/mode', 'error.unknown.enum.literal'],
    [{ networks: [{ name: 'Net' }] }, '/networks(0)/name', 'error.pattern'],
    [{ networks: [{ name: 'a'.repeat(64) }] }, '/networks(0)/name', 'error.maxLength'],
    [{ portDefinitions: [{ port: -1 }] }, '/portDefinitions(0)/port', 'error.min'],
    // Each instance is kept in memory: without a bound one request could end the scheduler.
    [{ instances: 100_001 }, '/instances', 'error.max'],
    [
      { healthChecks: [{ protocol: 'UDP' }] },
      '/healthChecks(0)/protocol',
      'error.unknown.enum.literal',
    ],
    [{ healthChecks: [{ command: {} }] }, '/healthChecks(0)/command/value', 'error.path.missing'],
    [{ check: { exec: { command: {} } } }, '/check/exec/command/argv', 'error.path.missing'],
    [
      { readinessChecks: [{ timeoutSeconds: 0 }] },
      '/readinessChecks(0)/timeoutSeconds',
      'error.min',
    ],
    [
      { ipAddress: { discovery: { ports: [{ name: 'x' }] } } },
      '/ipAddress/discovery/ports(0)/number',
      'error.path.missing',
    ],
  ])('%j is wrong at %s', (fields, path, token) => {
    const result = create(fields);
    expect(problemOf(result).body.message).toBe('Invalid JSON');
    expect(detailsOf(result)).toMatchObject({ [path]: [token] });
  });

  test('unknown fields are ignored', () => {
    expect(create({ tasksRunning: 'many', deployments: 5, versionInfo: {} }).ok).toBe(true);
  });

  test('a number that is too large for a number is none', () => {
    expect(detailsOf(createFrom('{"id":"/a","cmd":"sleep 1","mem":1e999}'))).toEqual({
      '/mem': ['error.expected.jsnumber'],
    });
  });
});
