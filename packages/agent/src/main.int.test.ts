import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startFakeMaster, until } from './testing/fake-master.ts';

test('an agent that is killed leaves compiled code for the next one', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'dcos-agent-main-'));
  const compiled = join(directory, 'compiled');
  const master = await startFakeMaster();
  const agent = spawn(
    process.execPath,
    [
      '--conditions=@dcos/source',
      join(import.meta.dirname, 'main.ts'),
      `--masters=${master.url}`,
      `--work-dir=${join(directory, 'work')}`,
      '--port=0',
      '--log-level=silent',
    ],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, NODE_COMPILE_CACHE: compiled },
    },
  );
  const ended = once(agent, 'exit');
  const filesKept = async (): Promise<number> =>
    existsSync(compiled) ? (await readdir(compiled, { recursive: true })).length : 0;
  try {
    await until(() => master.registrations.length > 0, 'the agent registers');
    // It keeps them once it is registered, which we hear of before it does.
    await expect.poll(filesKept, { timeout: 20_000 }).toBeGreaterThan(20);
  } finally {
    agent.kill('SIGKILL');
    await ended;
    await master.close();
    await rm(directory, { recursive: true, force: true });
  }
});
