import { describe, expect, test } from 'vitest';
import { created, FIRST } from './testing/fixtures.ts';

describe('defaults', () => {
  test('of the smallest app', () => {
    expect(created({})).toEqual({
      id: '/app',
      cmd: 'sleep 1',
      args: [],
      instances: 1,
      cpus: 1,
      mem: 128,
      disk: 0,
      gpus: 0,
      executor: '',
      env: {},
      labels: {},
      secrets: {},
      constraints: [],
      role: '*',
      networks: [{ mode: 'host', labels: {} }],
      portDefinitions: [{ port: 10_000, protocol: 'tcp', name: 'default', labels: {} }],
      requirePorts: false,
      fetch: [],
      healthChecks: [],
      readinessChecks: [],
      dependencies: [],
      upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 1 },
      backoffSeconds: 1,
      backoffFactor: 1.15,
      maxLaunchDelaySeconds: 300,
      killSelection: 'YOUNGEST_FIRST',
      unreachableStrategy: { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 },
      version: FIRST,
      versionInfo: { lastScalingAt: FIRST, lastConfigChangeAt: FIRST },
    });
  });

  test('of a bridge network: a Mesos container with one port on the host', () => {
    const app = created({ networks: [{ mode: 'container/bridge' }], requirePorts: true });
    expect(app.portDefinitions).toEqual([]);
    expect(app.requirePorts).toBe(false);
    expect(app.container).toEqual({
      type: 'MESOS',
      volumes: [],
      portMappings: [
        {
          containerPort: 0,
          hostPort: 0,
          servicePort: 10_000,
          protocol: 'tcp',
          name: 'default',
          labels: {},
          networkNames: [],
        },
      ],
    });
  });

  test('of a container network: no port on the host unless asked for', () => {
    const networks = [{ mode: 'container', name: 'blue' }];
    expect(created({ networks }).container?.portMappings[0]).not.toHaveProperty('hostPort');
    const container = {
      type: 'MESOS',
      portMappings: [{ containerPort: 80 }, { containerPort: 81, hostPort: 0 }],
    };
    expect(created({ networks, container }).container?.portMappings).toMatchObject([
      { containerPort: 80, servicePort: 10_000 },
      { containerPort: 81, hostPort: 0, servicePort: 10_001 },
    ]);
    expect(
      created({ networks, container: { type: 'MESOS', portMappings: [] } }).container?.portMappings,
    ).toEqual([]);
  });

  test('the default network fills in for a missing name', () => {
    expect(created({ networks: [{}] }, { defaultNetworkName: 'dcos' }).networks).toEqual([
      { mode: 'container', name: 'dcos', labels: {} },
    ]);
  });

  test('no ports are not the same as ports left out', () => {
    expect(created({ portDefinitions: [] }).portDefinitions).toEqual([]);
  });

  test('of health checks, with the first port where there is one', () => {
    expect(created({ healthChecks: [{}] }).healthChecks).toEqual([
      {
        protocol: 'HTTP',
        portIndex: 0,
        gracePeriodSeconds: 300,
        intervalSeconds: 60,
        timeoutSeconds: 20,
        maxConsecutiveFailures: 3,
        delaySeconds: 15,
        ignoreHttp1xx: false,
        ipProtocol: 'IPv4',
      },
    ]);
    const check = { protocol: 'TCP', port: 8080 };
    expect(created({ healthChecks: [check] }).healthChecks[0]).not.toHaveProperty('portIndex');
    const command = { protocol: 'COMMAND', command: { value: 'true' } };
    expect(created({ healthChecks: [command] }).healthChecks[0]).not.toHaveProperty('portIndex');
  });

  test('of executor resources, fetch, readiness checks and the strategy for lost agents', () => {
    const app = created({
      executorResources: { mem: 64 },
      fetch: [{ uri: 'http://a/b' }],
      portDefinitions: [{ name: 'http-api' }],
      readinessChecks: [{}],
      unreachableStrategy: { expungeAfterSeconds: 5 },
    });
    expect(app.executorResources).toEqual({ cpus: 0.1, mem: 64, disk: 10 });
    expect(app.fetch).toEqual([
      { uri: 'http://a/b', extract: true, executable: false, cache: false },
    ]);
    expect(app.readinessChecks).toEqual([
      {
        name: 'readinessCheck',
        protocol: 'HTTP',
        path: '/',
        portName: 'http-api',
        intervalSeconds: 30,
        timeoutSeconds: 10,
        httpStatusCodesForReady: [200],
        preserveLastResponse: false,
      },
    ]);
    expect(app.unreachableStrategy).toEqual({ inactiveAfterSeconds: 0, expungeAfterSeconds: 5 });
  });
});
