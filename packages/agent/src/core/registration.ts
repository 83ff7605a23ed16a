/**
 * Connection and registration: attempts with a random, doubling wait, REGISTER with everything that is
 * here, and a limit on the master's silence. Source: mesos-kernel §6.1.
 */

import { agentId, randomFraction } from '@dcos/base';
import type { agentProtocol } from '@dcos/wire';
import { log, type Context } from './context.ts';
import { shutdownExecutors } from './custom-executors.ts';
import { killTask } from './killing.ts';
import { endLaunched } from './launched-containers.ts';
import { stopWhenIdle } from './completion.ts';
import { isTerminal } from './model.ts';
import { capabilitiesOf, PROTOCOL_VERSION } from './options.ts';
import { operationMessages, tellAllOperations } from './operations.ts';
import { AGENT_KEY, agentToJson } from './records.ts';
import { reportedTotal } from './revocable.ts';
import { sendAllHeads } from './status-updates.ts';
import { taskMessage } from './task-view.ts';

/** Completed tasks that a registration carries, newest first; for the master's history only. */
const COMPLETED_TASKS_SENT_MAX = 200;

/** Connects without waiting. */
export function connectNow(context: Context): void {
  if (context.stopped) return;
  context.phase = 'connecting';
  context.effects.push({ kind: 'connect' });
}

/** The socket is open. */
export function connected(context: Context): void {
  context.phase = 'registering';
  context.effects.push(
    { kind: 'send', message: { type: 'REGISTER', register: registerMessage(context) } },
    { kind: 'timer', id: 'registration', afterMs: context.options.times.registrationTimeoutMs },
  );
}

function registerMessage(context: Context): agentProtocol.Register {
  const { agentId: id, options } = context;
  const completed = [...context.completed.values()].slice(-COMPLETED_TASKS_SENT_MAX);
  return {
    protocol: PROTOCOL_VERSION,
    agent_info: id === undefined ? options.info : { ...options.info, id: { value: id } },
    version: options.version,
    ip: options.ip,
    capabilities: capabilitiesOf(context.options.runtimes).map((type) => ({ type })),
    frameworks: [...context.frameworks.values()].map(({ info }) => info),
    tasks: [...context.live.values()].map((task) => taskMessage(task, id ?? '')),
    completed_tasks: completed.map((task) => taskMessage(task, id ?? '')),
    total_resources: reportedTotal(context),
    operations: operationMessages(context),
    executors: Array.from(context.executors.values(), ({ frameworkId, info }) => ({
      framework_id: { value: frameworkId },
      executor_info: info,
    })),
    ...(context.drain !== undefined && { drain_config: context.drain }),
  };
}

/** The socket is closed, or could not be opened. */
export function disconnected(context: Context, reason: string): void {
  if (context.stopped || context.phase === 'recovering') return;
  if (context.phase === 'registered') log(context, 'warn', 'master.lost', reason);
  context.phase = 'disconnected';
  context.effects.push(
    { kind: 'cancelTimer', id: 'registration' },
    { kind: 'cancelTimer', id: 'silence' },
  );
  connectLater(context);
}

/**
 * Another master leads: what was tried in vain before says nothing about it. As the original's agents, which
 * begin their waits anew with every master that they detect.
 */
export function masterChanged(context: Context): void {
  context.attempts = 0;
  if (context.phase === 'disconnected' && !context.stopped) connectLater(context);
}

/** Random, so that not all agents come at once. */
function connectLater(context: Context): void {
  const { registrationBackoffMs, registrationBackoffMaxMs } = context.options.times;
  const bound = Math.min(
    registrationBackoffMs * 2 ** Math.min(context.attempts, 30),
    registrationBackoffMaxMs,
  );
  context.attempts += 1;
  const afterMs = randomFraction(context.random) * bound;
  context.effects.push({ kind: 'timer', id: 'connect', afterMs });
}

/** The master took us in: durable on its side, made durable on ours before anything else happens. */
export function registered(context: Context, message: agentProtocol.Registered): void {
  const id = agentId(message.agent_id.value);
  if (context.agentId !== undefined && context.agentId !== id) {
    log(context, 'error', 'agent.renamed', `the master calls us ${id}, we are ${context.agentId}`);
  }
  context.agentId = id;
  context.phase = 'registered';
  context.attempts = 0;
  context.pingTimeoutMs = message.ping_timeout_ms;
  const info = { ...context.options.info, id: { value: id } };
  context.effects.push(
    { kind: 'cancelTimer', id: 'registration' },
    { kind: 'persist', key: AGENT_KEY, value: agentToJson({ info }) },
    { kind: 'registered', agentId: id },
  );
  heardFromMaster(context);
  log(context, 'info', 'agent.registered', `registered as ${id} with master ${message.master_id}`);
  sendAllHeads(context);
  tellAllOperations(context);
}

/** Anything from the master restarts the limit on its silence. */
export function heardFromMaster(context: Context): void {
  if (context.phase !== 'registered') return;
  context.effects.push({ kind: 'timer', id: 'silence', afterMs: context.pingTimeoutMs });
}

/** The master refused us: for good, or until something changes. */
export function rejected(context: Context, message: agentProtocol.Rejected): void {
  if (message.shutdown) {
    shutdown(context, `the master refused this agent: ${message.message}`);
    return;
  }
  log(context, 'error', 'registration.rejected', message.message);
  context.effects.push({ kind: 'disconnect' });
}

/** Kills everything; `stopped` follows. */
export function shutdown(context: Context, reason: string): void {
  context.stopping ??= reason;
  log(context, 'warn', 'agent.stopping', reason);
  for (const task of context.live.values()) {
    if (!isTerminal(task.state)) killTask(context, task, 'agent');
  }
  shutdownExecutors(context);
  endLaunched(context);
  stopWhenIdle(context);
}
