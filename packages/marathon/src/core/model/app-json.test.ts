import { describe, expect, test } from 'vitest';
import { appToJson, groupToJson } from './app-json.ts';
import { findGroup } from './group.ts';
import { created, FIRST, treeOf } from './testing/fixtures.ts';

describe('an app as it is shown', () => {
  test('in host mode, without the fields that are empty', () => {
    expect(appToJson(created({ acceptedResourceRoles: ['*'], user: 'peter' }))).toEqual({
      id: '/app',
      acceptedResourceRoles: ['*'],
      backoffFactor: 1.15,
      backoffSeconds: 1,
      cmd: 'sleep 1',
      cpus: 1,
      disk: 0,
      executor: '',
      instances: 1,
      labels: {},
      maxLaunchDelaySeconds: 300,
      mem: 128,
      gpus: 0,
      networks: [{ mode: 'host' }],
      portDefinitions: [{ port: 10_000, name: 'default', protocol: 'tcp' }],
      requirePorts: false,
      role: '*',
      upgradeStrategy: { maximumOverCapacity: 1, minimumHealthCapacity: 1 },
      user: 'peter',
      version: FIRST,
      versionInfo: { lastScalingAt: FIRST, lastConfigChangeAt: FIRST },
      killSelection: 'YOUNGEST_FIRST',
      unreachableStrategy: { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 },
    });
  });

  test('in bridge mode, always in the present notation', () => {
    const docker = { image: 'nginx', network: 'BRIDGE', portMappings: [{ containerPort: 80 }] };
    const json = appToJson(
      created({ container: { docker }, constraints: [['rack', 'like', 'a']] }),
    );
    expect(json).not.toHaveProperty('portDefinitions');
    expect(json).toMatchObject({
      constraints: [['rack', 'LIKE', 'a']],
      networks: [{ mode: 'container/bridge' }],
    });
    expect(json.container).toEqual({
      type: 'DOCKER',
      docker: { forcePullImage: false, image: 'nginx', parameters: [], privileged: false },
      volumes: [],
      portMappings: [
        { containerPort: 80, hostPort: 0, labels: {}, protocol: 'tcp', servicePort: 10_000 },
      ],
    });
  });

  test('health checks show what matters for their protocol', () => {
    const seconds = {
      gracePeriodSeconds: 300,
      intervalSeconds: 60,
      timeoutSeconds: 20,
      maxConsecutiveFailures: 3,
      delaySeconds: 15,
    };
    const healthChecks = [
      { path: '/a' },
      { protocol: 'TCP' },
      { protocol: 'COMMAND', command: { value: 'true' } },
    ];
    expect(appToJson(created({ healthChecks })).healthChecks).toEqual([
      { ...seconds, protocol: 'HTTP', path: '/a', portIndex: 0, ignoreHttp1xx: false },
      { ...seconds, protocol: 'TCP', portIndex: 0 },
      { ...seconds, protocol: 'COMMAND', command: { value: 'true' } },
    ]);
    expect(appToJson(created({ healthChecks: [{ protocol: 'MESOS_HTTP' }] })).healthChecks).toEqual(
      [{ ...seconds, protocol: 'MESOS_HTTP', portIndex: 0, ipProtocol: 'IPv4' }],
    );
  });
});

describe('a group as it is shown', () => {
  const root = treeOf({ id: '/shop/web' });

  test('with apps and groups', () => {
    const json = groupToJson(root, { app: ({ id }) => ({ id }), groups: true });
    expect(json).toEqual({
      id: '/',
      apps: [],
      dependencies: [],
      groups: [
        {
          id: '/shop',
          apps: [{ id: '/shop/web' }],
          dependencies: [],
          enforceRole: false,
          groups: [],
          pods: [],
          version: FIRST,
        },
      ],
      pods: [],
      version: FIRST,
    });
  });

  test('without them', () => {
    const group = findGroup(root, '/shop') ?? root;
    expect(groupToJson(group, { groups: false })).toEqual({
      id: '/shop',
      dependencies: [],
      enforceRole: false,
      version: FIRST,
    });
  });
});
