/**
 * Containers that clients launch through the agent's API: nested ones and sessions in the surroundings of a task,
 * and standalone ones. They are no tasks: the master knows nothing of them.
 *
 * Invariants: a container ends with the one that it is nested in; its end can be asked for until it is removed,
 * or until the task is gone; a session ends with its connection and does not survive the agent, the others do.
 * Source: mesos-kernel §3.3; texts as recorded.
 */

import { containerId, randomUuid, type ContainerId } from '@dcos/base';
import type { CommandInfo, ContainerInfo, Resource } from '@dcos/wire';
import { stopWhenIdle } from './completion.ts';
import { taskOf, type Context } from './context.ts';
import type { FoundContainer } from './events.ts';
import { executorOfContainer } from './executors.ts';
import { isTerminal, type ExitStatus, type LaunchedContainer, type RuntimeName } from './model.ts';
import { LAUNCHED_PREFIX, launchedToJson } from './records.ts';

/** Containers that may be here at once, ended ones that nobody removed included. */
export const LAUNCHED_MAX = 1_000;
/** Ended sessions that are remembered: clients ask for their end and never remove them. */
export const ENDED_SESSIONS_MAX = 100;

/** Only sessions, and containers at a terminal, have an input that can be attached to. */
const NO_STREAMS = 'I/O switchboard server was disabled for this container';

/** Names a call until its answer. */
export type CallId = number;

/** What a client asks of a container; `path` is its chain of ids, the outermost first. */
export type ContainerCall =
  | {
      readonly kind: 'launch';
      readonly path: readonly string[];
      readonly isSession: boolean;
      readonly command: CommandInfo;
      readonly container?: ContainerInfo;
      readonly resources?: readonly Resource[];
    }
  | {
      readonly kind: 'wait' | 'remove' | 'attachInput' | 'attachOutput';
      readonly path: readonly string[];
    }
  | { readonly kind: 'kill'; readonly path: readonly string[]; readonly signal: number };

export type ContainerAnswer =
  | { readonly kind: 'done' }
  /** It had been launched before. */
  | { readonly kind: 'present' }
  | { readonly kind: 'ended'; readonly status: ExitStatus }
  /** The streams of this session may be handed over. */
  | { readonly kind: 'attached'; readonly id: ContainerId }
  /** The input of this container's terminal may be handed over. */
  | { readonly kind: 'terminal'; readonly id: ContainerId; readonly runtime: RuntimeName }
  /** What this container writes to its sandbox may be handed over. */
  | { readonly kind: 'followed'; readonly id: ContainerId }
  | { readonly kind: 'refused'; readonly code: 400 | 404 | 500; readonly message: string };

/** Takes a call; its answer follows at once or, for a launch and a wait, later. */
export function containerCalled(context: Context, call: CallId, asked: ContainerCall): void {
  const name = asked.path.join('.');
  const found = context.launched.get(name);
  if (asked.kind === 'launch') {
    launch(context, call, asked);
    return;
  }
  if (asked.kind === 'remove') {
    remove(context, call, found);
    return;
  }
  const ofTask = runningTask(context, containerId(asked.path.at(-1) ?? ''));
  if (found === undefined && ofTask !== undefined) {
    if (asked.kind === 'attachInput') return attachInput(context, call, ofTask);
    if (asked.kind === 'attachOutput')
      return answer(context, call, { kind: 'followed', id: ofTask.containerId });
  }
  if (found === undefined) {
    const where = asked.kind === 'kill' ? `'${name}'` : name;
    const more = asked.kind === 'kill' ? ' (or is already killed)' : '';
    refuse(context, call, 404, `Container ${where} cannot be found${more}`);
    return;
  }
  if (asked.kind === 'wait') {
    if (found.status !== undefined) answer(context, call, { kind: 'ended', status: found.status });
    else context.waiting.set(call, name);
  } else if (asked.kind === 'kill') {
    if (found.status !== undefined)
      refuse(context, call, 404, `Container '${name}' cannot be found (or is already killed)`);
    else {
      context.effects.push({ kind: 'signalContainer', container: found, signal: asked.signal });
      answer(context, call, { kind: 'done' });
    }
  } else attach(context, call, found, asked.kind);
}

function launch(
  context: Context,
  call: CallId,
  asked: Extract<ContainerCall, { readonly kind: 'launch' }>,
): void {
  const { path } = asked;
  const name = path.join('.');
  if (context.launched.has(name)) {
    answer(context, call, { kind: 'present' });
    return;
  }
  const parent = path.length === 1 ? undefined : parentOf(context, path);
  if (path.length > 1 && parent === undefined) {
    const parentName = path.slice(0, -1).join('.');
    refuse(context, call, 400, `Parent container ${parentName} does not exist`);
    return;
  }
  if (context.stopping !== undefined) {
    refuse(context, call, 500, 'The agent is stopping');
    return;
  }
  if (context.launched.size >= LAUNCHED_MAX) {
    const text = `The agent holds ${LAUNCHED_MAX} containers that were launched through its API: remove some`;
    refuse(context, call, 500, text);
    return;
  }
  if (parent?.task.runtime === 'docker' && !asked.isSession) {
    const text = 'Only sessions can be nested in a container of the Docker engine';
    refuse(context, call, 400, text);
    return;
  }
  const container: LaunchedContainer = {
    path,
    depth: parent?.depth ?? 0,
    ...(parent !== undefined && { task: parent.task.containerId }),
    containerId: containerId(randomUuid(context.random)),
    runtime: parent?.task.runtime ?? (context.options.runtimes.has('oci') ? 'oci' : 'process'),
    isSession: asked.isSession,
    command: asked.command,
    ...(asked.container !== undefined && { container: asked.container }),
    ...(asked.resources !== undefined && { resources: asked.resources }),
  };
  save(context, container);
  context.launching.set(container.containerId, call);
  context.effects.push({ kind: 'launchContainer', container });
}

/** A running container of a task or of an executor. */
interface Surroundings {
  readonly containerId: ContainerId;
  readonly runtime: RuntimeName;
  readonly container: ContainerInfo | undefined;
  /** Of the executor around a task of a group. */
  readonly outer?: ContainerId | undefined;
}

interface Parent {
  readonly task: Surroundings;
  /** Ids of the chain that are the task's own. */
  readonly depth: number;
}

/** The running task that a container would be nested in, directly or not. */
function parentOf(context: Context, path: readonly string[]): Parent | undefined {
  const chain = path.slice(0, -1);
  const around = context.launched.get(chain.join('.'));
  if (around !== undefined) {
    if (around.status !== undefined || around.task === undefined) return undefined;
    const task = runningTask(context, around.task);
    return task && { task, depth: around.depth };
  }
  const task = runningTask(context, containerId(chain.at(-1) ?? ''));
  if (task === undefined) return undefined;
  // A task of a group is nested in its executor's container; clients may leave that out.
  const isWhole = chain.length === 2 && chain[0] === task.outer;
  return chain.length === 1 || isWhole ? { task, depth: chain.length } : undefined;
}

function runningTask(context: Context, id: ContainerId): Surroundings | undefined {
  const executor = executorOfContainer(context, id);
  if (executor?.process !== undefined) {
    const { pid, runtime } = executor.process;
    const { container } = executor.info;
    return pid === undefined ? undefined : { containerId: id, runtime, container };
  }
  const task = taskOf(context, id);
  if (task === undefined || isTerminal(task.state) || task.pid === undefined) return undefined;
  return {
    containerId: id,
    runtime: task.runtime,
    container: task.info.container,
    outer: task.group?.containerId,
  };
}

function remove(context: Context, call: CallId, found: LaunchedContainer | undefined): void {
  if (found !== undefined && found.status === undefined) {
    refuse(
      context,
      call,
      500,
      `${found.task === undefined ? 'Container' : 'Nested container'} has not terminated yet`,
    );
    return;
  }
  if (found !== undefined) forget(context, found);
  answer(context, call, { kind: 'done' });
}

function attach(
  context: Context,
  call: CallId,
  found: LaunchedContainer,
  what: 'attachInput' | 'attachOutput',
): void {
  if (found.status !== undefined)
    refuse(context, call, 404, `Container ${found.path.join('.')} cannot be found`);
  else if (found.isSession && found.pid !== undefined)
    answer(context, call, { kind: 'attached', id: found.containerId });
  else if (what === 'attachOutput' && found.pid !== undefined)
    answer(context, call, { kind: 'followed', id: found.containerId });
  else if (what === 'attachInput' && found.pid !== undefined) attachInput(context, call, found);
  else refuse(context, call, 500, NO_STREAMS);
}

/** As in the original, what was not launched with a terminal has no input. */
function attachInput(
  context: Context,
  call: CallId,
  {
    containerId: id,
    runtime,
    container,
  }: Pick<Surroundings, 'containerId' | 'runtime'> & {
    readonly container?: ContainerInfo | undefined;
  },
): void {
  if (container?.tty_info === undefined) refuse(context, call, 500, NO_STREAMS);
  else answer(context, call, { kind: 'terminal', id, runtime });
}

/** Its client is gone; nobody waits for the answer any more. */
export function callAbandoned(context: Context, call: CallId): void {
  context.waiting.delete(call);
}

/** The connection that a session's output went to was closed: the session ends with it. */
export function sessionClosed(context: Context, id: ContainerId): void {
  const container = launchedOf(context, id);
  if (container === undefined || container.status !== undefined) return;
  context.effects.push({ kind: 'signalContainer', container, signal: SIGKILL });
}

/** True when the container is one of these and not a task's. */
export function launchedStarted(context: Context, id: ContainerId, pid: number): boolean {
  const container = launchedOf(context, id);
  if (container === undefined) return false;
  const started = { ...container, pid };
  save(context, started);
  const call = context.launching.get(id);
  context.launching.delete(id);
  if (call !== undefined)
    answer(context, call, container.isSession ? { kind: 'attached', id } : { kind: 'done' });
  if (context.stopping !== undefined || isParentGone(context, started))
    context.effects.push({ kind: 'signalContainer', container: started, signal: SIGKILL });
  return true;
}

/** The launch failed; the container never was. */
export function launchedFailed(context: Context, id: ContainerId, message: string): boolean {
  const container = launchedOf(context, id);
  if (container === undefined) return false;
  const call = context.launching.get(id);
  context.launching.delete(id);
  endWaits(context, container, { kind: 'unknown', message });
  forget(context, container);
  if (call !== undefined) refuse(context, call, 400, `Failed to launch container: ${message}`);
  return true;
}

export function launchedExited(context: Context, id: ContainerId, status: ExitStatus): boolean {
  const container = launchedOf(context, id);
  if (container === undefined) return false;
  if (container.status !== undefined) return true;
  const ended: LaunchedContainer = { ...container, status };
  save(context, ended);
  context.effects.push({ kind: 'releaseContainer', container: ended });
  endWaits(context, ended, status);
  endNested(context, ended.path.join('.'));
  if (isParentGone(context, ended)) forget(context, ended);
  forgetOldSessions(context);
  stopWhenIdle(context);
  return true;
}

/** The container of a task or an executor ended: what is nested in it ends too. */
export function surroundingsEnded(context: Context, id: ContainerId): void {
  for (const container of context.launched.values()) {
    if (container.task !== id) continue;
    if (container.status !== undefined) forget(context, container);
    else if (container.pid !== undefined)
      context.effects.push({ kind: 'signalContainer', container, signal: SIGKILL });
  }
}

/** The agent stops for good. */
export function endLaunched(context: Context): void {
  for (const container of context.launched.values()) {
    if (container.status === undefined && container.pid !== undefined)
      context.effects.push({ kind: 'signalContainer', container, signal: SIGKILL });
  }
}

/** What a runtime found of one after a restart. */
export function launchedFound(context: Context, found: FoundContainer): void {
  if (found.kind === 'running') launchedStarted(context, found.id, found.pid);
  else if (found.kind === 'exited') launchedExited(context, found.id, found.status);
  else launchedExited(context, found.id, { kind: 'unknown', message: 'its container is gone' });
}

/** After a restart: sessions are gone, and so are those whose task ended meanwhile. */
export function recoverLaunched(context: Context): void {
  for (const container of context.launched.values()) {
    if (container.status !== undefined) {
      if (isParentGone(context, container)) forget(context, container);
    } else if (container.isSession)
      launchedExited(context, container.containerId, {
        kind: 'unknown',
        message: 'the agent was restarted',
      });
    else if (isParentGone(context, container))
      context.effects.push({ kind: 'signalContainer', container, signal: SIGKILL });
  }
}

const SIGKILL = 9;

function endNested(context: Context, name: string): void {
  for (const [other, container] of context.launched) {
    if (!other.startsWith(`${name}.`) || container.status !== undefined) continue;
    context.effects.push({ kind: 'signalContainer', container, signal: SIGKILL });
  }
}

function isParentGone(context: Context, { task }: LaunchedContainer): boolean {
  return task !== undefined && runningTask(context, task) === undefined;
}

function endWaits(context: Context, container: LaunchedContainer, status: ExitStatus): void {
  const name = container.path.join('.');
  for (const [call, waitsFor] of context.waiting) {
    if (waitsFor !== name) continue;
    context.waiting.delete(call);
    answer(context, call, { kind: 'ended', status });
  }
}

function forgetOldSessions(context: Context): void {
  const ended = [...context.launched.values()].filter(
    ({ isSession, status }) => isSession && status !== undefined,
  );
  for (const container of ended.slice(0, Math.max(0, ended.length - ENDED_SESSIONS_MAX)))
    forget(context, container);
}

function launchedOf(context: Context, id: ContainerId): LaunchedContainer | undefined {
  const name = context.launchedByContainer.get(id);
  return name === undefined ? undefined : context.launched.get(name);
}

function save(context: Context, container: LaunchedContainer): void {
  adoptLaunched(context, container);
  context.effects.push({
    kind: 'persist',
    key: LAUNCHED_PREFIX + container.containerId,
    value: launchedToJson(container),
  });
}

/** Takes one into memory only. */
export function adoptLaunched(context: Context, container: LaunchedContainer): void {
  const name = container.path.join('.');
  context.launched.set(name, container);
  context.launchedByContainer.set(container.containerId, name);
}

function forget(context: Context, container: LaunchedContainer): void {
  context.launched.delete(container.path.join('.'));
  context.launchedByContainer.delete(container.containerId);
  context.effects.push({
    kind: 'persist',
    key: LAUNCHED_PREFIX + container.containerId,
    value: undefined,
  });
}

function answer(context: Context, call: CallId, given: ContainerAnswer): void {
  context.effects.push({ kind: 'answerCall', call, answer: given });
}

function refuse(context: Context, call: CallId, code: 400 | 404 | 500, message: string): void {
  answer(context, call, { kind: 'refused', code, message });
}
