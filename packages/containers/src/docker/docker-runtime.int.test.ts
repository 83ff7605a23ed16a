import { existsSync } from 'node:fs';
import { lstat, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentLogger } from '@dcos/base';
import type { ContainerInfo } from '@dcos/wire';
import type { ContainerRuntime, ContainerSpec } from '../runtime.ts';
import { runtimeContract } from '../testing/runtime-contract.ts';
import { terminalContract } from '../testing/terminal-contract.ts';
import { createDockerRuntime } from './docker-runtime.ts';

const SOCKET = '/var/run/docker.sock';
const IMAGE = 'python:3';

/** Why the engine cannot be used; undefined when it can. */
async function obstacle(): Promise<string | undefined> {
  if (!existsSync(SOCKET)) return `${SOCKET} is absent`;
  try {
    await new Docker({ socketPath: SOCKET }).getImage(IMAGE).inspect();
    return undefined;
  } catch (error) {
    return `the engine has no image ${IMAGE}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const reason = await obstacle();
if (reason !== undefined) console.warn(`SKIPPED docker runtime: ${reason}`);

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'dcos-docker-'));
});
afterAll(async () => await rm(root, { recursive: true, force: true }));

const open = (): ContainerRuntime =>
  createDockerRuntime({
    socketPath: SOCKET,
    stateRoot: join(root, 'run'),
    owner: root,
    hostIp: '127.0.0.1',
    logger: silentLogger,
  });

const image: ContainerInfo = { type: 'DOCKER', docker: { image: IMAGE, network: 'NONE' } };

describe.skipIf(reason !== undefined)('with an engine', () => {
  runtimeContract('docker', () => ({
    open,
    sandboxRoot: root,
    // Programs are found by the image's own rules: an entry point takes the vector.
    spec: (base) => ({
      ...base,
      container: image,
      environment: { ...base.environment, PATH: '/usr/bin:/bin' },
    }),
  }));

  terminalContract('docker', () => ({
    open,
    sandboxRoot: root,
    spec: (base) => ({ ...base, container: { ...base.container, ...image } }),
  }));

  async function launch(
    runtime: ContainerRuntime,
    id: string,
    more: Partial<ContainerSpec>,
  ): Promise<ContainerSpec> {
    const sandboxPath = join(root, id);
    await mkdir(sandboxPath, { recursive: true });
    const spec: ContainerSpec = {
      id,
      sandboxPath,
      command: { value: 'sleep 60' },
      container: image,
      environment: {},
      cpus: 0.1,
      memoryBytes: 64 * 1024 * 1024,
      ...more,
    };
    await runtime.prepare(spec);
    await runtime.create(spec);
    return spec;
  }

  test('a port is published on the address of the agent', async () => {
    const runtime = open();
    const { id } = await launch(runtime, `port-${process.pid}`, {
      command: {
        value: 'cd /mnt/mesos/sandbox && echo found >page && exec python3 -m http.server 8080',
      },
      container: {
        type: 'DOCKER',
        docker: {
          image: IMAGE,
          network: 'BRIDGE',
          port_mappings: [{ host_port: 31_987, container_port: 8080 }],
        },
      },
    });
    const started = await runtime.start(id);
    expect(started.ipAddresses).toHaveLength(1);
    const deadline = Date.now() + 20_000;
    let text = '';
    while (text === '' && Date.now() < deadline)
      text = await fetchText('http://127.0.0.1:31987/page');
    expect(text).toBe('found\n');
    await runtime.remove(id);
  });

  test('a volume has the driver and the options that were asked for', async () => {
    const name = `dcos-test-${process.pid}`;
    const parameter = [
      { key: 'type', value: 'tmpfs' },
      { key: 'device', value: 'tmpfs' },
      { key: 'o', value: 'size=3m' },
    ];
    const docker_volume = { name, driver: 'local', driver_options: { parameter } };
    const runtime = open();
    const { id, sandboxPath } = await launch(runtime, `volume-${process.pid}`, {
      command: { value: 'df -k --output=size /data | tail -1' },
      container: {
        ...image,
        volumes: [
          {
            mode: 'RW',
            container_path: '/data',
            source: { type: 'DOCKER_VOLUME', docker_volume },
          },
        ],
      },
    });
    await runtime.start(id);
    expect(await runtime.wait(id)).toEqual({ kind: 'exited', code: 0 });
    expect((await readFile(join(sandboxPath, 'stdout'), 'utf8')).trim()).toBe('3072');
    await runtime.remove(id);
    await new Docker({ socketPath: SOCKET }).getVolume(name).remove();
  });

  test('what a task puts in the place of its output is not followed', async () => {
    const victim = join(root, 'victim');
    await writeFile(victim, '');
    const runtime = open();
    const { id, sandboxPath } = await launch(runtime, `links-${process.pid}`, {
      command: {
        value: [
          `cd /mnt/mesos/sandbox && ln -s ${victim} link && mkfifo pipe`,
          'mv -T link stdout && mv -T pipe stderr',
          'echo mine && echo mine >&2',
        ].join(' && '),
      },
    });
    await runtime.start(id);
    expect(await runtime.wait(id)).toEqual({ kind: 'exited', code: 0 });
    expect(await readFile(victim, 'utf8')).toBe('');
    expect((await lstat(join(sandboxPath, 'stdout'))).isSymbolicLink()).toBe(true);
    await runtime.remove(id);
  });

  test('too much memory is told', async () => {
    const runtime = open();
    const { id } = await launch(runtime, `oom-${process.pid}`, {
      command: { value: 'exec python3 -c "x = bytearray(512 * 1024 * 1024)"' },
      memoryBytes: 32 * 1024 * 1024,
    });
    await runtime.start(id);
    expect(await runtime.wait(id)).toEqual({ kind: 'exited', code: 137, outOfMemory: true });
    await runtime.remove(id);
  });

  test('an image that is nowhere is named', async () => {
    const runtime = open();
    const launching = launch(runtime, 'nowhere', {
      container: { type: 'DOCKER', docker: { image: 'localhost:1/no/such:image' } },
    });
    await expect(launching).rejects.toMatchObject({
      code: 'CONTAINER_LAUNCH_FAILED',
      message: expect.stringContaining(
        "Failed to pull image 'localhost:1/no/such:image'",
      ) as string,
    });
  });
});

test('an engine that does not answer is named', async () => {
  const runtime = createDockerRuntime({
    socketPath: '/no/such/socket',
    stateRoot: root,
    owner: root,
    hostIp: '127.0.0.1',
    logger: silentLogger,
  });
  expect(await runtime.unavailable()).toContain('no Docker engine answers on /no/such/socket');
  expect(await runtime.recover([])).toEqual([]);
});

async function fetchText(url: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  get(url, (response) => {
    let text = '';
    response.on('data', (chunk) => (text += String(chunk)));
    response.on('end', () => resolve(text));
  }).on('error', () => setTimeout(() => resolve(''), 50));
  return await promise;
}
