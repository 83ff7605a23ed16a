/**
 * A fault-tolerant service scheduler: keeps a number of instances of one shell command running. Kill it, the
 * master, or an instance: instances go on, and it takes over what is there when it comes back.
 *
 *   node --conditions=@dcos/source packages/sdk/examples/service-scheduler.ts http://127.0.0.1:5050 3 'sleep 1000'
 *
 * All that it must not forget is its framework id, in a file (`--state`). Everything else it asks the master.
 * Step by step in README.md beside this file.
 */

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { silentLogger } from '@dcos/base';
import { Resources } from '@dcos/resources';
import { connectScheduler } from '@dcos/sdk';
import type { Offer, Resource, TaskInfo, TaskState, TaskStatus } from '@dcos/wire';

const NEEDS = { cpus: 0.1, mem: 32 };
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

/** The last known state of each instance that may still be alive, and where it is. */
const instances = new Map<string, TaskStatus>();
/** Instances in an ACCEPT that the master has not told us of yet. */
const launching = new Set<string>();
const storedId = existsSync(values.state) ? readFileSync(values.state, 'utf8').trim() : undefined;

const connection = connectScheduler({
  masters: [master],
  logger: silentLogger,
  // No offers before we know what there is; `revive` asks for them.
  suppressedRoles: ['*'],
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
      // First by name what we believe in, so that what died meanwhile is told; then whatever there is.
      await connection.reconcile([...instances.values()].map(named));
      if (instances.size > 0) await connection.reconcile([]);
      // The answers are on the stream before any offer that this call causes.
      await connection.revive();
      process.stdout.write(`subscribed ${event.frameworkId}\n`);
      break;
    case 'offers':
      for (const offer of event.offers) await useOffer(offer);
      break;
    case 'update':
      await connection.acknowledge(event.status);
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

function named(status: TaskStatus): Pick<TaskStatus, 'task_id' | 'agent_id'> {
  const { task_id, agent_id } = status;
  return agent_id === undefined ? { task_id } : { task_id, agent_id };
}

async function useOffer(offer: Offer): Promise<void> {
  const offered = Resources.fromWire(offer.resources).unreserved();
  const fits = Math.floor(Math.min(offered.cpus() / NEEDS.cpus, offered.mem() / NEEDS.mem));
  const missing = Math.max(0, wanted - instances.size - launching.size);
  const tasks = Array.from({ length: Math.min(fits, missing) }, () => newTask(offer));
  if (tasks.length > 0) {
    await connection.accept([offer.id], [{ type: 'LAUNCH', launch: { task_infos: tasks } }]);
  } else {
    await connection.decline([offer.id]);
    // Nothing to start: no more offers until an instance is lost.
    if (missing === 0) await connection.suppress();
  }
}

function newTask(offer: Offer): TaskInfo {
  const id = `instance-${crypto.randomUUID()}`;
  launching.add(id);
  const resources: readonly Resource[] = Object.entries(NEEDS).map(([name, value]) => ({
    name,
    type: 'SCALAR',
    scalar: { value },
  }));
  return {
    name: 'instance',
    task_id: { value: id },
    agent_id: offer.agent_id,
    resources,
    command: { value: command ?? '' },
  };
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
