/**
 * The agent is killed a hundred times, at random moments of launches, updates and kills, with many tasks. A small
 * master of the test's own remembers everything: no task runs twice, none is lost, none ends otherwise than it did.
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { present, randomBelow, seededRandom, silentLogger } from '@dcos/base';
import { createOciRuntime } from '@dcos/containers';
import type { TaskStatus } from '@dcos/wire';
import { startAgent } from './shell/start-agent.ts';
import {
  commandTask,
  startFakeMaster,
  until,
  FRAMEWORK,
  type FakeMaster,
} from './testing/fake-master.ts';

const SEED = Number(process.env['CHAOS_SEED'] ?? 20261127);
/** How much is done with each runtime. */
const ROUNDS = [
  { runtime: 'process', kills: 100, lasting: 25, brief: 150 },
  { runtime: 'oci', kills: 30, lasting: 10, brief: 60 },
] as const;
const TERMINAL = ['TASK_FINISHED', 'TASK_FAILED', 'TASK_KILLED', 'TASK_DROPPED'];

/** What a task does, and so how it must end. */
interface Plan {
  readonly id: string;
  readonly command: string;
  /** Undefined for one that lasts until it is killed. */
  readonly exitCode: number | undefined;
  isKilled: boolean;
}

const ociReason = await createOciRuntime({
  stateRoot: '/none',
  logger: silentLogger,
}).unavailable();
if (ociReason !== undefined) console.warn(`SKIPPED deaths of agents with oci: ${ociReason}`);
const rounds = ROUNDS.filter(({ runtime }) => runtime === 'process' || ociReason === undefined);

test.each(rounds)(
  `killed $kills times with $runtime, the agent loses no task and runs none twice (seed ${SEED})`,
  async ({ runtime, kills, lasting, brief }) => {
    const random = seededRandom(SEED);
    const below = (bound: number): number => randomBelow(random, bound);
    const workDir = await mkdtemp(join(tmpdir(), 'dcos-chaos-'));
    const master = await startFakeMaster();
    const plans: Plan[] = [];
    const waiting = [
      ...Array.from({ length: lasting }, (_, index) => lastingPlan(index)),
      ...Array.from({ length: brief }, (_, index) => briefPlan(index, below(4), below(300))),
    ];
    const agents: ChildProcess[] = [];
    try {
      for (let kill = 0; kill < kills; kill++) {
        const child = startProcess(workDir, master, runtime);
        agents.push(child);
        const from = master.registrations.length;
        // A few are killed before they have found anything.
        const early = below(10) === 0;
        if (early) await pause(below(400));
        else {
          await until(() => master.registrations.length > from, 'the agent registers');
          reconcile(master, plans);
          const share = Math.ceil(waiting.length / (kills - kill));
          for (const plan of waiting.splice(0, share)) {
            plans.push(plan);
            master.run(commandTask(plan.id, plan.command));
            if (below(3) === 0) await pause(below(20));
          }
          master.acknowledging = below(3) > 0;
          if (below(2) === 0) killOne(master, plans, below);
          await pause(below(60));
        }
        const ended = once(child, 'exit');
        child.kill('SIGKILL');
        await ended;
      }
      master.acknowledging = true;
      const from = master.registrations.length;
      const last = await startAgent(
        { ...SETTINGS, runtimes: runtime, masters: [master.url], workDir, port: 0 },
        { logger: silentLogger },
      );
      await until(() => master.registrations.length > from, 'the last agent registers');
      reconcile(master, plans);
      const lasts = (plan: Plan): boolean => plan.exitCode === undefined && !plan.isKilled;
      const open = (): readonly Plan[] =>
        plans.filter((plan) => !lasts(plan) && endOf(master, plan.id) === undefined);
      // A kill may have been lost with the agent: a master sends it again.
      for (const plan of open()) if (plan.isKilled) master.kill(plan.id, 0);
      await until(() => open().length === 0, 'all others have ended');
      for (const plan of plans) judge(master, plan, workDir);
      const running = last.snapshot().live.filter(({ endedAt }) => endedAt === undefined);
      expect(running.map(({ taskId }) => String(taskId)).toSorted()).toEqual(
        plans
          .filter((plan) => lasts(plan) && endOf(master, plan.id) === undefined)
          .map(({ id }) => id)
          .toSorted(),
      );
      await last.shutdown({ killTasks: true });
    } finally {
      for (const child of agents) child.kill('SIGKILL');
      await master.close();
      await rm(workDir, { recursive: true, force: true });
    }
  },
  600_000,
);

const SETTINGS = {
  resources: 'cpus:400;mem:100000;disk:1024;ports:[31000-31099]',
  registrationBackoffMs: 10,
  registrationBackoffMaxMs: 50,
};

function startProcess(workDir: string, master: FakeMaster, runtime: string): ChildProcess {
  const program = fileURLToPath(new URL('./main.ts', import.meta.url));
  return spawn(
    process.execPath,
    [
      '--conditions=@dcos/source',
      program,
      `--masters=${master.url}`,
      '--log-level=silent',
      `--work-dir=${workDir}`,
      '--port=0',
      `--runtimes=${runtime}`,
      `--resources=${SETTINGS.resources}`,
      '--registration-backoff-ms=10',
    ],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
      // A hundred starts: what was compiled once is not compiled again.
      env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'dcos-chaos-compiled') },
    },
  );
}

const pause = async (milliseconds: number): Promise<void> =>
  await new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Each task notes that it began, so that a second beginning is seen. */
const lastingPlan = (index: number): Plan => ({
  id: `lasting-${index}`,
  command: 'echo began >>began; exec sleep 1000',
  exitCode: undefined,
  isKilled: false,
});

const briefPlan = (index: number, exitCode: number, milliseconds: number): Plan => ({
  id: `brief-${index}`,
  command: `echo began >>began; sleep ${milliseconds / 1000}; exit ${exitCode}`,
  exitCode,
  isKilled: false,
});

/** As a master does: what the agent does not know of, it must say something about. */
function reconcile(master: FakeMaster, plans: readonly Plan[]): void {
  const known = new Set(
    (master.registrations.at(-1)?.tasks ?? []).map(({ task_id }) => task_id.value),
  );
  const missing = plans.filter(({ id }) => endOf(master, id) === undefined && !known.has(id));
  if (missing.length === 0) return;
  master.send({
    type: 'RECONCILE',
    reconcile: {
      framework_id: present(FRAMEWORK.id, 'its id'),
      framework_info: FRAMEWORK,
      task_ids: missing.map(({ id: value }) => ({ value })),
    },
  });
}

function killOne(
  master: FakeMaster,
  plans: readonly Plan[],
  below: (bound: number) => number,
): void {
  const live = plans.filter(({ id, isKilled }) => !isKilled && endOf(master, id) === undefined);
  const plan = live[below(Math.max(1, live.length))];
  if (plan === undefined || below(4) > 0) return;
  plan.isKilled = true;
  master.kill(plan.id, below(2));
}

function statusesOf(master: FakeMaster, id: string): readonly TaskStatus[] {
  return master.updates.filter(({ task_id }) => task_id.value === id);
}

function endOf(master: FakeMaster, id: string): TaskStatus | undefined {
  return statusesOf(master, id).find(({ state }) => TERMINAL.includes(state));
}

function judge(master: FakeMaster, plan: Plan, workDir: string): void {
  const statuses = statusesOf(master, plan.id);
  const what = `${plan.id}: ${statuses.map(({ state }) => state).join(', ')}`;
  const ends = new Set(
    statuses.filter(({ state }) => TERMINAL.includes(state)).map(({ state }) => state),
  );
  expect(ends.size, what).toBeLessThanOrEqual(1);
  const runs = join(workDir, 'slaves/latest/frameworks/framework-0000/executors', plan.id, 'runs');
  const mark = join(runs, 'latest', 'began');
  const began = existsSync(mark) ? readFileSync(mark, 'utf8') : '';
  expect(began.split('\n').length - 1, what).toBeLessThanOrEqual(1);
  const end = endOf(master, plan.id);
  if (end === undefined) {
    expect(began, what).toBe('began\n');
    return;
  }
  if (end.state === 'TASK_DROPPED') expect(began, what).toBe('');
  else if (plan.isKilled && end.state === 'TASK_KILLED') return;
  else if (plan.exitCode === 0) expect(end.state, what).toBe('TASK_FINISHED');
  else if (plan.exitCode !== undefined)
    expect(end.message, what).toBe(`Command exited with status ${plan.exitCode}`);
  else expect(plan.isKilled, what).toBe(true);
}
