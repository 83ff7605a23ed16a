/** An agent whose work directory lies on a small file system of its own that fills up, and is emptied again. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, open, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getuid, platform } from 'node:process';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '@dcos/base';
import { openCheckpointJournal } from './shell/checkpoint-journal.ts';
import { openPatientJournal } from './shell/patient-journal.ts';
import { startAgent, type RunningAgent } from './shell/start-agent.ts';
import { commandTask, startFakeMaster, until, type FakeMaster } from './testing/fake-master.ts';

const run = promisify(execFile);
const MEGABYTE = 1024 * 1024;

const canMount = platform === 'linux' && getuid?.() === 0;
if (!canMount) console.warn('SKIPPED agent on a full disk: only root can mount a small one');

describe.skipIf(!canMount)('a disk that is full', () => {
  let disk = '';
  let filler = '';
  beforeEach(async () => {
    disk = await mkdtemp(join(tmpdir(), 'dcos-full-'));
    filler = join(disk, 'filler');
    await run('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', disk]);
  });
  afterEach(async () => {
    await run('umount', ['--lazy', disk]);
    await rm(disk, { recursive: true });
  });

  /** Takes all that is left but so many bytes. */
  async function fill(leftBytes = 0): Promise<void> {
    const handle = await open(filler, 'a');
    try {
      for (;;) {
        const { bavail, bsize } = await statfs(disk);
        const bytes = Math.min(MEGABYTE, bavail * bsize - leftBytes);
        if (bytes <= 0) return;
        await handle.write(Buffer.alloc(bytes, 1));
      }
    } finally {
      await handle.close();
    }
  }

  const empty = async (): Promise<void> => await rm(filler, { force: true });

  describe('journal', () => {
    const record = (
      n: number,
      bytes = 8192,
    ): { key: string; value: { n: number; text: string } } => ({
      key: `k${n}`,
      value: { n, text: 'x'.repeat(bytes) },
    });
    const contents = async (path: string): Promise<readonly string[]> => {
      const journal = await openCheckpointJournal(path, silentLogger);
      await journal.close();
      return [...journal.records.keys()];
    };

    test('a line that found no room is written later, and costs no other line', async () => {
      const path = join(disk, 'checkpoint.log');
      const journal = await openCheckpointJournal(path, silentLogger);
      await journal.append([record(1)]);
      // One page is left: half a record fits.
      await fill(4096);
      await expect(journal.append([record(2)])).rejects.toMatchObject({ code: 'ENOSPC' });
      expect((await readFile(path)).length).toBeGreaterThan(8192 + 4096);
      await empty();
      await journal.append([record(2)]);
      await journal.append([record(3, 10)]);
      await journal.close();
      expect(await contents(path)).toEqual(['k1', 'k2', 'k3']);
    });

    test('half a line at the end of a process is skipped by the next', async () => {
      const path = join(disk, 'checkpoint.log');
      const journal = await openCheckpointJournal(path, silentLogger);
      await journal.append([record(1)]);
      await fill(4096);
      await expect(journal.append([record(2)])).rejects.toMatchObject({ code: 'ENOSPC' });
      await journal.close();
      await empty();
      expect(await contents(path)).toEqual(['k1']);
    });

    test('a file that is due for a new one goes on while there is no room for that', async () => {
      const path = join(disk, 'checkpoint.log');
      const journal = await openCheckpointJournal(path, silentLogger);
      const big = (n: number): ReturnType<typeof record> => ({
        ...record(n, MEGABYTE),
        key: 'big',
      });
      for (let n = 0; n < 6; n++) await journal.append([big(n)]);
      await fill(64 * 1024);
      await journal.append([record(7, 10)]);
      await journal.close();
      await empty();
      expect(await contents(path)).toEqual(['big', 'k7']);
    });

    test('the reserve takes what comes first, then records wait for room', async () => {
      const path = join(disk, 'checkpoint.log');
      const settings = { path, logger: silentLogger, reserveBytes: 64 * 1024, retryMs: 5 };
      const journal = await openPatientJournal(settings);
      const told: boolean[] = [];
      journal.watchSpace((isShort) => void told.push(isShort));
      await fill();
      await journal.append([record(1)]);
      expect(told).toEqual([false, true]);
      let isWritten = false;
      const waiting = journal.append([record(2, MEGABYTE)]).then(() => (isWritten = true));
      await until(() => !existsSync(join(disk, 'reserve')), 'the reserve is gone');
      expect(isWritten).toBe(false);
      await empty();
      await waiting;
      await until(() => told.length === 3, 'there is room again');
      expect(told).toEqual([false, true, false]);
      await fill();
      await journal.append([record(3)]);
      const hopeless = journal.append([record(4, MEGABYTE)]);
      journal.stopWaiting();
      await expect(hopeless).rejects.toMatchObject({ code: 'ENOSPC' });
      await journal.close();
      await empty();
      expect(await contents(path)).toEqual(['k1', 'k2', 'k3']);
    });
  });

  describe('agent', () => {
    let master: FakeMaster;
    const agents: RunningAgent[] = [];
    beforeEach(async () => {
      master = await startFakeMaster();
    });
    afterEach(async () => {
      await empty();
      for (const agent of agents.splice(0)) await agent.shutdown({ killTasks: true });
      await master.close();
    });

    async function start(): Promise<RunningAgent> {
      const agent = await startAgent(
        {
          masters: [master.url],
          port: 0,
          workDir: join(disk, 'work'),
          resources: 'cpus:4;mem:1024;disk:16;ports:[31000-31099]',
          registrationBackoffMs: 10,
        },
        { logger: silentLogger },
      );
      agents.push(agent);
      await agent.registered;
      return agent;
    }

    test('keeps its tasks, tells their ends, refuses new ones, and goes on when there is room', async () => {
      const agent = await start();
      const go = await mkdtemp(join(tmpdir(), 'dcos-go-'));
      const waits = (id: string, code: number): void =>
        master.run(commandTask(id, `until [ -e ${go}/${id} ]; do sleep 0.02; done; exit ${code}`));
      waits('ends', 3);
      waits('stays', 0);
      for (const id of ['ends', 'stays']) await master.waitFor(id, 'TASK_RUNNING');
      await fill();
      await writeFile(join(go, 'ends'), '');
      expect(await master.waitFor('ends', 'TASK_FAILED')).toMatchObject({
        message: 'Command exited with status 3',
      });
      master.run(commandTask('new', 'true'));
      expect(await master.waitFor('new', 'TASK_FAILED')).toMatchObject({
        reason: 'REASON_CONTAINER_LAUNCH_FAILED',
        message: expect.stringMatching(/^Failed to launch container: /) as string,
      });
      const health = await fetch(`${agent.url}/health`, { headers: { connection: 'close' } });
      expect(health.status).toBe(200);
      expect(master.statesOf('stays').at(-1)).toBe('TASK_RUNNING');
      await empty();
      let attempt = 0;
      await until(() => {
        const id = `again-${attempt}`;
        const state = master.statesOf(id).at(-1);
        if (state === undefined && attempt === 0) master.run(commandTask(id, 'true'));
        if (state === 'TASK_FAILED') master.run(commandTask(`again-${++attempt}`, 'true'));
        return state === 'TASK_FINISHED';
      }, 'a new task runs');
      await writeFile(join(go, 'stays'), '');
      await master.waitFor('stays', 'TASK_FINISHED');
      await rm(go, { recursive: true });
    });

    test('starts on a full disk with its tasks as they were', async () => {
      const first = await start();
      master.run(commandTask('stays', 'exec sleep 1000'));
      await master.waitFor('stays', 'TASK_RUNNING');
      await first.close();
      await fill();
      const second = await start();
      expect(second.snapshot().live).toMatchObject([{ taskId: 'stays', state: 'TASK_RUNNING' }]);
      master.kill('stays');
      await master.waitFor('stays', 'TASK_KILLED');
    });
  });
});
