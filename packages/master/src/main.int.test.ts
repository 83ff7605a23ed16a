/** The master as a program: the original's flags in, its `/flags` out. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryDirectory } from '@dcos/testkit';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

function run(flags: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, ['--conditions=@dcos/source', MAIN, ...flags], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const output = { text: '' };
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output.text += chunk.toString()));
  return { child, output, exit: once(child, 'exit').then(([code]) => code as unknown) };
}

test('flags and variables of the original are understood', async () => {
  const directory = temporaryDirectory('master-main');
  onTestFinished(() => directory.remove());
  const workDir = directory.path;
  const { child, output, exit } = run(
    [
      '--port=0',
      `--work_dir=${workDir}`,
      `--log_dir=${workDir}/log`,
      '--registry=in_memory',
      '--quorum=1',
      '--ip_discovery_command=echo 127.0.0.1',
      '--no-root_submissions',
      '--acls={"permissive":true}',
    ],
    { MESOS_SLAVE_PING_TIMEOUT: '20secs', MESOS_ROLES: 'dev' },
  );
  while (!output.text.includes('master ready at')) {
    await Promise.race([once(child.stdout, 'data'), exit]);
    if (child.exitCode !== null) throw new Error(output.text);
  }
  const url = /master ready at (\S+)/.exec(output.text)?.[1] ?? '';
  const { flags } = (await (await fetch(`${url}/flags`)).json()) as { readonly flags: object };
  expect(flags).toMatchObject({
    agent_ping_timeout: '20secs',
    ip: '127.0.0.1',
    ip_discovery_command: 'echo 127.0.0.1',
    log_dir: `${workDir}/log`,
    logging_level: 'INFO',
    registry: 'in_memory',
    roles: 'dev',
    root_submissions: 'false',
    work_dir: workDir,
  });
  child.kill('SIGTERM');
  expect(await exit).toBe(0);
  expect(existsSync(join(workDir, 'log', 'mesos-master.log'))).toBe(true);
  expect(existsSync(join(workDir, 'registry.sqlite'))).toBe(false);
});

test('what has no effect is named by --print-config', async () => {
  const { output, exit } = run(['--print-config', '--quorum=1', '--agent_ping_timeout=20secs']);
  expect(await exit).toBe(0);
  expect(output.text).toContain('agentPingIntervalMs = 20000  (flag)');
  expect(output.text).toContain('--quorum=1 has no effect');
});

test('a flag that would not be heeded ends the start with a reason', async () => {
  const { output, exit } = run(['--modules=/m.json']);
  expect(await exit).toBe(2);
  expect(output.text).toBe('master: --modules is not supported: there are no modules\n');
});
