/**
 * A batch runner: runs one shell command a number of times on the cluster, a few at a time, tries failed runs
 * again, and ends with a summary. Exit code 0 when every run succeeded in the end.
 *
 *   node --conditions=@dcos/source packages/sdk/examples/batch-runner.ts http://127.0.0.1:5050 20 'echo run $RUN'
 *
 * Step by step in README.md beside this file.
 */

import { parseArgs } from 'node:util';
import { silentLogger } from '@dcos/base';
import { Resources } from '@dcos/resources';
import { connectScheduler, type SchedulerConnection } from '@dcos/sdk';
import type { Offer, Resource, TaskInfo, TaskStatus } from '@dcos/wire';

const ATTEMPTS_MAX = 3;
const NEEDS = { cpus: 0.1, mem: 32 };

const { positionals } = parseArgs({ allowPositionals: true });
const [master, countText, command] = positionals;
const count = Number(countText);
if (master === undefined || command === undefined || !(count > 0)) {
  process.stderr.write('Usage: batch-runner.ts <master url> <count> <command>\n');
  process.exit(2);
}

/** Runs that still have to be started, and how often each was tried. */
const waiting = Array.from({ length: count }, (_, index) => index + 1);
const attempts = new Map<number, number>();
let succeeded = 0;
let failed = 0;

const connection = connectScheduler({
  masters: [master],
  logger: silentLogger,
  framework: {
    user: 'root',
    name: 'batch-runner',
    roles: ['*'],
    // The framework ends with this program; without a time-out the master removes it at once.
    failover_timeout: 0,
    capabilities: [{ type: 'MULTI_ROLE' }, { type: 'PARTITION_AWARE' }],
  },
});

for await (const event of connection) {
  if (event.kind === 'offers') {
    for (const offer of event.offers) await useOffer(connection, offer);
  } else if (event.kind === 'update') {
    await connection.acknowledge(event.status);
    await onStatus(connection, event.status);
  } else if (event.kind === 'stopped' && event.reason !== 'closed' && event.reason !== 'removed') {
    process.stderr.write(`${event.problem}\n`);
    process.exit(1);
  }
}
process.stdout.write(`${succeeded} succeeded, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;

/** Puts as many runs into an offer as fit, or declines it for a while. */
async function useOffer(scheduler: SchedulerConnection, offer: Offer): Promise<void> {
  const offered = Resources.fromWire(offer.resources).unreserved();
  const fits = Math.floor(Math.min(offered.cpus() / NEEDS.cpus, offered.mem() / NEEDS.mem));
  const tasks = waiting.splice(0, fits).map((run) => taskFor(run, offer));
  if (tasks.length === 0) await scheduler.decline([offer.id], { refuse_seconds: 5 });
  else await scheduler.accept([offer.id], [{ type: 'LAUNCH', launch: { task_infos: tasks } }]);
}

function taskFor(run: number, offer: Offer): TaskInfo {
  const attempt = (attempts.get(run) ?? 0) + 1;
  attempts.set(run, attempt);
  const scalar = (name: string, value: number): Resource => ({
    name,
    type: 'SCALAR',
    scalar: { value },
  });
  return {
    name: `run-${run}`,
    task_id: { value: `run-${run}.${attempt}` },
    agent_id: offer.agent_id,
    resources: [scalar('cpus', NEEDS.cpus), scalar('mem', NEEDS.mem)],
    command: {
      value: command ?? '',
      environment: { variables: [{ name: 'RUN', value: String(run) }] },
    },
  };
}

async function onStatus(scheduler: SchedulerConnection, status: TaskStatus): Promise<void> {
  const run = Number(/^run-(\d+)\./.exec(status.task_id.value)?.[1]);
  if (['TASK_STAGING', 'TASK_STARTING', 'TASK_RUNNING'].includes(status.state)) return;
  const text = `${status.task_id.value} ${status.state} ${status.message ?? ''}`;
  process.stdout.write(`${text.trimEnd()}\n`);
  if (status.state === 'TASK_FINISHED') succeeded += 1;
  else if ((attempts.get(run) ?? 0) >= ATTEMPTS_MAX) failed += 1;
  else {
    waiting.push(run);
    // Offers that were declined are wanted again.
    await scheduler.revive();
  }
  if (succeeded + failed === count) await scheduler.teardown();
}
