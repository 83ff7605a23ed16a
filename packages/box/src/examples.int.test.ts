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

const scratch = temporaryDirectory('examples');
let box: BoxProcess;
const children: ChildProcess[] = [];

beforeAll(async () => {
  box = await startBoxProcess(join(scratch.path, 'data'));
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
});
