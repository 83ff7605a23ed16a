/**
 * A small executor: runs the command of every task it is given in a shell, and reports how it ended. An agent
 * starts it with the MESOS_* variables; a task's `ExecutorInfo.command` names it.
 *
 *   node --conditions=@dcos/source packages/sdk/examples/shell-executor.ts
 *
 * Step by step in README.md beside this file.
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { silentLogger } from '@dcos/base';
import { connectExecutor } from '@dcos/sdk';
import type { TaskInfo } from '@dcos/wire';

const running = new Map<string, ChildProcess>();
const killed = new Set<string>();
/** Updates under way: nothing is left to tell when all are acknowledged. */
const told: Promise<void>[] = [];
const connection = connectExecutor({ logger: silentLogger });

for await (const event of connection) {
  switch (event.kind) {
    case 'launch':
      start(event.task);
      break;
    case 'launchGroup':
      event.tasks.forEach(start);
      break;
    case 'kill':
      kill(event.taskId.value);
      break;
    case 'shutdown':
      for (const id of running.keys()) kill(id);
      void leave();
      break;
    case 'stopped':
      // The agent is lost for good, or refused us: tasks nobody knows of must not go on.
      for (const child of running.values()) child.kill('SIGKILL');
      process.exitCode = event.reason === 'closed' ? 0 : 1;
      break;
    default:
  }
}

function start(task: TaskInfo): void {
  const id = task.task_id.value;
  const data = task.data === undefined ? '' : Buffer.from(task.data).toString();
  const child = spawn('/bin/sh', ['-c', task.command?.value ?? data], { stdio: 'inherit' });
  running.set(id, child);
  told.push(connection.update(task.task_id, 'TASK_RUNNING'));
  child.once('exit', (code, signal) => {
    running.delete(id);
    const end = code === 0 ? 'TASK_FINISHED' : 'TASK_FAILED';
    const message = signal === null ? `exited with ${code}` : `ended by ${signal}`;
    told.push(connection.update(task.task_id, killed.has(id) ? 'TASK_KILLED' : end, { message }));
  });
}

function kill(id: string): void {
  killed.add(id);
  running.get(id)?.kill('SIGTERM');
}

/** Leaves when every task has ended and the agent knows it. */
async function leave(): Promise<void> {
  await Promise.all([...running.values()].map((child) => once(child, 'exit')));
  await Promise.allSettled(told);
  await connection.close();
}
