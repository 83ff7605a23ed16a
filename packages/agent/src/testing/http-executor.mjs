/**
 * An executor written with nothing but an HTTP library: what a framework brings, in a file of its own. It runs the
 * command in each task's data, tells how it ended, keeps updates until they are acknowledged, and subscribes again when
 * the agent went away.
 */

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

const { MESOS_AGENT_ENDPOINT, MESOS_FRAMEWORK_ID, MESOS_EXECUTOR_ID } = process.env;
const PATIENCE_MS = 30_000;
const RETRY_MS = 50;

const tasks = new Map();
const processes = new Map();
const unacknowledged = new Map();
const killed = new Set();
let isLeaving = false;

/** Sends a call; resolves with the answer's head. */
async function send(call) {
  const body = JSON.stringify({
    framework_id: { value: MESOS_FRAMEWORK_ID },
    executor_id: { value: MESOS_EXECUTOR_ID },
    ...call,
  });
  return await new Promise((resolve, reject) => {
    const outgoing = request(`http://${MESOS_AGENT_ENDPOINT}/slave(1)/api/v1/executor`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
    });
    outgoing.on('response', resolve).on('error', reject);
    outgoing.end(body);
  });
}

async function tell(taskId, state, more = {}) {
  const uuid = randomBytes(16).toString('base64');
  const status = { task_id: { value: taskId }, state, source: 'SOURCE_EXECUTOR', uuid, ...more };
  unacknowledged.set(uuid, { status });
  try {
    (await send({ type: 'UPDATE', update: { status } })).resume();
  } catch {
    // The agent is away: the next subscription carries it.
  }
}

function launch(task) {
  const id = task.task_id.value;
  tasks.set(id, task);
  const command = Buffer.from(task.data, 'base64').toString();
  const child = spawn('/bin/sh', ['-c', command], { stdio: 'inherit' });
  processes.set(id, child);
  void tell(id, 'TASK_RUNNING');
  child.on('exit', (code, signal) => {
    const end = code === 0 ? 'TASK_FINISHED' : 'TASK_FAILED';
    const state = killed.has(id) ? 'TASK_KILLED' : end;
    void tell(id, state, { message: `ended with ${signal ?? code}` });
  });
}

function onEvent(event) {
  if (event.type === 'LAUNCH') launch(event.launch.task);
  else if (event.type === 'KILL') {
    const id = event.kill.task_id.value;
    killed.add(id);
    processes.get(id)?.kill('SIGTERM');
  } else if (event.type === 'ACKNOWLEDGED') {
    unacknowledged.delete(event.acknowledged.uuid);
    tasks.delete(event.acknowledged.task_id.value);
  } else if (event.type === 'SHUTDOWN') {
    isLeaving = true;
    for (const child of processes.values()) child.kill('SIGTERM');
    setTimeout(() => process.exit(0), RETRY_MS);
  }
}

/** One subscription, until the agent ends it. */
async function subscription() {
  const response = await send({
    type: 'SUBSCRIBE',
    subscribe: {
      unacknowledged_tasks: [...tasks.values()],
      unacknowledged_updates: [...unacknowledged.values()],
    },
  });
  if (response.statusCode !== 200) {
    response.resume();
    return;
  }
  let text = '';
  response.setEncoding('utf8');
  for await (const piece of response) {
    text += piece;
    for (;;) {
      const end = text.indexOf('\n');
      const length = Number(text.slice(0, end));
      if (end < 0 || text.length < end + 1 + length) break;
      onEvent(JSON.parse(text.slice(end + 1, end + 1 + length)));
      text = text.slice(end + 1 + length);
    }
  }
}

let lastHeardAt = Date.now();
for (;;) {
  if (isLeaving || Date.now() - lastHeardAt > PATIENCE_MS) break;
  try {
    await subscription();
    lastHeardAt = Date.now();
  } catch {
    // The agent is away; it is given time to come back.
  }
  await pause(RETRY_MS);
}
process.exit(isLeaving ? 0 : 1);
