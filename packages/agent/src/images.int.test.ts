/** Images under the runtime `oci`, from a registry of the distribution's package, through a real agent. */

import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Secret, silentLogger } from '@dcos/base';
import { createOciRuntime } from '@dcos/containers';
import {
  program,
  REGISTRY_USER,
  startDockerRegistry,
  type DockerRegistry,
  type PushedImage,
} from '@dcos/testkit';
import type { ContainerInfo, TaskInfo, TaskStatus } from '@dcos/wire';
import type { AgentConfigInput } from './config.ts';
import type { RunningAgent } from './shell/start-agent.ts';
import { agentScene } from './testing/agent-scene.ts';
import { commandTask, until, type FakeMaster } from './testing/fake-master.ts';

const registryProgram = program('docker-registry');
const obstacle =
  (await createOciRuntime({ stateRoot: '/none', logger: silentLogger }).unavailable()) ??
  (existsSync('/bin/busybox') ? undefined : 'apt-get install busybox-static') ??
  (registryProgram.available ? undefined : 'apt-get install docker-registry');
const note = obstacle === undefined ? '' : ` (skipped: ${obstacle})`;

const CONFIG = {
  Entrypoint: ['/bin/sh', '-c'],
  Cmd: ['echo "said by the image, $COLOR, $(pwd)"'],
  Env: ['COLOR=red', 'PATH=/bin'],
  WorkingDir: '/work',
};

describe.skipIf(obstacle !== undefined)(`images of an agent${note}`, () => {
  const scene = agentScene();
  let files = '';
  let layers: readonly Uint8Array[] = [];
  let open: DockerRegistry;
  let closed: DockerRegistry;
  let master: FakeMaster;

  const layerOf = (name: string): Uint8Array =>
    execFileSync('tar', ['-C', join(files, name), '-cf', '-', '.'], {
      maxBuffer: 64 * 1024 * 1024,
    });
  const push = async (image: Partial<PushedImage>, to = open): ReturnType<DockerRegistry['push']> =>
    await to.push({ name: 'team/app', tag: '1', layers, config: CONFIG, ...image });

  beforeAll(async () => {
    files = await mkdtemp(join(tmpdir(), 'dcos-image-'));
    for (const path of ['low/bin', 'low/work', 'low/etc', 'low/tmp', 'high/etc'])
      mkdirSync(join(files, path), { recursive: true });
    await copyFile('/bin/busybox', join(files, 'low/bin/busybox'));
    for (const name of ['sh', 'cat', 'pwd', 'sleep', 'ls', 'touch'])
      symlinkSync('busybox', join(files, 'low/bin', name));
    writeFileSync(join(files, 'low/etc/motd'), 'low\n');
    writeFileSync(join(files, 'high/etc/motd'), 'high\n');
    layers = ['low', 'high'].map(layerOf);
    open = await startDockerRegistry();
    closed = await startDockerRegistry({ needsLogin: true });
  });
  afterAll(async () => {
    await open.close();
    await closed.close();
    await rm(files, { recursive: true, force: true });
  });
  beforeEach(() => ({ master } = scene()));

  const start = async (more?: AgentConfigInput): Promise<RunningAgent> =>
    await scene().start({ runtimes: 'oci', ...more });
  const sandbox = (id: string, file: string): string =>
    join(
      scene().workDir,
      `slaves/latest/frameworks/framework-0000/executors/${id}/runs/latest`,
      file,
    );
  const store = (kind: string): readonly string[] =>
    readdirSync(join(scene().workDir, 'store/docker', kind));
  const task = (id: string, image: string, more: Partial<TaskInfo> = {}): TaskInfo => ({
    ...commandTask(id, ''),
    command: { shell: false },
    container: {
      type: 'MESOS',
      mesos: { image: { type: 'DOCKER', docker: { name: image } } },
    },
    ...more,
  });
  const run = async (wanted: TaskInfo, end = 'TASK_FINISHED'): Promise<TaskStatus> => {
    master.run(wanted);
    return await master.waitFor(wanted.task_id.value, end);
  };
  const output = (id: string): string => readFileSync(sandbox(id, 'stdout'), 'utf8');

  test('run by tag and by digest, as the image says and as the task says', async () => {
    await start();
    const { digest } = await push({});
    await run(task('tag', `${open.host}/team/app:1`));
    expect(output('tag')).toBe('said by the image, red, /work\n');
    await run(task('digest', `${open.host}/team/app@${digest}`));
    expect(output('digest')).toBe('said by the image, red, /work\n');
    const environment = { variables: [{ name: 'COLOR', value: 'blue' }] };
    const command = { shell: true, value: 'echo $COLOR $(cat /etc/motd)', environment };
    await run(task('own', `${open.host}/team/app:1`, { command }));
    expect(output('own')).toBe('blue high\n');
  });

  test('a container of the type DOCKER is run where no engine is', async () => {
    await start();
    await push({});
    const container: ContainerInfo = {
      type: 'DOCKER',
      docker: { image: `${open.host}/team/app:1`, network: 'HOST' },
    };
    await run(task('docker', '', { container, command: { shell: true, value: 'cat /etc/motd' } }));
    expect(output('docker')).toBe('high\n');
  });

  test('credentials: of the image, of the sandbox, of the agent, wrong and none', async () => {
    await push({}, closed);
    const { username, password } = REGISTRY_USER;
    const config = (secret: string): string =>
      JSON.stringify({
        auths: {
          [closed.host]: { auth: Buffer.from(`${username}:${secret}`).toString('base64') },
        },
      });
    const image = `${closed.host}/team/app:1`;
    const agent = await start();
    expect((await run(task('none', image), 'TASK_FAILED')).message).toContain(
      `the registry ${closed.host} does not permit access to 'team/app'`,
    );
    const withSecret = (id: string, secret: string): TaskInfo => {
      const value = { data: Buffer.from(config(secret)) };
      const docker = { name: image, config: { type: 'VALUE', value } } as const;
      const container: ContainerInfo = {
        type: 'MESOS',
        mesos: { image: { type: 'DOCKER', docker, cached: false } },
      };
      return task(id, image, { container });
    };
    expect((await run(withSecret('wrong', 'guess'), 'TASK_FAILED')).message).not.toContain('guess');
    await run(withSecret('secret', password));
    mkdirSync(join(files, 'home/.docker'), { recursive: true });
    writeFileSync(join(files, 'home/.docker/config.json'), config(password));
    const archive = join(files, 'docker.tar');
    execFileSync('tar', ['-C', join(files, 'home'), '-cf', archive, '.docker']);
    const fresh = { ...task('fresh', image).container };
    const container = {
      ...fresh,
      type: 'MESOS',
      mesos: { image: { type: 'DOCKER', docker: { name: image }, cached: false } },
    } as const;
    await run(
      task('sandbox', image, { container, command: { shell: false, uris: [{ value: archive }] } }),
    );
    await agent.shutdown({ killTasks: true });
    await start({ dockerConfig: new Secret(config(password)) });
    await run(task('agent', image, { container }));
  });

  test('what is damaged, missing or nowhere fails its task and no other', async () => {
    await start();
    const { layers: pushed } = await push({ name: 'team/bad' });
    await push({});
    const [first = ''] = pushed;
    const bytes = readFileSync(open.blobPath(first));
    const damaged = Buffer.from(bytes);
    damaged.writeUInt8(damaged.readUInt8(damaged.length - 9) ^ 1, damaged.length - 9);
    writeFileSync(open.blobPath(first), damaged);
    try {
      const failed = await run(task('bad', `${open.host}/team/bad:1`), 'TASK_FAILED');
      expect(failed).toMatchObject({ reason: 'REASON_CONTAINER_LAUNCH_FAILED' });
      expect(failed.message).toContain('is damaged');
    } finally {
      writeFileSync(open.blobPath(first), bytes);
    }
    const missing = await run(task('missing', `${open.host}/team/app:2`), 'TASK_FAILED');
    expect(missing.message).toContain(`there is no image 'team/app' with 2 on ${open.host}`);
    const appc: ContainerInfo = {
      type: 'MESOS',
      mesos: { image: { type: 'APPC', appc: { name: 'example.com/app' } } },
    };
    expect((await run(task('appc', '', { container: appc }), 'TASK_FAILED')).message).toContain(
      "the image 'example.com/app' is of the type APPC; only DOCKER is supported",
    );
    await until(() => store('tmp').length === 0, 'what failed has put away what it had');
    await run(task('good', `${open.host}/team/app:1`));
    await until(() => store('tmp').length === 0, 'nothing is left of the pull');
  });

  test('a task that is killed while its image is pulled leaves nothing; mirrors are asked first', async () => {
    const asked = Promise.withResolvers<void>();
    const silent = createServer(() => asked.resolve());
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    const registryMirrors = { 'registry.example': [`http://${open.host}`] };
    try {
      await start({ registryMirrors });
      await push({});
      master.run(task('killed', `127.0.0.1:${port}/team/app:1`));
      await asked.promise;
      master.kill('killed');
      await master.waitFor('killed', 'TASK_KILLED');
      await run(task('next', 'registry.example/team/app:1'));
      expect(output('next')).toBe('said by the image, red, /work\n');
      await until(() => store('tmp').length === 0, 'the pull has put away what it had');
    } finally {
      silent.closeAllConnections();
      silent.close();
    }
  });

  test('a disk that is full fails the task, and the next one runs when there is space', async () => {
    const disk = join(files, 'disk');
    mkdirSync(disk, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=300m', 'tmpfs', disk]);
    try {
      await start({ dockerStoreDir: join(disk, 'store') });
      await push({});
      execFileSync('fallocate', ['-l', '100M', join(disk, 'filler')]);
      const failed = await run(task('full', `${open.host}/team/app:1`), 'TASK_FAILED');
      expect(failed.message).toContain('no space left on device');
      await rm(join(disk, 'filler'));
      await run(task('next', `${open.host}/team/app:1`));
      expect(readdirSync(join(disk, 'store/tmp'))).toEqual([]);
    } finally {
      await scene().stop();
      execFileSync('umount', [disk]);
    }
  });

  test('archives of a directory take the place of registries', async () => {
    const archives = join(files, 'archives');
    mkdirSync(join(archives, 'team'), { recursive: true });
    saveArchive(join(archives, 'team', 'app:1.tar'));
    await start({ dockerRegistry: archives });
    await run(task('archive', 'team/app:1'));
    expect(output('archive')).toBe('said by the image, red, /work\n');
    expect((await run(task('none', 'team/app:2'), 'TASK_FAILED')).message).toContain(
      "there is no archive 'team/app:2.tar'",
    );
  });

  test('images that nobody uses are pruned, those in use and those excluded are not', async () => {
    const first = await start();
    await push({});
    await push({ name: 'other', layers: layers.slice(0, 1) });
    const sleep = { shell: true, value: 'sleep 600' };
    await run(task('long', `${open.host}/team/app:1`, { command: sleep }), 'TASK_RUNNING');
    await run(task('short', `${open.host}/other:1`));
    const prune = async (
      agent: RunningAgent,
      excluded_images: readonly object[],
    ): Promise<number> => {
      const response = await fetch(`${agent.url}/api/v1`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', connection: 'close' },
        body: JSON.stringify({ type: 'PRUNE_IMAGES', prune_images: { excluded_images } }),
      });
      expect(await response.text()).toBe('');
      return response.status;
    };
    const excluded = [{ type: 'DOCKER', docker: { name: `${open.host}/other:1` } }];
    expect(await prune(first, excluded)).toBe(200);
    expect([store('images').length, store('layers').length]).toEqual([2, 2]);
    await first.close();
    const second = await start();
    expect(await prune(second, [])).toBe(200);
    expect([store('images').length, store('layers').length]).toEqual([1, 2]);
    master.kill('long');
    await master.waitFor('long', 'TASK_KILLED');
    await until(() => store('held').length === 0, 'the container is gone');
    expect(await prune(second, [])).toBe(200);
    expect([store('images').length, store('layers').length]).toEqual([0, 0]);
  });

  /** Writes what `docker save` would. */
  function saveArchive(path: string): void {
    const parts = join(files, 'save');
    mkdirSync(parts, { recursive: true });
    const sums = layers.map((layer, index) => {
      writeFileSync(join(parts, `${index}.tar`), layer);
      return execFileSync('sha256sum', [join(parts, `${index}.tar`)], { encoding: 'utf8' });
    });
    const diff_ids = sums.map((sum) => `sha256:${sum.slice(0, 64)}`);
    writeFileSync(
      join(parts, 'config.json'),
      JSON.stringify({ config: CONFIG, rootfs: { type: 'layers', diff_ids } }),
    );
    const Layers = layers.map((_layer, index) => `${index}.tar`);
    writeFileSync(
      join(parts, 'manifest.json'),
      JSON.stringify([{ Config: 'config.json', RepoTags: ['team/app:1'], Layers }]),
    );
    execFileSync('tar', ['-C', parts, '-cf', path, '.']);
  }
});
