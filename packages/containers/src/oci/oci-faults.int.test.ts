/** What becomes of containers when something dies that they depend on. */

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { silentLogger } from '@dcos/base';
import { LAUNCHER_MARK } from '../process/launcher-program.ts';
import { borrowShimLauncher } from '../process/shim-launcher.ts';
import { parseStatLine } from '../process/shim.ts';
import { readText } from '../process/state-files.ts';
import { ociObstacle, ociScene } from '../testing/oci-scene.ts';
import { findCgroups } from './cgroup-host.ts';
import { groupOf } from './container-host.ts';

const reason = await ociObstacle();
if (reason !== undefined) console.warn(`SKIPPED faults of the oci runtime: ${reason}`);

/** Zombies wait for whoever inherited them; they do not live. */
async function lives(pid: number): Promise<boolean> {
  try {
    return parseStatLine(await readFile(`/proc/${pid}/stat`, 'utf8'))?.state !== 'Z';
  } catch {
    return false;
  }
}

describe.skipIf(reason !== undefined)('the oci runtime', () => {
  const scene = ociScene(() => ({}));
  const pidIn = async (id: string, file: string): Promise<number> =>
    Number(await readFile(join(scene().root, 'run', id, file), 'utf8'));

  test('a container does not outlive its supervisor', async () => {
    const { id } = await scene().launch('exec sleep 60');
    const init = await pidIn(id, 'pid');
    process.kill(await pidIn(id, 'conmon.pid'), 'SIGKILL');
    expect(await scene().runtime.wait(id)).toEqual({
      kind: 'unknown',
      message: 'the process that watched over the container died',
    });
    expect(await lives(init)).toBe(false);
  });

  test('processes that leave the session of the task end with it', async () => {
    // A number that nobody else sleeps.
    const seconds = 1_000_000 + process.pid;
    const sleeps = async (): Promise<boolean> => {
      const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
      const lines = pids.map(async (pid) => await readText(`/proc/${pid}/cmdline`).catch(() => ''));
      return (await Promise.all(lines)).some((line) => line.includes(`sleep\0${seconds}\0`));
    };
    const { id, spec } = await scene().launch(
      `setsid sleep ${seconds} & until [ -e go ]; do sleep 0.05; done; exit 0`,
    );
    while (!(await sleeps())) await new Promise((resolve) => setTimeout(resolve, 10));
    await writeFile(join(spec.sandboxPath, 'go'), '');
    expect(await scene().runtime.wait(id)).toEqual({ kind: 'exited', code: 0 });
    expect(await sleeps()).toBe(false);
  });

  test('so do those of a task that shares the processes of the host', async () => {
    const shared = { type: 'MESOS', linux_info: { share_pid_namespace: true } } as const;
    const { id, output } = await scene().launch('setsid sleep 60 & echo $!; exit 0', {
      container: shared,
    });
    expect(await scene().runtime.wait(id)).toEqual({ kind: 'exited', code: 0 });
    const pid = Number(await output());
    expect(pid).toBeGreaterThan(1);
    expect(await lives(pid)).toBe(false);
  });

  test('a container that was made but not started is absent after a restart, and freed', async () => {
    const { runtime, root } = scene();
    const spec = {
      id: `created-${process.pid}`,
      sandboxPath: root,
      command: { value: 'true' },
      environment: { PATH: '/bin' },
      cpus: 0.1,
      memoryBytes: 0,
    };
    await runtime.prepare(spec);
    await runtime.create(spec);
    const init = await pidIn(spec.id, 'pid');
    expect(await scene().open().recover([spec])).toEqual([{ kind: 'absent', id: spec.id }]);
    expect(await lives(init)).toBe(false);
  });

  test('a container whose agent died while it was let go has run, and is not lost', async () => {
    const { id, spec } = await scene().launch(
      'echo ran; until [ -e go ]; do sleep 0.05; done; exit 3',
    );
    // As if nobody had come to remove the pipe through which it went.
    execFileSync('mkfifo', [join(scene().root, 'run', 'runtime', id, 'exec.fifo')]);
    const [recovered] = await scene().open().recover([spec]);
    expect(recovered).toMatchObject({ kind: 'running', id });
    await writeFile(join(spec.sandboxPath, 'go'), '');
    expect(await scene().runtime.wait(id)).toEqual({ kind: 'exited', code: 3 });
  });

  test('one that was not let through yet goes on after a restart', async () => {
    const { runtime, root } = scene();
    const id = `released-${process.pid}`;
    const spec = { ...(await scene().launch('true')).spec, id, command: { value: 'exit 4' } };
    await runtime.prepare(spec);
    await runtime.create(spec);
    await writeFile(join(root, 'run', id, 'released'), '');
    const next = scene().open();
    const [recovered] = await next.recover([spec]);
    expect(['running', 'exited']).toContain(recovered?.kind);
    expect(await next.wait(id)).toEqual({ kind: 'exited', code: 4 });
    await next.remove(id);
  });

  test('what an agent left that was killed while it looked at the host is no obstacle', async () => {
    const cgroups = await findCgroups();
    const left = cgroups?.directory('memory', `/mesos-probe-${process.pid}`) ?? '';
    await mkdir(left);
    expect(await scene().open().unavailable()).toBeUndefined();
    expect(existsSync(left)).toBe(false);
  });

  test('what a program of the host says is the reason of a failure', async () => {
    await expect(
      scene().launch('true', {
        container: {
          type: 'MESOS',
          volumes: [{ mode: 'RW', host_path: '/no/such/place', container_path: 'data' }],
        },
      }),
    ).rejects.toMatchObject({
      code: 'CONTAINER_LAUNCH_FAILED',
      message: expect.stringContaining('/no/such/place') as string,
    });
  });

  test.each([
    ['a supervisor', ['conmon', '--bundle=']],
    ['a launcher', [LAUNCHER_MARK, '1']],
  ])('nothing is removed while %s of the last agent is at work', async (_what, words) => {
    const { root, open } = scene();
    const directory = join(root, 'run', 'half-made');
    await mkdir(directory, { recursive: true });
    // What tells them is their arguments.
    const marks = words.map((word) => (word === '--bundle=' ? `${word}${directory}` : word));
    const child = spawn(
      '/bin/sh',
      ['-c', 'while [ ! -e "$0" ]; do sleep 0.01; done', join(root, 'over'), ...marks],
      {
        detached: true,
        stdio: 'ignore',
      },
    );
    try {
      await once(child, 'spawn');
      let isDone = false;
      const recovered = open()
        .recover([])
        .then(() => (isDone = true));
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(isDone).toBe(false);
      expect(existsSync(directory)).toBe(true);
      await writeFile(join(root, 'over'), '');
      await recovered;
      expect(existsSync(directory)).toBe(false);
    } finally {
      await rm(join(root, 'over'), { force: true });
      if (child.exitCode === null) process.kill(-(child.pid ?? 0), 'SIGKILL');
    }
  });

  test('a container whose supervisor has made it is no reason to wait', async () => {
    const { root, open } = scene();
    const directory = join(root, 'run', 'made');
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'pid'), '');
    const vector = ['-c', 'sleep 600; :', 'conmon', `--bundle=${directory}`];
    const child = spawn('/bin/sh', vector, { detached: true, stdio: 'ignore' });
    try {
      await once(child, 'spawn');
      await open().recover([]);
      expect(existsSync(directory)).toBe(false);
    } finally {
      process.kill(-(child.pid ?? 0), 'SIGKILL');
    }
  });

  test('a launcher that dies leaves containers that are there, or are not', async () => {
    const { root, runtime } = scene();
    const launcher = borrowShimLauncher(silentLogger);
    /** Kills the launcher while it starts containers; gives how many were cut off. */
    async function cut(round: number): Promise<number> {
      const specs = Array.from({ length: 6 }, (_, index) => ({
        id: `cut-${process.pid}-${round}-${index}`,
        sandboxPath: join(root, 'sandboxes', `cut-${process.pid}-${round}-${index}`),
        command: { value: 'exec sleep 60' },
        environment: { PATH: '/usr/bin:/bin' },
        cpus: 0.1,
        memoryBytes: 0,
      }));
      const creates = specs.map(async (spec) => {
        await mkdir(spec.sandboxPath, { recursive: true });
        await runtime.prepare(spec);
        await runtime.create(spec);
      });
      await Promise.race(creates);
      process.kill(launcher.pid ?? 0, 'SIGKILL');
      const made = await Promise.allSettled(creates);
      for (const [index, result] of made.entries()) {
        const id = specs[index]?.id ?? '';
        if (result.status === 'fulfilled') expect((await runtime.start(id)).pid).toBeGreaterThan(1);
        else
          expect(result.reason).toMatchObject({
            code: 'CONTAINER_LAUNCH_FAILED',
            message: 'the launcher of tasks died',
          });
        // What the supervisors made all the same is found at the end of the suite.
        await runtime.remove(id);
      }
      return made.filter(({ status }) => status === 'rejected').length;
    }
    // On a busy machine all answers may come at once.
    let rounds = 0;
    while ((await cut(rounds)) === 0) expect(++rounds).toBeLessThan(20);
    launcher.close();
  });

  test('groups that were made below the one of a container go with it', async () => {
    const { id } = await scene().launch('exec sleep 60');
    const cgroups = await findCgroups();
    const groups = (cgroups?.directories(groupOf(id)) ?? []).filter((path) => existsSync(path));
    expect(groups).not.toEqual([]);
    for (const group of groups) await mkdir(join(group, 'below'));
    await scene().runtime.remove(id);
    expect(groups.filter((path) => existsSync(path))).toEqual([]);
  });

  test.runIf(existsSync('/usr/lib/cni/bridge'))(
    'whenever the agent is killed, the next one finds and frees all of it',
    async () => {
      const program = fileURLToPath(new URL('../testing/launch-forever.ts', import.meta.url));
      const { root, open } = scene();
      for (let round = 0; round < 8; round++) {
        const child = spawn(process.execPath, ['--conditions=@dcos/source', program, root], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        // From the first container on it is busy with some; each round stops at another moment.
        const gone = once(child, 'exit').then(() => 'gone' as const);
        expect(await Promise.race([once(child.stdout, 'data'), gone])).not.toBe('gone');
        await new Promise((resolve) => setTimeout(resolve, round * 23));
        child.kill('SIGKILL');
        await gone;
        // At once: what the killed one had begun may still be under way.
        expect(await open().recover([])).toEqual([]);
      }
      expect(await readdir(join(root, 'run'))).toEqual(
        expect.not.arrayContaining([expect.stringMatching(/^[0-9a-f]{8}-/)]) as unknown,
      );
    },
  );
});
