import { describe, expect, test } from 'vitest';
import type { JsonObject } from '@dcos/base';
import { create, created, detailsOf } from './testing/fixtures.ts';

const IMAGE = { image: 'python:3' };

describe('the legacy notation', () => {
  test('the app of the talks', () => {
    const app = created(
      {
        id: 'webserver',
        cmd: 'python3 -m http.server 8080',
        cpus: 0.5,
        mem: 32.0,
        container: {
          type: 'DOCKER',
          docker: {
            image: 'python:3',
            network: 'BRIDGE',
            portMappings: [{ containerPort: 8080, hostPort: 0 }],
          },
        },
        acceptedResourceRoles: ['slave_public'],
        constraints: [['hostname', 'UNIQUE']],
      },
      { mesosRole: 'slave_public' },
    );
    expect(app).toMatchObject({
      id: '/webserver',
      role: 'slave_public',
      acceptedResourceRoles: ['slave_public'],
      instances: 1,
      networks: [{ mode: 'container/bridge', labels: {} }],
      portDefinitions: [],
      requirePorts: false,
      constraints: [{ field: 'hostname', operator: 'UNIQUE' }],
    });
    expect(app.container).toEqual({
      type: 'DOCKER',
      docker: { image: 'python:3', forcePullImage: false, privileged: false, parameters: [] },
      portMappings: [
        {
          containerPort: 8080,
          hostPort: 0,
          servicePort: 10_000,
          protocol: 'tcp',
          labels: {},
          networkNames: [],
        },
      ],
      volumes: [],
    });
  });

  test('HOST drops port mappings', () => {
    const app = created({
      container: { docker: { ...IMAGE, network: 'HOST', portMappings: [{ containerPort: 80 }] } },
    });
    expect(app.networks).toEqual([{ mode: 'host', labels: {} }]);
    expect(app.container?.portMappings).toEqual([]);
    expect(app.portDefinitions).toEqual([
      { port: 10_000, protocol: 'tcp', name: 'default', labels: {} },
    ]);
  });

  test('USER takes its network from ipAddress, or the default one', () => {
    const container = { docker: { ...IMAGE, network: 'USER' } };
    expect(
      created({ container, ipAddress: { networkName: 'blue', labels: { a: 'b' } } }).networks,
    ).toEqual([{ mode: 'container', name: 'blue', labels: { a: 'b' } }]);
    expect(created({ container }, { defaultNetworkName: 'dcos' }).networks).toEqual([
      { mode: 'container', name: 'dcos', labels: {} },
    ]);
    expect(detailsOf(create({ container }))).toEqual({
      '/networks(0)/name': ['Network name must be specified when container network is selected.'],
    });
  });

  test('ipAddress alone is a container network without an image, or the bridge', () => {
    const app = created({
      ipAddress: {
        networkName: 'blue',
        discovery: { ports: [{ number: 80, name: 'http', protocol: 'tcp', labels: { a: 'b' } }] },
      },
    });
    expect(app.networks).toEqual([{ mode: 'container', name: 'blue', labels: {} }]);
    expect(app.container).toEqual({
      type: 'MESOS',
      volumes: [],
      portMappings: [
        {
          containerPort: 80,
          servicePort: 10_000,
          protocol: 'tcp',
          name: 'http',
          labels: { a: 'b' },
          networkNames: [],
        },
      ],
    });
    expect(created({ ipAddress: { networkName: 'mesos-bridge' } }).networks).toEqual([
      { mode: 'container/bridge', labels: {} },
    ]);
  });

  test('ports become port definitions', () => {
    expect(created({ ports: [0, 8080] }).portDefinitions).toEqual([
      { port: 10_000, protocol: 'tcp', labels: {} },
      { port: 8080, protocol: 'tcp', labels: {} },
    ]);
    expect(created({ ports: [] }).portDefinitions).toEqual([]);
  });

  test('a definition as a 1.4 server shows it', () => {
    const app = created({
      ports: [10_101, 10_102],
      portDefinitions: [{ port: 10_101 }, { port: 10_102 }],
      ipAddress: null,
      uris: [],
      fetch: [],
      storeUrls: [],
      args: null,
      container: {
        type: 'DOCKER',
        volumes: [],
        docker: {
          ...IMAGE,
          network: 'BRIDGE',
          portMappings: [{ containerPort: 80, hostPort: 0, servicePort: 10_101, name: null }],
          privileged: false,
          parameters: [],
        },
      },
    });
    expect(app.portDefinitions).toEqual([]);
    expect(app.container?.portMappings).toMatchObject([
      { containerPort: 80, servicePort: 10_101 },
      { containerPort: 0, hostPort: 0, servicePort: 10_000 },
    ]);
  });

  test.each([
    ['http://x/a.tgz', true],
    ['http://x/a.tar.gz?v=1', true],
    ['http://x/a.tar.xz', true],
    ['http://x/a.zip#top', true],
    ['http://x/a.jar', false],
    ['http://x/a?f=b.zip', false],
  ])('the uri %s is extracted: %s', (uri, extract) => {
    expect(created({ uris: [uri] }).fetch).toEqual([
      { uri, extract, executable: false, cache: false },
    ]);
  });

  test.each<[JsonObject, string]>([
    [{ container: { docker: { ...IMAGE, network: 'HOST' } }, networks: [{ mode: 'host' }] }, '/'],
    [{ ipAddress: { networkName: 'a' }, networks: [{ mode: 'host' }] }, '/'],
    [{ ipAddress: { networkName: 'a' }, ports: [0] }, '/'],
    [{ ipAddress: { networkName: 'a' }, portDefinitions: [{}] }, '/'],
    [{ uris: ['http://a'], fetch: [{ uri: 'http://b' }] }, '/'],
    [{ ports: [1], portDefinitions: [{ port: 2 }] }, '/'],
    [{ ports: [8080, 8080] }, '/ports'],
    [{ container: { docker: { ...IMAGE, network: 'NONE' } } }, '/container/docker/network'],
    [
      { container: { type: 'MESOS', docker: { ...IMAGE, network: 'HOST' } } },
      '/container/docker/network',
    ],
    [
      { container: { docker: { ...IMAGE, credential: { principal: 'a' } } } },
      '/container/docker/credential',
    ],
    [
      {
        container: { portMappings: [], docker: { ...IMAGE, network: 'BRIDGE', portMappings: [] } },
      },
      '/container',
    ],
    [
      {
        ipAddress: { networkName: 'a', discovery: { ports: [{ number: 1, name: 'a' }] } },
        container: { docker: IMAGE },
      },
      '/ipAddress/discovery/ports',
    ],
  ])('%j is refused at %s', (fields, path) => {
    expect(Object.keys(detailsOf(create(fields)))).toEqual([path]);
  });
});
