/** Secrets and volumes of plain processes through a whole agent: what the task sees, and what nobody else does. */

import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Environment_Variable, Secret, TaskInfo, Volume } from '@dcos/wire';
import type { RunningAgent } from './shell/start-agent.ts';
import { agentScene } from './testing/agent-scene.ts';
import { commandTask, FRAMEWORK, until } from './testing/fake-master.ts';

const scene = agentScene();
const WORD = 'correct horse battery staple';
const SECRET: Secret = { type: 'VALUE', value: { data: Buffer.from(WORD) } };
const REFERENCE: Secret = { type: 'REFERENCE', reference: { name: 'db/password' } };

const variables = (secret: Secret): readonly Environment_Variable[] => [
  { name: 'PASSWORD', type: 'SECRET', secret },
];
const volumes = (secret: Secret): readonly Volume[] => [
  { mode: 'RO', container_path: 'etc/password', source: { type: 'SECRET', secret } },
];

function taskWith(id: string, value: string, secret: Secret = SECRET): TaskInfo {
  return commandTask(id, value, {
    command: { value, environment: { variables: variables(secret) } },
    container: { type: 'MESOS', volumes: volumes(secret) },
  });
}

const sandbox = (id: string, file: string): string =>
  join(
    scene().workDir,
    `slaves/latest/frameworks/framework-0000/executors/${id}/runs/latest`,
    file,
  );

/** All that the agent shows of its tasks, by every document. */
async function shown(agent: RunningAgent): Promise<string> {
  const headers = { connection: 'close', 'content-type': 'application/json' };
  const texts = ['/state', '/containers', '/flags'].map(
    async (path) => await (await fetch(agent.url + path, { headers })).text(),
  );
  const calls = ['GET_STATE', 'GET_CONTAINERS'].map(async (type) => {
    const request = { method: 'POST', headers, body: JSON.stringify({ type }) };
    return await (await fetch(`${agent.url}/api/v1`, request)).text();
  });
  return (await Promise.all([...texts, ...calls])).join('\n');
}

test('a task has its secrets, and nobody is shown them', async () => {
  const { master, start, workDir } = scene();
  const agent = await start();
  const script =
    'echo "$PASSWORD"; cat etc/password; ls -lL etc; until [ -e go ]; do sleep 0.05; done';
  master.run(taskWith('t1', script));
  await master.waitFor('t1', 'TASK_RUNNING');
  const output = async (): Promise<string> => await readFile(sandbox('t1', 'stdout'), 'utf8');
  await expect.poll(output, { timeout: 20_000 }).toContain('-r--------');
  expect((await output()).startsWith(`${WORD}\n${WORD}`)).toBe(true);
  for (const hidden of [WORD, Buffer.from(WORD).toString('base64')])
    expect(await shown(agent)).not.toContain(hidden);
  const files = join(workDir, 'run', 'secrets');
  expect(await readdir(files)).toHaveLength(1);
  master.run(commandTask('go', `touch ${sandbox('t1', 'go')}`));
  await master.waitFor('t1', 'TASK_FINISHED');
  await expect.poll(async () => await readdir(files), { timeout: 20_000 }).toEqual([]);
});

test('after its end nothing of a secret is left on the disk', async () => {
  const { master, start, workDir } = scene();
  const agent = await start();
  master.run(taskWith('t1', 'true'));
  await master.waitFor('t1', 'TASK_FINISHED');
  await until(() => agent.snapshot().completed.length === 1, 'the end is acknowledged');
  const [done] = agent.snapshot().completed;
  expect(done?.info.command?.environment?.variables).toEqual([
    { name: 'PASSWORD', type: 'SECRET', secret: { type: 'VALUE' } },
  ]);
  const place = join(workDir, 'run', 'secrets', done?.containerId ?? '');
  await until(() => !existsSync(place), 'the file is gone');
});

test('a reference is looked up where there is a store, and refused by its name where there is none', async () => {
  const { master, start } = scene();
  const first = await start();
  master.run(taskWith('t1', 'true', REFERENCE));
  expect(await master.waitFor('t1', 'TASK_FAILED')).toMatchObject({
    reason: 'REASON_CONTAINER_LAUNCH_FAILED',
    message:
      "Failed to launch container: the secret 'db/password' is a reference, and this agent has no store of secrets",
  });
  await first.close();
  const resolveSecret = async (): Promise<Uint8Array> => await Promise.resolve(Buffer.from(WORD));
  await start({}, { resolveSecret });
  master.run(taskWith('t2', 'echo "$PASSWORD"', REFERENCE));
  await master.waitFor('t2', 'TASK_FINISHED');
  expect(await readFile(sandbox('t2', 'stdout'), 'utf8')).toBe(`${WORD}\n`);
});

test('checks have the secrets of their task, also after a restart of the agent', async () => {
  const { master, start } = scene();
  const first = await start();
  const check = {
    type: 'COMMAND',
    delay_seconds: 0,
    interval_seconds: 0.05,
    command: { command: { value: `test "$PASSWORD" = "${WORD}" && [ -e asked ]` } },
  } as const;
  const task = taskWith('t1', 'exec sleep 1000');
  master.run({ ...task, check });
  await master.waitFor('t1', 'TASK_RUNNING');
  await first.close();
  await start();
  master.run(commandTask('ask', `touch ${sandbox('t1', 'asked')}`));
  await until(
    () =>
      master.updates.some(
        ({ task_id, check_status }) =>
          task_id.value === 't1' && check_status?.command?.exit_code === 0,
      ),
    'the check succeeds',
  );
});

test('an executor and a nested container have theirs', async () => {
  const { master, start } = scene();
  const agent = await start({ executorShutdownGraceMs: 100 });
  const value = 'echo "$PASSWORD" | cmp - etc/password; echo $?; exec sleep 1000';
  const { command, container } = taskWith('x', value, {
    type: 'VALUE',
    value: { data: Buffer.from(WORD) },
  });
  const { command: _command, ...bare } = commandTask('t1', '');
  master.run({
    ...bare,
    executor: {
      type: 'CUSTOM',
      executor_id: { value: 'ex1' },
      framework_id: FRAMEWORK.id ?? { value: '' },
      command: command ?? {},
      ...(container !== undefined && { container }),
    },
  });
  const id = await until(
    () => agent.snapshot().executors.find(({ process }) => process?.pid !== undefined)?.containerId,
    'the executor runs',
  );
  // A line has an end, the secret has none.
  const output = async (): Promise<string> => await readFile(sandbox('ex1', 'stdout'), 'utf8');
  await expect.poll(output, { timeout: 20_000 }).toMatch(/1\n$/);
  const launched = await fetch(`${agent.url}/api/v1`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify({
      type: 'LAUNCH_NESTED_CONTAINER',
      launch_nested_container: {
        container_id: { value: 'n1', parent: { value: id } },
        command: {
          value: 'echo "$PASSWORD" >said; cat etc/password >read; exec sleep 1000',
          environment: {
            variables: [
              {
                name: 'PASSWORD',
                type: 'SECRET',
                secret: { type: 'VALUE', value: { data: Buffer.from(WORD).toString('base64') } },
              },
            ],
          },
        },
        container: {
          type: 'MESOS',
          volumes: [
            {
              mode: 'RO',
              container_path: 'etc/password',
              source: {
                type: 'SECRET',
                secret: { type: 'VALUE', value: { data: Buffer.from(WORD).toString('base64') } },
              },
            },
          ],
        },
      },
    }),
  });
  expect(await launched.text()).toBe('');
  const inNested = async (name: string): Promise<string> =>
    await readFile(sandbox('ex1', `containers/n1/${name}`), 'utf8').catch(() => '');
  await expect.poll(async () => await inNested('read'), { timeout: 20_000 }).toBe(WORD);
  expect(await inNested('said')).toBe(`${WORD}\n`);
});

test('plain processes have places of the host and of their pod as volumes', async () => {
  const { master, start, workDir } = scene();
  await start();
  const shared: Volume = {
    mode: 'RW',
    container_path: 'shared',
    source: { type: 'SANDBOX_PATH', sandbox_path: { type: 'PARENT', path: 'common' } },
  };
  const host: Volume = { mode: 'RW', container_path: 'host/dir', host_path: workDir };
  const member = (id: string, value: string): TaskInfo =>
    commandTask(id, value, { container: { type: 'MESOS', volumes: [shared, host] } });
  master.send({
    type: 'RUN_TASK_GROUP',
    run_task_group: {
      framework_info: FRAMEWORK,
      executor: { type: 'DEFAULT', executor_id: { value: 'pod' } },
      task_group: {
        tasks: [
          member('writer', 'echo hello >shared/.word; mv shared/.word shared/word'),
          member(
            'reader',
            'until [ -e shared/word ]; do sleep 0.05; done; cp shared/word host/dir/',
          ),
        ],
      },
      launch_executor: true,
    },
  });
  await master.waitFor('reader', 'TASK_FINISHED');
  expect(await readFile(join(workDir, 'word'), 'utf8')).toBe('hello\n');
});
