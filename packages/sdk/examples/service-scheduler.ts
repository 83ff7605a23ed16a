/**
 * A fault-tolerant service scheduler: keeps a number of instances of one shell command running, each on an agent
 * of its own. Kill it, the master, or an instance: instances go on, and it takes over what is there when it
 * comes back.
 *
 *   node --conditions=@dcos/source packages/sdk/examples/service-scheduler.ts http://127.0.0.1:5050 3 'sleep 1000'
 *
 * All that it must not forget is its framework id, in a file (`--state`). Everything else it asks the master.
 * Step by step in README.md beside this file.
 */

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { silentLogger } from '@dcos/base';
import { connectScheduler, launch, openOffer, type OpenOffer } from '@dcos/sdk';
import type { TaskState, TaskStatus } from '@dcos/wire';

const NEEDS = { cpus: 0.1, memMb: 32 };
const FAILOVER_TIMEOUT_SECONDS = 7 * 24 * 3600;
/** States in which an instance counts; everything else wants a successor. */
const ALIVE: ReadonlySet<TaskState> = new Set<TaskState>([
  'TASK_STAGING',
  'TASK_STARTING',
  'TASK_RUNNING',
]);

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { state: { type: 'string', default: 'service-scheduler.id' } },
});
const [master, countText, command] = positionals;
const wanted = Number(countText);
if (master === undefined || command === undefined || !(wanted >= 0)) {
  process.stderr.write(
    'Usage: service-scheduler.ts [--state <file>] <master url> <count> <command>\n',
  );
  process.exit(2);
}

/** The last known state of each instance that may still be alive. */
const instances = new Map<string, TaskStatus>();
/** Agents of instances in an ACCEPT that the master has not told us of yet. */
const launching = new Map<string, string>();
const storedId = existsSync(values.state) ? readFileSync(values.state, 'utf8').trim() : undefined;

const connection = connectScheduler({
  masters: [master],
  logger: silentLogger,
  // No offers before we know what there is; `revive` asks for them.
  suppressedRoles: ['*'],
  // After every subscription the connection asks for these by name, then for whatever there is.
  tasks: () => instances.values(),
  framework: {
    ...(storedId === undefined ? {} : { id: { value: storedId } }),
    user: 'root',
    name: 'service-scheduler',
    roles: ['*'],
    checkpoint: true,
    failover_timeout: FAILOVER_TIMEOUT_SECONDS,
    capabilities: [{ type: 'MULTI_ROLE' }, { type: 'PARTITION_AWARE' }],
  },
});
process.once('SIGINT', () => void connection.close());
process.once('SIGTERM', () => void connection.close());

for await (const event of connection) {
  switch (event.kind) {
    case 'subscribed':
      saveId(event.frameworkId);
      launching.clear();
      // What was asked for is answered before any offer that this call causes.
      await connection.revive();
      process.stdout.write(`subscribed ${event.frameworkId}\n`);
      break;
    case 'offers':
      for (const offer of event.offers) await useOffer(openOffer(offer));
      break;
    case 'update':
      await onStatus(event.status);
      break;
    case 'stopped':
      if (event.reason !== 'closed') process.stderr.write(`${event.reason}: ${event.problem}\n`);
      process.exitCode = event.reason === 'closed' ? 0 : 1;
      break;
    default:
  }
}

function saveId(id: string): void {
  writeFileSync(`${values.state}.new`, id);
  renameSync(`${values.state}.new`, values.state);
}

async function useOffer(offer: OpenOffer): Promise<void> {
  const missing = wanted - instances.size - launching.size;
  const resources = missing > 0 && isFree(offer.agentId.value) ? offer.take(NEEDS) : undefined;
  if (resources === undefined) {
    await connection.decline([offer.id]);
    // Nothing to start: no more offers until an instance is lost.
    if (missing <= 0) await connection.suppress();
    return;
  }
  const id = `instance-${crypto.randomUUID()}`;
  launching.set(id, offer.agentId.value);
  const task = {
    name: 'instance',
    task_id: { value: id },
    agent_id: offer.agentId,
    resources,
    command: { value: command ?? '' },
  };
  await connection.accept([offer.id], [launch(task)]);
}

/** Whether no instance is on that agent or on its way there. */
function isFree(agent: string): boolean {
  const agents = [...instances.values()].map(({ agent_id }) => agent_id?.value);
  return !agents.includes(agent) && ![...launching.values()].includes(agent);
}

async function onStatus(status: TaskStatus): Promise<void> {
  const id = status.task_id.value;
  launching.delete(id);
  const before = instances.get(id)?.state;
  if (before === status.state) return;
  process.stdout.write(`${id} ${status.state}\n`);
  if (ALIVE.has(status.state)) {
    instances.set(id, status);
    // One that was given up and came back is one too many.
    if (before === undefined && instances.size > wanted) await connection.kill(status.task_id);
    return;
  }
  instances.delete(id);
  await connection.revive();
}
