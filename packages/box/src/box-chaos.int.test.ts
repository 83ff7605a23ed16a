import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { randomBelow, seededRandom } from '@dcos/base';
import {
  startBoxProcess,
  temporaryDirectory,
  waitFor,
  type BoxProcess,
  type TemporaryDirectory,
} from '@dcos/testkit';
import { boxClient, serverCommand } from './testing/box-client.ts';

const ROUNDS = 6;
/** Changes are made and the box is killed at some moment within this time. */
const KILL_WITHIN_MS = 1200;

let scratch: TemporaryDirectory;
let box: BoxProcess | undefined;
beforeEach(() => {
  scratch = temporaryDirectory('box-chaos');
});
afterEach(async () => {
  await box?.stop('SIGTERM');
  scratch.remove();
});

/** The task ids of all servers of this test that run on the machine, whoever knows of them. */
function taskIdsOfProcesses(marker: string): readonly string[] {
  const found: string[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const command = readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0');
      // The server itself, not the shells over it.
      if (command[1] !== '-e' || !(command[2] ?? '').includes(marker)) continue;
      const environment = readFileSync(`/proc/${entry}/environ`, 'utf8').split('\0');
      const id = environment.find((line) => line.startsWith('MESOS_TASK_ID='));
      if (id !== undefined) found.push(id.slice('MESOS_TASK_ID='.length));
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code !== 'ENOENT' && code !== 'ESRCH') throw error;
    }
  }
  return found.sort();
}

test('killed again and again in the middle of changes, it ends with what was asked for and nothing else', async () => {
  const seed = 20_261_120;
  const random = seededRandom(seed);
  const data = join(scratch.path, 'data');
  const marker = `chaos-${process.pid}`;
  const app = { id: 'chaos', cmd: serverCommand(marker, 0), cpus: 0.1, mem: 16 };
  let wanted = 4;
  box = await startBoxProcess(data);
  await boxClient(box).marathon('POST', '/apps', { ...app, instances: wanted });
  for (let round = 0; round < ROUNDS; round++) {
    const client = boxClient(box);
    const next = 1 + randomBelow(random, 8);
    const update = await client.marathon('PUT', '/apps/chaos?force=true', { instances: next });
    expect(update.status, `round ${round}`).toBe(200);
    // What was answered with 200 must hold after any death.
    wanted = next;
    const waitMs = randomBelow(random, KILL_WITHIN_MS);
    const until = performance.now() + waitMs;
    await waitFor('the moment of the kill', () => performance.now() >= until);
    await box.stop('SIGKILL');
    box = await startBoxProcess(data);
  }
  const settled = await boxClient(box).running('chaos', wanted);
  const known = settled.tasks.map((task) => task.id).sort();
  // Every process belongs to a task, every task has one process.
  await waitFor(`one process for each of ${known.join(', ')} (seed ${seed})`, () => {
    const running = taskIdsOfProcesses(marker);
    return JSON.stringify(running) === JSON.stringify(known) ? true : undefined;
  });
  for (const task of settled.tasks) {
    const response = await waitFor('an answer', () =>
      fetch(`http://${task.host}:${task.ports[0]}/`),
    );
    expect(await response.text()).toBe(marker);
  }
});
