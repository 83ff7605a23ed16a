/**
 * GPUs from the tool that finds them to the task that opens them, with a made-up tool and nodes of other devices: a
 * task opens what it was given and nothing else, and keeps it over a restart of the agent.
 */

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '@dcos/base';
import { createOciRuntime } from '@dcos/containers';
import type { TaskInfo } from '@dcos/wire';
import type { GpuPlaces } from './shell/host-gpus.ts';
import { startAgent, type RunningAgent } from './shell/start-agent.ts';
import { commandTask, startFakeMaster, until, type FakeMaster } from './testing/fake-master.ts';

/** The control device of loops: to open it changes nothing, and no task may without being given it. */
const STAND_IN = '/dev/loop-control';
const reason =
  (await createOciRuntime({ stateRoot: '/none', logger: silentLogger }).unavailable()) ??
  (existsSync(STAND_IN) ? undefined : `there is no ${STAND_IN}`);
if (reason !== undefined) console.warn(`SKIPPED an agent with GPUs: ${reason}`);

describe.skipIf(reason !== undefined)('an agent with GPUs', () => {
  let master: FakeMaster;
  let root = '';
  let places: GpuPlaces;
  const agents: RunningAgent[] = [];
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'dcos-gpus-'));
    places = { tool: join(root, 'smi'), driver: join(root, 'gpus'), devices: join(root, 'dev') };
    await writeFile(
      places.tool,
      '#!/bin/sh\necho "0, 00000000:3B:00.0, T4"\necho "1, 00000000:AF:00.0, T4"\n',
      { mode: 0o755 },
    );
    await mkdir(places.devices);
    for (const [device, minor] of [
      ['0000:3b:00.0', 0],
      ['0000:af:00.0', 1],
    ] as const) {
      await mkdir(join(places.driver, device), { recursive: true });
      await writeFile(join(places.driver, device, 'information'), `Device Minor: ${minor}\n`);
    }
    // Only the first one says whether it may be opened: everybody may open the second's stand-in.
    for (const [name, major, minor] of [
      ['nvidia0', 10, 237],
      ['nvidia1', 1, 3],
      ['nvidiactl', 1, 3],
      ['nvidia-uvm', 1, 3],
    ] as const) {
      const numbers = [String(major), String(minor)];
      execFileSync('mknod', ['-m', '666', join(places.devices, name), 'c', ...numbers]);
    }
    master = await startFakeMaster();
  });
  afterEach(async () => {
    for (const agent of agents.splice(0)) await agent.shutdown({ killTasks: true });
    await master.close();
    await rm(root, { recursive: true, force: true });
  });

  async function start(): Promise<RunningAgent> {
    const agent = await startAgent(
      {
        masters: [master.url],
        port: 0,
        workDir: join(root, 'work'),
        runtimes: 'oci',
        gpuIsolation: true,
        resources: 'cpus:4;mem:1024;disk:1024;ports:[31000-31099]',
        registrationBackoffMs: 10,
      },
      { logger: silentLogger, gpuPlaces: places },
    );
    agents.push(agent);
    await agent.registered;
    return agent;
  }

  const withGpu = (id: string, value: string): TaskInfo => {
    const task = commandTask(id, value);
    const gpu = { name: 'gpus', type: 'SCALAR', scalar: { value: 1 } } as const;
    return { ...task, resources: [...(task.resources ?? []), gpu] };
  };
  const output = (id: string, file: string): string => {
    const run = `slaves/latest/frameworks/framework-0000/executors/${id}/runs/latest`;
    return readFileSync(join(root, 'work', run, file), 'utf8');
  };

  test('offers them, and gives each task its own', { timeout: 60_000 }, async () => {
    const first = await start();
    expect(master.registrations[0]?.agent_info.resources).toContainEqual({
      name: 'gpus',
      type: 'SCALAR',
      scalar: { value: 2 },
    });
    const open = `exec 3<>${join(places.devices, 'nvidia0')} && echo open`;
    master.run(withGpu('owner', `${open}; exec sleep 1000`));
    await master.waitFor('owner', 'TASK_RUNNING');
    await first.close();
    await start();
    master.run(withGpu('other', open));
    await master.waitFor('other', 'TASK_FAILED');
    expect(output('other', 'stderr')).toMatch(/not permitted/);
    await until(() => output('owner', 'stdout') === 'open\n', 'the owner has opened its GPU');
    master.kill('owner');
    await master.waitFor('owner', 'TASK_KILLED');
    master.run(withGpu('heir', open));
    await master.waitFor('heir', 'TASK_FINISHED');
  });
});
