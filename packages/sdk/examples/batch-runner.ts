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
import { connectScheduler, launch, openOffer, type OpenOffer } from '@dcos/sdk';
import type { Resource, TaskInfo, TaskStatus } from '@dcos/wire';

const ATTEMPTS_MAX = 3;
const NEEDS = { cpus: 0.1, memMb: 32 };

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
    for (const offer of event.offers) await useOffer(openOffer(offer));
  } else if (event.kind === 'update') {
    // Acknowledged by the connection when the next event is asked for.
    await onStatus(event.status);
  } else if (event.kind === 'stopped' && event.reason !== 'closed' && event.reason !== 'removed') {
    process.stderr.write(`${event.problem}\n`);
    process.exit(1);
  }
}
process.stdout.write(`${succeeded} succeeded, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;

/** Puts as many runs into an offer as fit, or declines it for a while. */
async function useOffer(offer: OpenOffer): Promise<void> {
  const tasks: TaskInfo[] = [];
  while (waiting.length > 0) {
    const resources = offer.take(NEEDS);
    if (resources === undefined) break;
    tasks.push(taskFor(waiting.shift() ?? 0, offer, resources));
  }
  if (tasks.length === 0) await connection.decline([offer.id], { refuse_seconds: 5 });
  else await connection.accept([offer.id], [launch(...tasks)]);
}

function taskFor(run: number, offer: OpenOffer, resources: readonly Resource[]): TaskInfo {
  const attempt = (attempts.get(run) ?? 0) + 1;
  attempts.set(run, attempt);
  return {
    name: `run-${run}`,
    task_id: { value: `run-${run}.${attempt}` },
    agent_id: offer.agentId,
    resources,
    command: {
      value: command ?? '',
      environment: { variables: [{ name: 'RUN', value: String(run) }] },
    },
  };
}

async function onStatus(status: TaskStatus): Promise<void> {
  const run = Number(/^run-(\d+)\./.exec(status.task_id.value)?.[1]);
  if (['TASK_STAGING', 'TASK_STARTING', 'TASK_RUNNING'].includes(status.state)) return;
  const text = `${status.task_id.value} ${status.state} ${status.message ?? ''}`;
  process.stdout.write(`${text.trimEnd()}\n`);
  if (status.state === 'TASK_FINISHED') succeeded += 1;
  else if ((attempts.get(run) ?? 0) >= ATTEMPTS_MAX) failed += 1;
  else {
    waiting.push(run);
    // Offers that were declined are wanted again.
    await connection.revive();
  }
  if (succeeded + failed === count) await connection.teardown();
}
