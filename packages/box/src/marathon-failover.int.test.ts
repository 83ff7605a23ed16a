/** Two schedulers that share their state in a real ZooKeeper: one leads, is killed, and the other goes on. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startAgent, type RunningAgent } from '@dcos/agent';
import { silentLogger } from '@dcos/base';
import { startMaster, type RunningMaster } from '@dcos/master';
import { openMemoryStore } from '@dcos/store';
import {
  startZooKeeperEnsemble,
  temporaryDirectory,
  waitFor,
  workspaceRoot,
  zooKeeper,
  type ZooKeeperEnsemble,
} from '@dcos/testkit';

const facility = zooKeeper();
/** Longer than a busy machine lets a process wait for its turn. */
const SESSION_TIMEOUT_MS = 6_000;
const APP = { id: '/sleep', cmd: 'sleep 1000', cpus: 0.1, mem: 32, instances: 3 };
const scratch = temporaryDirectory('marathon-failover');
const children = new Set<ChildProcess>();
let ensemble: ZooKeeperEnsemble;
let master: RunningMaster;
let agent: RunningAgent;

interface Scheduler {
  readonly url: string;
  kill(): Promise<number | null>;
  readonly ended: Promise<number | null>;
}

/** Starts one as a process of its own; resolves when it serves. */
async function startScheduler(): Promise<Scheduler> {
  const main = join(workspaceRoot, 'packages', 'marathon', 'src', 'main.ts');
  const child = spawn(
    process.execPath,
    [
      '--conditions=@dcos/source',
      main,
      `--masters=${master.url}`,
      `--zk=${ensemble.address('/marathon')}`,
      `--zk-session-timeout-ms=${SESSION_TIMEOUT_MS}`,
      '--http-port=0',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  children.add(child);
  let log = '';
  child.stderr.on('data', (chunk) => (log += String(chunk)));
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  const url = await waitFor(
    `a scheduler that serves; it wrote ${log}`,
    () => /"url":"(http:[^"]+)"/.exec(log)?.[1],
  );
  return {
    url,
    ended,
    async kill() {
      child.kill('SIGKILL');
      return await ended;
    },
  };
}

async function json(url: string, options: RequestInit = {}): Promise<never> {
  const answer = await fetch(url, options);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${text}`);
  return JSON.parse(text) as never;
}

async function taskIds({ url }: Scheduler): Promise<readonly string[]> {
  const { tasks } = (await json(`${url}/v2/tasks`)) as {
    readonly tasks: readonly { readonly id: string; readonly state: string }[];
  };
  return tasks
    .filter(({ state }) => state === 'TASK_RUNNING')
    .map(({ id }) => id)
    .toSorted();
}

const leaderOf = async ({ url }: Scheduler): Promise<string> =>
  `http://${((await json(`${url}/v2/leader`)) as { readonly leader: string }).leader}`;

describe.skipIf(!facility.available)(`two schedulers${facility.note}`, () => {
  beforeAll(async () => {
    ensemble = await startZooKeeperEnsemble(1);
    master = await startMaster({ port: 0 }, { logger: silentLogger, store: openMemoryStore() });
    agent = await startAgent(
      {
        masters: [master.url],
        port: 0,
        workDir: scratch.path,
        resources: 'cpus:4;mem:1024;ports:[31000-31099]',
      },
      { logger: silentLogger },
    );
    await agent.registered;
  });

  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await agent.shutdown({ killTasks: true });
    await master.close();
    await ensemble.stop();
    scratch.remove();
  });

  test('the standby takes over with every app and task, also when the leader abdicates', async () => {
    const first = await startScheduler();
    await waitFor('the first to lead', async () => (await leaderOf(first)) === first.url);
    const second = await startScheduler();
    expect(await leaderOf(second)).toBe(first.url);
    await json(`${second.url}/v2/apps`, { method: 'POST', body: JSON.stringify(APP) });
    await waitFor('three tasks', async () => (await taskIds(second)).length === 3);
    const before = await taskIds(first);

    await first.kill();
    await waitFor('the second to lead', async () => (await leaderOf(second)) === second.url);
    await waitFor('its tasks', async () => (await taskIds(second)).length === 3);
    expect(await taskIds(second)).toEqual(before);
    await json(`${second.url}/v2/apps/sleep?force=true`, {
      method: 'PUT',
      body: JSON.stringify({ instances: 4 }),
    });

    const third = await startScheduler();
    expect(await json(`${third.url}/v2/leader`, { method: 'DELETE' })).toEqual({
      message: 'Leadership abdicated',
    });
    expect(await second.ended).toBe(103);
    await waitFor('the third to lead', async () => (await leaderOf(third)) === third.url);
    await waitFor('four tasks', async () => (await taskIds(third)).length === 4);
    expect(await taskIds(third)).toEqual(expect.arrayContaining([...before]));
  });

  test('without ZooKeeper the leader stops leading, and says so by its exit code', async () => {
    for (const child of children) child.kill('SIGKILL');
    const [server] = ensemble.servers;
    const leader = await startScheduler();
    await waitFor('a leader', async () => (await leaderOf(leader)) === leader.url);
    server?.freeze();
    expect(await leader.ended).toBe(103);
    server?.thaw();
  });
});
