import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  startBoxProcess,
  temporaryDirectory,
  waitFor,
  workspaceRoot,
  type BoxProcess,
} from '@dcos/testkit';
import { silentLogger } from '@dcos/base';
import { connectScheduler, launch, openOffer } from '@dcos/sdk';
import { FakeAgent } from '@dcos/sdk/testing/fake-agent';
import type { ExecutorInfo, TaskInfo } from '@dcos/wire';

const scratch = temporaryDirectory('examples');
let box: BoxProcess;
const children: ChildProcess[] = [];

beforeAll(async () => {
  box = await startBoxProcess(join(scratch.path, 'data'), ['--agents', '4']);
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(async () => {
  await box.stop('SIGTERM');
  scratch.remove();
});

interface Example {
  readonly child: ChildProcess;
  readonly output: () => string;
}

function run(name: string, ...args: readonly string[]): Example {
  const file = join(workspaceRoot, 'packages', 'sdk', 'examples', name);
  const child = spawn(process.execPath, ['--conditions=@dcos/source', file, ...args], {
    cwd: scratch.path,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  let text = '';
  child.stdout?.on('data', (chunk) => (text += String(chunk)));
  return { child, output: () => text };
}

/** Ids of the running tasks of the framework of that name, as the master sees them. */
async function runningTasks(framework: string): Promise<readonly string[]> {
  const response = await fetch(`${box.ready.master}/frameworks`);
  const { frameworks } = (await response.json()) as {
    readonly frameworks: readonly {
      readonly name: string;
      readonly tasks: readonly { readonly id: string; readonly state: string }[];
    }[];
  };
  return frameworks
    .filter((each) => each.name === framework)
    .flatMap((each) => each.tasks.filter(({ state }) => state === 'TASK_RUNNING'))
    .map((task) => task.id)
    .sort();
}

/** The agents that the running tasks of that framework are on. */
async function agentsOf(framework: string): Promise<ReadonlySet<string>> {
  const response = await fetch(`${box.ready.master}/tasks?limit=1000`);
  const { tasks } = (await response.json()) as {
    readonly tasks: readonly {
      readonly id: string;
      readonly slave_id: string;
    }[];
  };
  const ids = await runningTasks(framework);
  return new Set(tasks.filter(({ id }) => ids.includes(id)).map((task) => task.slave_id));
}

/** The process of a task, which only the v1 API tells. */
async function executorPid(taskId: string): Promise<number> {
  const response = await fetch(`${box.ready.master}/api/v1`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'GET_TASKS' }),
  });
  const { get_tasks } = (await response.json()) as {
    readonly get_tasks: {
      readonly tasks: readonly {
        readonly task_id: { readonly value: string };
        readonly statuses: readonly {
          readonly container_status?: { readonly executor_pid?: number };
        }[];
      }[];
    };
  };
  const task = get_tasks.tasks.find(({ task_id }) => task_id.value === taskId);
  return task?.statuses.at(-1)?.container_status?.executor_pid ?? 0;
}

test('the batch runner runs all, tries failures again, sums up and leaves nothing', async () => {
  const { child, output } = run('batch-runner.ts', box.ready.master, '6', 'test $RUN -ne 3');
  const [code] = (await once(child, 'exit')) as [number];
  expect(output().match(/TASK_FINISHED/g)).toHaveLength(5);
  expect(output().match(/run-3\.\d TASK_FAILED/g)).toHaveLength(3);
  expect(output()).toContain('5 succeeded, 1 failed');
  expect(code).toBe(1);
  expect(await runningTasks('batch-runner')).toEqual([]);
});

test('the service scheduler takes over what runs after its own death, and replaces what died', async () => {
  const args = [box.ready.master, '3', 'exec sleep 1000'];
  const first = run('service-scheduler.ts', ...args);
  const three = await waitFor('three instances', async () => {
    const tasks = await runningTasks('service-scheduler');
    return tasks.length === 3 ? tasks : undefined;
  });
  expect((await agentsOf('service-scheduler')).size).toBe(3);
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  const second = run('service-scheduler.ts', ...args);
  await waitFor('the take-over', () => (second.output().match(/TASK_RUNNING/g) ?? []).length === 3);
  expect(await runningTasks('service-scheduler')).toEqual(three);
  expect(second.output()).not.toContain('TASK_KILLED');

  const pid = await executorPid(three[0] ?? '');
  expect(pid).toBeGreaterThan(1);
  process.kill(pid, 'SIGKILL');
  const after = await waitFor('the replacement', async () => {
    const tasks = await runningTasks('service-scheduler');
    return tasks.length === 3 && !tasks.includes(three[0] ?? '') ? tasks : undefined;
  });
  expect(after).toEqual(expect.arrayContaining([three[1], three[2]]));
  expect((await agentsOf('service-scheduler')).size).toBe(3);
  second.child.kill('SIGTERM');
  expect(await once(second.child, 'exit')).toEqual([0, null]);
});

test('the shell executor runs what an agent launches, ends it when told, and leaves', async () => {
  const agent = await FakeAgent.start();
  const file = join(workspaceRoot, 'packages', 'sdk', 'examples', 'shell-executor.ts');
  const child = spawn(process.execPath, ['--conditions=@dcos/source', file], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      MESOS_FRAMEWORK_ID: 'f',
      MESOS_EXECUTOR_ID: 'e',
      MESOS_AGENT_ENDPOINT: agent.endpoint,
      MESOS_CHECKPOINT: '1',
    },
  });
  children.push(child);
  const launch = (id: string, command: string): void =>
    agent.streams[0]?.send({
      type: 'LAUNCH',
      launch: {
        task: {
          name: id,
          task_id: { value: id },
          agent_id: { value: 'a' },
          data: new TextEncoder().encode(command),
        },
      },
    });
  const states = (): readonly string[] =>
    agent.calls.map(({ update }) => `${update?.status.task_id.value} ${update?.status.state}`);
  const ended = once(child, 'exit');
  agent.onCall = ({ update }) => {
    const { task_id, uuid } = update?.status ?? {};
    if (task_id !== undefined && uuid !== undefined)
      agent.streams[0]?.send({ type: 'ACKNOWLEDGED', acknowledged: { task_id, uuid } });
    return 202;
  };
  await agent.until(() => agent.streams.length === 1);
  agent.streams[0]?.send({
    type: 'SUBSCRIBED',
    subscribed: {
      executor_info: { executor_id: { value: 'e' } },
      framework_info: { user: 'u', name: 'f' },
      agent_info: { hostname: 'h' },
    },
  });
  launch('good', 'true');
  launch('bad', 'exit 3');
  launch('long', 'exec sleep 1000');
  await agent.until(() => states().length === 5);
  expect(states()).toEqual(
    expect.arrayContaining(['good TASK_FINISHED', 'bad TASK_FAILED', 'long TASK_RUNNING']),
  );
  agent.streams[0]?.send({ type: 'SHUTDOWN' });
  expect(await ended).toEqual([0, null]);
  expect(states()).toContain('long TASK_KILLED');
  await agent.close();
});

test('the shell executor is started by an agent and runs its tasks', async () => {
  const file = join(workspaceRoot, 'packages', 'sdk', 'examples', 'shell-executor.ts');
  const executor: ExecutorInfo = {
    type: 'CUSTOM',
    executor_id: { value: 'shell' },
    command: { value: `exec '${process.execPath}' --conditions=@dcos/source '${file}'` },
  };
  const connection = connectScheduler({
    masters: [box.ready.master],
    logger: silentLogger,
    framework: {
      user: 'root',
      name: 'with-executor',
      roles: ['*'],
      failover_timeout: 0,
      capabilities: [{ type: 'MULTI_ROLE' }, { type: 'PARTITION_AWARE' }],
    },
  });
  const commands = { good: 'true', bad: 'exit 3', long: 'exec sleep 1000' };
  const states: string[] = [];
  let isLaunched = false;
  for await (const event of connection) {
    if (event.kind === 'offers') {
      for (const offer of event.offers.map(openOffer)) {
        if (isLaunched || !offer.fits({ cpus: 0.4, memMb: 160 })) {
          await connection.decline([offer.id]);
          continue;
        }
        isLaunched = true;
        const resources = offer.take({ cpus: 0.1, memMb: 64 }) ?? [];
        const tasks = Object.entries(commands).map(([name, command]): TaskInfo => ({
          name,
          task_id: { value: name },
          agent_id: offer.agentId,
          resources: offer.take({ cpus: 0.1, memMb: 32 }) ?? [],
          executor: { ...executor, resources },
          data: new TextEncoder().encode(command),
        }));
        await connection.accept([offer.id], [launch(...tasks)]);
      }
    } else if (event.kind === 'update') {
      const { task_id, state, message = '' } = event.status;
      states.push(`${task_id.value} ${state} ${message}`.trim());
      if (states.length === 5) await connection.kill({ value: 'long' });
      if (states.length === 6) await connection.teardown();
    }
  }
  expect(states.toSorted()).toEqual([
    'bad TASK_FAILED exited with 3',
    'bad TASK_RUNNING',
    'good TASK_FINISHED exited with 0',
    'good TASK_RUNNING',
    'long TASK_KILLED ended by SIGTERM',
    'long TASK_RUNNING',
  ]);
});
