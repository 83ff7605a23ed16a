/** Requests for apps that satisfy all rules, in the present and in the legacy notation. */

import fc from 'fast-check';
import type { JsonObject } from '@dcos/base';

const name = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,6}[a-z0-9])?$/);
const texts = fc.dictionary(fc.string({ maxLength: 5 }), fc.string({ maxLength: 8 }), {
  maxKeys: 3,
});
const environment = fc.dictionary(
  fc.string({ minLength: 1, maxLength: 5 }),
  fc.string({ maxLength: 8 }),
  { maxKeys: 3 },
);
const port = fc.constantFrom(0, 0, 80, 8080);
const protocol = fc.constantFrom('tcp', 'udp', 'udp,tcp');

function present<T extends object>(fields: { [Field in keyof T]: fc.Arbitrary<T[Field]> }) {
  return fc.record(fields, { requiredKeys: [] });
}

const definition = present({ protocol, labels: texts });
const mapping = present({ containerPort: port, hostPort: port, protocol, labels: texts });

const command = fc.oneof(
  fc.record({ cmd: fc.string({ minLength: 2, maxLength: 20 }) }),
  fc.record({ args: fc.array(fc.string({ maxLength: 8 }), { minLength: 1, maxLength: 3 }) }),
);

const image = present({ forcePullImage: fc.boolean(), privileged: fc.boolean() });

const networking: fc.Arbitrary<JsonObject> = fc.oneof(
  present({ portDefinitions: fc.array(definition, { maxLength: 3 }), requirePorts: fc.boolean() }),
  present({ ports: fc.uniqueArray(fc.integer({ min: 1, max: 9999 }), { maxLength: 3 }) }),
  fc
    .record({
      mode: fc.constantFrom('BRIDGE', 'HOST'),
      portMappings: fc.option(fc.array(mapping, { maxLength: 3 }), { nil: null }),
      docker: image,
    })
    .map(({ mode, portMappings, docker }) => ({
      container: {
        type: 'DOCKER',
        docker: { ...docker, image: 'a/b:1', network: mode, portMappings },
      },
    })),
  fc
    .record({
      network: fc.constantFrom(
        { mode: 'container/bridge' },
        { mode: 'container', name: 'blue', labels: { a: 'b' } },
      ),
      portMappings: fc.option(fc.array(mapping, { maxLength: 3 }), { nil: null }),
      container: fc.boolean(),
    })
    .map(({ network, portMappings, container }) => ({
      networks: [network],
      ...(container
        ? {
            container: {
              type: 'MESOS',
              docker: { image: 'a' },
              portMappings,
              volumes: [{ containerPath: 'a', hostPath: '/b', mode: 'RW' }],
            },
          }
        : {}),
    })),
);

const rest: fc.Arbitrary<JsonObject> = present({
  instances: fc.integer({ min: 0, max: 100 }),
  cpus: fc.double({ min: 0.001, max: 64, noNaN: true }),
  mem: fc.double({ min: 0, max: 4096, noNaN: true }),
  disk: fc.integer({ min: 0, max: 10 }),
  user: fc.string({ maxLength: 5 }),
  env: environment,
  labels: texts,
  constraints: fc.array(
    fc.constantFrom(['hostname', 'unique'], ['rack', 'LIKE', 'a.*'], ['x', 'GROUP_BY', '2']),
    { maxLength: 2 },
  ),
  acceptedResourceRoles: fc.constant(['*']),
  uris: fc.array(fc.constantFrom('http://a/b.zip', 'file:///x'), { maxLength: 2 }),
  healthChecks: fc.array(
    fc.constantFrom(
      { protocol: 'COMMAND', command: { value: 'true' } },
      { protocol: 'TCP', port: 80 },
      { protocol: 'HTTP', path: '/', port: 80, ignoreHttp1xx: true },
    ),
    { maxLength: 2 },
  ),
  executorResources: present({ cpus: fc.double({ min: 0.1, max: 4, noNaN: true }) }),
  resourceLimits: fc.constant({ mem: 'unlimited' }),
  upgradeStrategy: fc.constant({ minimumHealthCapacity: 0.5, maximumOverCapacity: 0 }),
  unreachableStrategy: fc.constantFrom('disabled', { expungeAfterSeconds: 3 }),
  killSelection: fc.constantFrom('YOUNGEST_FIRST', 'OLDEST_FIRST'),
  taskKillGracePeriodSeconds: fc.integer({ min: 0, max: 10 }),
  backoffFactor: fc.double({ min: 1, max: 3, noNaN: true }),
  tty: fc.boolean(),
});

/** An app in the root group or in a group below it. */
export const arbitraryApp: fc.Arbitrary<JsonObject & { readonly id: string }> = fc
  .record({ path: fc.array(name, { minLength: 1, maxLength: 3 }), command, networking, rest })
  .map(({ path, command, networking, rest }) => ({
    ...rest,
    ...networking,
    ...command,
    // `x` in front keeps the names away from the words that are reserved.
    id: `/${path.map((segment) => `x${segment}`).join('/')}`,
  }));
