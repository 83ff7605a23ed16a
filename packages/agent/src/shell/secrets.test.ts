import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '@dcos/base';
import type { ContainerSpec } from '@dcos/containers';
import { temporaryDirectory } from '@dcos/testkit';
import type { Environment_Variable, Secret, Volume } from '@dcos/wire';
import { ContainerSecrets, refuseReferences, type SecretResolver } from './secrets.ts';

let directory: ReturnType<typeof temporaryDirectory>;
beforeEach(() => (directory = temporaryDirectory('secrets')));
afterEach(() => directory.remove());

const valueOf = (bytes: Uint8Array | string): Secret => ({
  type: 'VALUE',
  value: { data: typeof bytes === 'string' ? Buffer.from(bytes) : bytes },
});
const REFERENCE: Secret = { type: 'REFERENCE', reference: { name: 'db/password' } };

function secrets(resolve: SecretResolver = refuseReferences): ContainerSecrets {
  const place = join(directory.path, 'secrets');
  return new ContainerSecrets({ directory: place, resolve, logger: silentLogger });
}

function specWith(
  variables: readonly Environment_Variable[],
  volumes: readonly Volume[] = [],
): ContainerSpec {
  return {
    id: 'c1',
    sandboxPath: '/sandbox',
    command: { value: 'x', environment: { variables } },
    container: { type: 'MESOS', volumes },
    environment: { A: 'a' },
    cpus: 0,
    memoryBytes: 0,
  };
}

const variable = (secret: Secret): Environment_Variable => ({ name: 'S', type: 'SECRET', secret });
const file = (secret: Secret): Volume => ({
  mode: 'RO',
  container_path: 'password',
  source: { type: 'SECRET', secret },
});

test('a variable gets the text of its secret', async () => {
  const { environment } = await secrets().equip(specWith([variable(valueOf('geheim'))]), 'agent');
  expect(environment).toEqual({ A: 'a', S: 'geheim' });
});

test('references are looked up', async () => {
  const resolver: SecretResolver = async ({ name }) =>
    await Promise.resolve(Buffer.from(`of ${name}`));
  const equipped = await secrets(resolver).equip(specWith([variable(REFERENCE)]), 'agent');
  expect(equipped.environment['S']).toBe('of db/password');
});

test.each<[string, Secret, RegExp]>([
  [
    'a reference without a store',
    REFERENCE,
    /'db\/password' is a reference, and this agent has no/,
  ],
  ['no text', valueOf(Uint8Array.of(0xff)), /the secret for S is no text; have it as a file/],
  ['a NUL', valueOf('a\0b'), /the secret for S holds a NUL character/],
  ['an empty one', { type: 'VALUE' }, /lacks what the type needs/],
])('%s: refused', async (_what, secret, message) => {
  await expect(secrets().equip(specWith([variable(secret)]), 'agent')).rejects.toThrow(message);
});

test.each([
  ['agent', 0o400],
  ['container', 0o444],
] as const)('a file is there for %s until the container is removed', async (reader, mode) => {
  const bytes = Uint8Array.of(0, 255);
  const equipped = await secrets().equip(specWith([], [file(valueOf(bytes))]), reader);
  const [volume] = equipped.container?.volumes ?? [];
  expect(volume).toMatchObject({ mode: 'RO', container_path: 'password' });
  const path = volume?.source?.host_path?.path ?? '';
  expect(new Uint8Array(readFileSync(path))).toEqual(bytes);
  expect(statSync(path).mode & 0o777).toBe(mode);
  expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
  await secrets().remove('c1');
  expect(existsSync(dirname(path))).toBe(false);
});

test('files of containers that nobody knows are deleted', async () => {
  await secrets().keepOnly(new Set());
  const equipped = await secrets().equip(specWith([], [file(valueOf('x'))]), 'agent');
  const path = equipped.container?.volumes?.[0]?.source?.host_path?.path ?? '';
  const lost = join(directory.path, 'secrets', 'lost');
  mkdirSync(lost);
  await secrets().keepOnly(new Set(['c1']));
  expect([existsSync(path), existsSync(lost)]).toEqual([true, false]);
});

test('a container that was found again does without what cannot be had any more', async () => {
  const spec = specWith([variable(REFERENCE)]);
  expect(await secrets().equipAgain(spec)).toBe(spec);
});
