import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { silentLogger } from '@dcos/base';
import type { ContainerInfo } from '@dcos/wire';
import { hasProcess } from '../process/process-table.ts';
import type { ContainerRuntime, ContainerSpec } from '../runtime.ts';
import { hostLeftovers } from '../testing/host-leftovers.ts';
import { ociObstacle } from '../testing/oci-scene.ts';
import { terminalContract } from '../testing/terminal-contract.ts';
import { createOciRuntime } from './oci-runtime.ts';

const reason = await ociObstacle();
if (reason !== undefined) console.warn(`SKIPPED terminals of the oci runtime: ${reason}`);

describe.skipIf(reason !== undefined)('OCI containers at terminals', () => {
  let root = '';
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'dcos-oci-terminals-'));
  });
  afterAll(async () => {
    await vi.waitFor(async () => expect(await hostLeftovers(root)).toEqual([]), {
      timeout: 20_000,
    });
    await rm(root, { recursive: true, force: true });
  });

  const open = (): ContainerRuntime =>
    createOciRuntime({ stateRoot: join(root, 'run'), logger: silentLogger });
  terminalContract('oci', () => ({
    open,
    sandboxRoot: join(root, 'sandboxes'),
    spec: (base) => base,
  }));

  async function specOf(
    id: string,
    more: ContainerInfo = { type: 'MESOS' },
  ): Promise<ContainerSpec> {
    const sandboxPath = join(root, 'sandboxes', id);
    await mkdir(sandboxPath, { recursive: true });
    return {
      id,
      sandboxPath,
      command: { value: 'sleep 600' },
      container: { ...more, tty_info: {} },
      environment: { PATH: '/bin' },
      cpus: 0.1,
      memoryBytes: 0,
    };
  }

  test('one that was made but not started is absent after a restart, and freed', async () => {
    const runtime = open();
    const spec = await specOf(`held-${process.pid}`);
    await runtime.prepare(spec);
    await runtime.create(spec);
    const pid = Number(await readFile(join(root, 'run', spec.id, 'pid'), 'utf8'));
    expect(hasProcess(pid)).toBe(true);
    expect(await open().recover([spec])).toEqual([{ kind: 'absent', id: spec.id }]);
    await vi.waitFor(() => expect(hasProcess(pid)).toBe(false), { timeout: 20_000 });
  });

  test('what the runtime says is the reason of a failure, and no output of the task', async () => {
    const runtime = open();
    const volumes = [{ mode: 'RW', host_path: '/no/such/place', container_path: 'data' }] as const;
    const spec = await specOf(`failed-${process.pid}`, { type: 'MESOS', volumes });
    await runtime.prepare(spec);
    await expect(runtime.create(spec)).rejects.toMatchObject({
      code: 'CONTAINER_LAUNCH_FAILED',
      message: expect.stringContaining('/no/such/place') as string,
    });
    await runtime.remove(spec.id);
    expect(await readFile(join(spec.sandboxPath, 'stdout'), 'utf8')).toBe('');
  });

  test('so it is when the program cannot be started', async () => {
    const runtime = open();
    const spec = {
      ...(await specOf(`missing-${process.pid}`, {
        type: 'MESOS',
        linux_info: { share_pid_namespace: true },
      })),
      command: { shell: false, value: '/no/such/program' },
    };
    await runtime.prepare(spec);
    await runtime.create(spec);
    await expect(runtime.start(spec.id)).rejects.toMatchObject({
      code: 'CONTAINER_LAUNCH_FAILED',
      message: expect.stringContaining('/no/such/program') as string,
    });
    await runtime.remove(spec.id);
  });

  test('crun has none for the first process', async () => {
    const runtime = createOciRuntime({
      stateRoot: join(root, 'run'),
      logger: silentLogger,
      runtime: 'crun',
    });
    await expect(runtime.prepare(await specOf('crun'))).rejects.toMatchObject({
      code: 'CONTAINER_INVALID',
      message: 'a terminal for the first process needs runc: open a session',
    });
  });
});
