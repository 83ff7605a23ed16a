/** What survives the death of an agent: a real process is killed with SIGKILL and started again. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '@dcos/base';
import { createOciRuntime } from '@dcos/containers';
import type { TaskInfo } from '@dcos/wire';
import { startAgent, type RunningAgent } from './shell/start-agent.ts';
import {
  commandTask,
  FRAMEWORK,
  startFakeMaster,
  until,
  type FakeMaster,
} from './testing/fake-master.ts';
import { TerminalClient, type AgentAddress } from './testing/terminal-client.ts';

const ociReason = await createOciRuntime({
  stateRoot: '/none',
  logger: silentLogger,
}).unavailable();
if (ociReason !== undefined) console.warn(`SKIPPED recovery with the runtime oci: ${ociReason}`);
const all = ociReason === undefined ? ['process', 'oci'] : ['process'];

describe.each(all)('with the runtime %s', (runtimes) => {
  let master: FakeMaster;
  let workDir = '';
  let children: ChildProcess[] = [];
  let agents: RunningAgent[] = [];
  /** Executors come back to the address that they were given. */
  let port = 0;

  beforeEach(async () => {
    port = 0;
    master = await startFakeMaster();
    workDir = await mkdtemp(join(tmpdir(), 'dcos-recovery-'));
  });
  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL');
    children = [];
    // One last agent ends whatever is still running.
    if (agents.length === 0) agents.push(await start());
    for (const agent of agents) await agent.shutdown({ killTasks: true });
    agents = [];
    await master.close();
    await rm(workDir, { recursive: true, force: true });
  });

  const settings = (): Readonly<Record<string, string | number>> => ({
    workDir,
    runtimes,
    port,
    resources: 'cpus:4;mem:1024;disk:1024;ports:[31000-31099]',
    registrationBackoffMs: 10,
  });

  /** An agent as a process of its own. */
  async function spawnAgent(): Promise<ChildProcess> {
    const before = master.registrations.length;
    const flags = Object.entries(settings()).map(
      ([key, value]) =>
        `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}=${value}`,
    );
    const program = fileURLToPath(new URL('./main.ts', import.meta.url));
    const child = spawn(
      process.execPath,
      [
        '--conditions=@dcos/source',
        program,
        `--masters=${master.url}`,
        '--log-level=warn',
        ...flags,
      ],
      { stdio: ['ignore', 'inherit', 'inherit'] },
    );
    children.push(child);
    await until(() => master.registrations.length > before, 'the agent registers');
    return child;
  }

  async function kill(child: ChildProcess): Promise<void> {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** An agent in this process. */
  async function start(): Promise<RunningAgent> {
    const agent = await startAgent(
      { ...settings(), masters: [master.url] },
      { logger: silentLogger },
    );
    agents.push(agent);
    await agent.registered;
    return agent;
  }

  const isAlive = (pid: number): boolean => {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  };

  test('a killed agent comes back as itself, with the same processes', async () => {
    const child = await spawnAgent();
    master.run(commandTask('long', 'echo $$ >pid; sleep 60'));
    const running = await master.waitFor('long', 'TASK_RUNNING');
    const pid = running.container_status?.executor_pid ?? 0;
    await until(() => master.updates.length === 2, 'both updates are there');
    await kill(child);
    expect(isAlive(pid)).toBe(true);
    const agent = await start();
    const again = master.registrations[1];
    expect(again?.agent_info.id?.value).toBe('fake-S0');
    expect(again?.frameworks).toMatchObject([{ name: 'test' }]);
    expect(again?.tasks).toMatchObject([{ task_id: { value: 'long' }, state: 'TASK_RUNNING' }]);
    expect(agent.snapshot().live[0]?.pid).toBe(pid);
    expect(isAlive(pid)).toBe(true);
    // Nothing is said twice, and nothing was restarted.
    expect(master.statesOf('long')).toEqual(['TASK_STARTING', 'TASK_RUNNING']);
    master.kill('long');
    expect(await master.waitFor('long', 'TASK_KILLED')).toMatchObject({
      message: 'Command terminated with signal Terminated',
      container_status: { executor_pid: pid },
    });
  });

  test('a task at a terminal is typed to, before and after the death of its agent', async () => {
    const child = await spawnAgent();
    const tty_info = { window_size: { rows: 31, columns: 97 } };
    master.run(
      commandTask('shell', 'stty -echo; echo "$TERM ready"; exec sh -i', {
        container: { type: 'MESOS', tty_info },
      }),
    );
    const running = await master.waitFor('shell', 'TASK_RUNNING');
    const container_id = running.container_status?.container_id ?? { value: '' };
    const address = (): AgentAddress => {
      const port = master.registrations.at(-1)?.agent_info.port ?? 0;
      return { url: `http://127.0.0.1:${port}` };
    };
    const stdout = join(
      workDir,
      'slaves/latest/frameworks/framework-0000/executors/shell/runs/latest/stdout',
    );
    const written = (): string => readFileSync(stdout, 'utf8');
    await until(() => written().includes('xterm ready'), 'the shell is ready');
    const attach = async (): Promise<TerminalClient> => {
      const client = await TerminalClient.open(address(), {
        type: 'ATTACH_CONTAINER_OUTPUT',
        attach_container_output: { container_id },
      });
      client.attachInput(address(), container_id);
      return client;
    };
    const first = await attach();
    first.type('here=first; stty size\n');
    await until(() => first.text.includes('31 97'), 'it has the size that was asked for');
    // One types at a time.
    const second = await attach();
    expect((await second.endInput()).statusCode).toBe(409);
    await kill(child);
    await start();
    const again = await attach();
    again.resize(44, 123);
    again.type('echo "$here"; stty size\n');
    await until(() => /first\s+44 123/.test(again.text), 'the same shell has the new size');
    again.type('exit 6\n');
    expect((await master.waitFor('shell', 'TASK_FAILED')).message).toBe(
      'Command exited with status 6',
    );
    await again.ended;
    expect(again.text.length).toBeGreaterThan(0);
    expect(written().endsWith(again.text)).toBe(true);
  });

  test('an end while the agent is away is reported with its status', async () => {
    const child = await spawnAgent();
    master.run(commandTask('ends', 'until [ -e go ]; do sleep 0.02; done; exit 42'));
    const running = await master.waitFor('ends', 'TASK_RUNNING');
    const pid = running.container_status?.executor_pid ?? 0;
    await kill(child);
    await writeFile(
      join(workDir, 'slaves/latest/frameworks/framework-0000/executors/ends/runs/latest/go'),
      '',
    );
    await until(() => !isAlive(pid), 'the task has ended');
    await start();
    expect((await master.waitFor('ends', 'TASK_FAILED')).message).toBe(
      'Command exited with status 42',
    );
  });

  test('an end soon after the return is noticed though it is nobody’s child', async () => {
    const child = await spawnAgent();
    master.run(commandTask('orphan', 'until [ -e go ]; do sleep 0.02; done; kill -SEGV $$'));
    await master.waitFor('orphan', 'TASK_RUNNING');
    await kill(child);
    await start();
    await writeFile(
      join(workDir, 'slaves/latest/frameworks/framework-0000/executors/orphan/runs/latest/go'),
      '',
    );
    expect((await master.waitFor('orphan', 'TASK_FAILED')).message).toBe(
      'Command terminated with signal Segmentation fault',
    );
  });

  test('unacknowledged updates are told again after a crash, in order, with the same uuid', async () => {
    master.acknowledging = false;
    const child = await spawnAgent();
    master.run(commandTask('quiet', 'echo >ran'));
    const first = await master.waitFor('quiet', 'TASK_STARTING');
    // Before that the crash could come between the update and the process, and the task would fail.
    const ran = join(
      workDir,
      'slaves/latest/frameworks/framework-0000/executors/quiet/runs/latest/ran',
    );
    await until(() => existsSync(ran), 'the task ran');
    await kill(child);
    master.acknowledging = true;
    await start();
    await master.waitFor('quiet', 'TASK_FINISHED');
    // The crash may have come before the start was written down; then the task went straight to its end.
    const states = [...new Set(master.statesOf('quiet'))].filter(
      (state) => state !== 'TASK_RUNNING',
    );
    expect(states).toEqual(['TASK_STARTING', 'TASK_FINISHED']);
    const repeated = master.updates.filter(({ state }) => state === 'TASK_STARTING');
    expect(repeated.length).toBe(2);
    expect(repeated[1]?.uuid).toEqual(first.uuid);
  });

  test('a half-written record and a damaged one cost nothing else', async () => {
    const child = await spawnAgent();
    master.run(commandTask('kept', 'sleep 60'));
    await master.waitFor('kept', 'TASK_RUNNING');
    await until(() => master.updates.length === 2, 'both updates are there');
    await kill(child);
    const journal = join(workDir, 'meta', 'checkpoint.log');
    await appendFile(
      journal,
      'ffffffff {"key":"task/damaged","value":{}}\nabcdef12 {"key":"task/ha',
    );
    const agent = await start();
    expect(agent.agentId()).toBe('fake-S0');
    expect(agent.snapshot().live).toMatchObject([{ taskId: 'kept', state: 'TASK_RUNNING' }]);
  });

  test('a graceful stop leaves tasks running; a shutdown ends them and tells later', async () => {
    const first = await start();
    master.run(commandTask('stays', 'sleep 60'));
    const pid = (await master.waitFor('stays', 'TASK_RUNNING')).container_status?.executor_pid ?? 0;
    await first.close();
    expect(isAlive(pid)).toBe(true);
    const second = await start();
    expect(second.snapshot().live[0]?.pid).toBe(pid);
    master.acknowledging = false;
    await second.shutdown({ killTasks: true });
    await until(() => !isAlive(pid), 'the task is gone');
    agents = [];
    master.acknowledging = true;
    await start();
    expect(await master.waitFor('stays', 'TASK_KILLED')).toMatchObject({
      message: 'Command terminated with signal Terminated',
    });
  });

  test('the log of an ended task can be read after a restart', async () => {
    const first = await start();
    master.run(commandTask('ended', 'echo said'));
    await master.waitFor('ended', 'TASK_FINISHED');
    await until(() => first.snapshot().completed.length === 1, 'it is completed');
    await first.close();
    const second = await start();
    const response = await fetch(`${second.url}/system/v1/logs/v2/task/ended/file/stdout`);
    expect(await response.text()).toBe('said\n');
    expect(await readFile(join(workDir, 'meta', 'checkpoint.log'), 'utf8')).toContain(
      '"taskId":"ended"',
    );
  });

  test('a custom executor of nothing but HTTP outlives the agent, with its tasks and what it had to tell', async () => {
    port = await freePort();
    const program = fileURLToPath(new URL('./testing/http-executor.mjs', import.meta.url));
    const command = { value: `exec '${process.execPath}' '${program}'` };
    const executor = {
      executor_id: { value: 'own' },
      framework_id: FRAMEWORK.id ?? { value: '' },
      command,
      resources: commandTask('x', '').resources ?? [],
    };
    const taskOf = (id: string, script: string): TaskInfo => {
      const { command: _command, ...task } = commandTask(id, '');
      return { ...task, executor, data: Buffer.from(script) };
    };
    const child = await spawnAgent();
    const lasting =
      'trap "echo ended >>lasting; exit" TERM; echo began >>lasting; while :; do sleep 0.02; done';
    master.run(taskOf('lasting', lasting));
    master.run(taskOf('brief', 'until [ -e go ]; do sleep 0.02; done; exit 7'));
    await master.waitFor('lasting', 'TASK_RUNNING');
    await master.waitFor('brief', 'TASK_RUNNING');
    await kill(child);
    const sandbox = join(
      workDir,
      'slaves/latest/frameworks/framework-0000/executors/own/runs/latest',
    );
    // The end comes while there is no agent that could hear of it.
    await writeFile(join(sandbox, 'go'), '');
    const agent = await start();
    expect(await master.waitFor('brief', 'TASK_FAILED')).toMatchObject({
      message: 'ended with 7',
      source: 'SOURCE_EXECUTOR',
    });
    expect(await readFile(join(sandbox, 'lasting'), 'utf8')).toBe('began\n');
    // What was not acknowledged when the agent died is repeated, as it was.
    const told = master.updates.filter(({ task_id }) => task_id.value === 'lasting');
    expect(new Set(told.map(({ uuid }) => Buffer.from(uuid ?? []).toString('hex'))).size).toBe(1);
    expect(agent.snapshot().executors).toHaveLength(1);
    master.kill('lasting');
    expect(await master.waitFor('lasting', 'TASK_KILLED')).toMatchObject({
      message: 'ended with 0',
    });
    expect(await readFile(join(sandbox, 'lasting'), 'utf8')).toBe('began\nended\n');
  });
});

/** A port that nobody uses now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
