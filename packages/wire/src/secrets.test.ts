import { expect, test } from 'vitest';
import type { ExecutorInfo, Secret } from './generated/mesos.ts';
import { withoutSecrets } from './secrets.ts';

const SECRET: Secret = { type: 'VALUE', value: { data: Uint8Array.of(1, 2) } };
const REFERENCE: Secret = { type: 'REFERENCE', reference: { name: '/password' } };

const infoWith = (secret: Secret): ExecutorInfo => ({
  executor_id: { value: 'e' },
  command: {
    value: 'x',
    environment: {
      variables: [
        { name: 'A', value: 'a' },
        { name: 'S', type: 'SECRET', secret },
      ],
    },
  },
  container: {
    type: 'MESOS',
    mesos: { image: { type: 'DOCKER', docker: { name: 'i', config: secret } } },
    volumes: [{ mode: 'RO', container_path: 'p', source: { type: 'SECRET', secret } }],
  },
  data: Uint8Array.of(3),
});

test('values of secrets are left out wherever they are', () => {
  expect(withoutSecrets(infoWith(SECRET))).toEqual(infoWith({ type: 'VALUE' }));
});

test('what holds none is given back itself, names of secrets included', () => {
  const info = infoWith(REFERENCE);
  expect(withoutSecrets(info)).toBe(info);
  expect(withoutSecrets(undefined)).toBeUndefined();
});
