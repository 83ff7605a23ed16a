/** What a Docker engine pulls for tasks from a registry of the distribution's package, with whose credentials. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import Docker from 'dockerode';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { errorText, silentLogger } from '@dcos/base';
import {
  program,
  REGISTRY_USER,
  startDockerRegistry,
  temporaryDirectory,
  type DockerRegistry,
} from '@dcos/testkit';
import type { ContainerRuntime, ContainerSpec } from '../runtime.ts';
import { tarOf } from '../testing/static-registry.ts';
import { createDockerRuntime } from './docker-runtime.ts';

const SOCKET = '/var/run/docker.sock';
const engine = new Docker({ socketPath: SOCKET });
const obstacle =
  (await engine.ping().then(() => undefined, errorText)) ??
  (program('docker-registry').available ? undefined : 'apt-get install docker-registry');
if (obstacle !== undefined) console.warn(`SKIPPED pulls of the docker runtime: ${obstacle}`);

const { username, password } = REGISTRY_USER;

describe.skipIf(obstacle !== undefined)('pulls', () => {
  let open: DockerRegistry;
  let closed: DockerRegistry;
  let directory: ReturnType<typeof temporaryDirectory>;
  const pulled: string[] = [];

  beforeAll(async () => {
    open = await startDockerRegistry();
    closed = await startDockerRegistry({ needsLogin: true });
  });
  afterAll(async () => {
    await open.close();
    await closed.close();
  });
  beforeEach(() => {
    directory = temporaryDirectory('pulls');
  });
  afterEach(async () => {
    directory.remove();
    for (const image of pulled.splice(0)) await engine.getImage(image).remove({ force: true });
  });

  const runtime = (dockerConfig?: string): ContainerRuntime =>
    createDockerRuntime({
      socketPath: SOCKET,
      stateRoot: join(directory.path, 'run'),
      owner: directory.path,
      hostIp: '127.0.0.1',
      ...(dockerConfig !== undefined && { dockerConfig }),
      logger: silentLogger,
    });
  const push = async (to: DockerRegistry, content: string): Promise<string> => {
    await to.push({
      name: 'team/app',
      tag: '1',
      layers: [await tarOf([[{ name: 'f' }, content]])],
    });
    return `${to.host}/team/app:1`;
  };
  const configOf = (secret: string): string =>
    JSON.stringify({
      auths: {
        [closed.host]: { auth: Buffer.from(`${username}:${secret}`).toString('base64') },
      },
    });
  const prepare = async (
    image: string,
    {
      from = runtime(),
      inSandbox,
      isForced = false,
      abort,
    }: {
      readonly from?: ContainerRuntime;
      readonly inSandbox?: string;
      readonly isForced?: boolean;
      readonly abort?: AbortSignal;
    } = {},
  ): Promise<string> => {
    const sandboxPath = join(directory.path, 'sandbox');
    mkdirSync(join(sandboxPath, '.docker'), { recursive: true });
    if (inSandbox !== undefined)
      writeFileSync(join(sandboxPath, '.docker', 'config.json'), inSandbox);
    const spec: ContainerSpec = {
      id: 'c1',
      sandboxPath,
      command: { value: 'true' },
      container: { type: 'DOCKER', docker: { image, force_pull_image: isForced } },
      environment: {},
      cpus: 0.1,
      memoryBytes: 0,
    };
    const result = await from.prepare(spec, abort).then(() => 'done', errorText);
    if (result === 'done' && !pulled.includes(image)) pulled.push(image);
    return result;
  };
  const idOf = async (image: string): Promise<string> =>
    (await engine.getImage(image).inspect()).Id;

  test('credentials of the task, of the agent, wrong ones and none', async () => {
    const image = await push(closed, 'private');
    const refused = `Failed to pull image '${image}'`;
    expect(await prepare(image)).toMatch(/no basic auth credentials/);
    const wrong = await prepare(image, { inSandbox: configOf('guess') });
    expect(wrong).toContain(refused);
    expect(wrong).toMatch(/unauthorized|authentication required/);
    expect(wrong).not.toContain('guess');
    const helped = await prepare(image, {
      inSandbox: JSON.stringify({ credHelpers: { [closed.host]: 'pass' } }),
    });
    expect(helped).toContain("the helper 'docker-credential-pass' only");
    // The task's come first.
    const able = runtime(configOf(password));
    const still = await prepare(image, { from: able, inSandbox: configOf('guess') });
    expect(still).toContain(refused);
    expect(await prepare(image, { from: able, inSandbox: '{"auths":{}}' })).toBe('done');
    await engine.getImage(image).remove({ force: true });
    expect(await prepare(image, { inSandbox: configOf(password) })).toBe('done');
    expect(await prepare(image, { inSandbox: 'none', isForced: true })).toContain('is not valid');
    expect(() => runtime('none')).toThrow('is not valid');
  });

  test('an image of the host is used as it is, unless it must be pulled', async () => {
    const image = await push(open, 'first');
    expect(await prepare(image)).toBe('done');
    const first = await idOf(image);
    await push(open, 'second');
    expect(await prepare(image)).toBe('done');
    expect(await idOf(image)).toBe(first);
    expect(await prepare(image, { isForced: true })).toBe('done');
    expect(await idOf(image)).not.toBe(first);
    pulled.push(first);
  });

  test('a tag that is not there, a registry that is down, a name that is none', async () => {
    await push(open, 'first');
    const missing = `${open.host}/team/app:2`;
    expect(await prepare(missing)).toMatch(
      /^Failed to pull image '.*': (manifest for .* not found|.*manifest unknown)/,
    );
    expect(await prepare('127.0.0.1:1/team/app:1')).toMatch(
      /^Failed to pull image '127.0.0.1:1\/team\/app:1': .*connection refused/,
    );
    expect(await prepare('UPPER/case')).toContain('invalid reference format');
    // The next one is not concerned.
    expect(await prepare(`${open.host}/team/app:1`)).toBe('done');
  });

  test('a pull that takes for ever is broken off', async () => {
    const asked = Promise.withResolvers<void>();
    const silent: Server = createServer(({ url }, response) => {
      if (url === '/v2/') response.end();
      else asked.resolve();
    });
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    const abort = new AbortController();
    const result = prepare(`127.0.0.1:${port}/team/app:1`, { abort: abort.signal });
    await asked.promise;
    abort.abort(new Error('the task was killed'));
    expect(await result).toBe('the task was killed');
    silent.closeAllConnections();
    silent.close();
  });
});
