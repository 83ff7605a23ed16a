/** Executors that must prove who they are, with nothing but HTTP: what their token opens, and what it does not. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RunningAgent } from './shell/start-agent.ts';
import { agentScene, type AgentScene } from './testing/agent-scene.ts';
import { commandTask, FRAMEWORK, until } from './testing/fake-master.ts';

const scene = agentScene();

interface Executor {
  readonly token: string;
  readonly containerId: string;
}

async function guarded({ start, workDir }: AgentScene): Promise<RunningAgent> {
  const jwtSecretKey = join(workDir, 'executors.key');
  await writeFile(jwtSecretKey, `${'k'.repeat(40)}\n`);
  return await start({
    authenticateHttpExecutors: true,
    jwtSecretKey,
    executorShutdownGraceMs: 100,
    executorReregistrationMs: 100,
  });
}

/** Runs an executor that writes down what it was given. */
async function begin(agent: RunningAgent, id: string): Promise<Executor> {
  const { master, workDir } = scene();
  const { command: _command, ...task } = commandTask(`task-of-${id}`, '');
  master.run({
    ...task,
    executor: {
      type: 'CUSTOM',
      executor_id: { value: id },
      framework_id: FRAMEWORK.id ?? { value: '' },
      command: { value: 'printenv >.env; mv .env env; exec sleep 1000' },
    },
  });
  const containerId = await until(
    () =>
      agent
        .snapshot()
        .executors.find(({ executorId, process }) => executorId === id && process?.pid)
        ?.containerId,
    'the executor runs',
  );
  const path = `slaves/latest/frameworks/framework-0000/executors/${id}/runs/${containerId}/env`;
  const read = async (): Promise<string> =>
    await readFile(join(workDir, path), 'utf8').catch(() => '');
  await expect.poll(read, { timeout: 20_000 }).toContain('MESOS_SLAVE_ID');
  const token = /^MESOS_EXECUTOR_AUTHENTICATION_TOKEN=(.*)$/m.exec(await read())?.[1] ?? '';
  return { token, containerId };
}

async function post(
  agent: RunningAgent,
  path: string,
  token: string | undefined,
  body: object,
): Promise<Response> {
  return await fetch(agent.url + path, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      connection: 'close',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  });
}

const message = (eid: string): object => ({
  framework_id: FRAMEWORK.id,
  executor_id: { value: eid },
  type: 'HEARTBEAT',
});

test('the executor API is open to the executor whose token it is', async () => {
  const agent = await guarded(scene());
  const own = await begin(agent, 'own');
  const other = await begin(agent, 'other');
  const ask = async (token: string | undefined): Promise<Response> =>
    await post(agent, '/api/v1/executor', token, message('own'));
  // It did not subscribe: that far it gets.
  expect(await (await ask(own.token)).text()).toBe('Executor is not subscribed');
  const refused = await ask(undefined);
  expect(refused.status).toBe(401);
  expect(refused.headers.get('www-authenticate')).toBe('Bearer realm="mesos-agent-executor"');
  expect((await ask(`${own.token}x`)).status).toBe(401);
  const forbidden = await ask(other.token);
  expect(forbidden.status).toBe(403);
  expect(await forbidden.text()).toContain("is that of executor 'other'");
});

test('a token opens the containers of its own executor and nothing else', async () => {
  const agent = await guarded(scene());
  const { token, containerId } = await begin(agent, 'own');
  const launch = async (parent: string): Promise<number> => {
    const container_id = { value: 'n', parent: { value: parent } };
    const launched = { container_id, command: { value: 'sleep 1000' } };
    const call = { type: 'LAUNCH_NESTED_CONTAINER', launch_nested_container: launched };
    return (await post(agent, '/api/v1', token, call)).status;
  };
  const other = await begin(agent, 'other');
  expect(await launch(other.containerId)).toBe(403);
  expect(await launch(containerId)).toBe(200);
  expect((await post(agent, '/api/v1', token, { type: 'GET_STATE' })).status).toBe(403);
  const alone = { container_id: { value: 's' }, command: { value: 'true' } };
  const standalone = { type: 'LAUNCH_CONTAINER', launch_container: alone };
  expect((await post(agent, '/api/v1', token, standalone)).status).toBe(403);
  expect((await post(agent, '/api/v1', undefined, { type: 'GET_STATE' })).status).toBe(200);
});

test('the token of before is good after a restart of the agent, and tasks have none', async () => {
  const first = await guarded(scene());
  const { token } = await begin(first, 'own');
  const { master, workDir } = scene();
  master.run(commandTask('t1', 'printenv >env'));
  await master.waitFor('t1', 'TASK_FINISHED');
  const path = 'slaves/latest/frameworks/framework-0000/executors/t1/runs/latest/env';
  expect(await readFile(join(workDir, path), 'utf8')).not.toContain('AUTHENTICATION_TOKEN');
  await first.close();
  const second = await guarded(scene());
  const answer = await post(second, '/api/v1/executor', token, message('own'));
  expect(answer.status).not.toBe(401);
});

test('tokens are demanded only where there is a key for them', async () => {
  await expect(scene().start({ authenticateHttpExecutors: true })).rejects.toMatchObject({
    code: 'TOKEN_SECRET_INVALID',
  });
});
