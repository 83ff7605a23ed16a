/**
 * `dcos task log`: the end of a file in the sandboxes of the matching tasks, and what is added to it.
 *
 * A stream that ends is taken up again where it ended, after a growing pause; following gives up
 * after a bounded number of attempts without progress, and ends when the task has ended and nothing
 * more comes. Ctrl-C ends it without an error.
 */

import type { JsonObject } from '@dcos/base';
import { operationErrorCode } from '@dcos/base';
import {
  EventStreamParser,
  formatLogLine,
  parseLogEntry,
  reconnectDelayMs,
  reconnectsMax,
} from '../core/log-stream.ts';
import { noTaskText, selectTasks } from '../core/mesos-tasks.ts';
import type { ClusterTask, TaskScope } from '../core/mesos-tasks.ts';
import { fetchState } from './documents.ts';
import { cliError } from './errors.ts';
import type { TransportReply } from './http-transport.ts';
import { openSession } from './session.ts';
import type { Session } from './session.ts';
import type { Invocation, Terminal } from './terminal.ts';

export interface TaskLogRequest {
  readonly filter: string;
  readonly file: string;
  readonly scope: TaskScope;
  readonly lines: number;
  readonly follow: boolean;
}

/** The file that is shown when none is named. */
export const defaultLogFile = 'stdout';
/** Tasks that can be followed at once; each holds a connection open. */
const followedTasksMax = 64;
/** A connection that held this long was no failed attempt, even when nothing came over it. */
const stableAfterMs = 10_000;

/** Prints the logs of all tasks that match. @throws OperationError with a code of errors.ts */
export async function printTaskLog(invocation: Invocation, request: TaskLogRequest): Promise<void> {
  const session = await openSession(invocation);
  const selection = { filter: request.filter, scope: request.scope };
  const state = await fetchState(session);
  const matches = selectTasks(state, selection);
  if (matches.length === 0) throw cliError('CLI_NOT_FOUND', noTaskText(state, selection));
  // An exact ID means one task, even where it is a part of others.
  const exact = matches.filter((task) => task.id === request.filter);
  const tasks = exact.length > 0 ? exact : matches;
  if (request.follow) await followAll({ invocation, session, request }, tasks);
  else await printAll(invocation.terminal, session, request, tasks);
}

function logUrl(session: Session, task: ClusterTask, file: string): string {
  const path = `${encodeURIComponent(task.id)}/file/${encodeURIComponent(file)}`;
  return `${session.clusterUrl}/system/v1/logs/v2/task/${path}`;
}

async function printAll(
  terminal: Terminal,
  session: Session,
  request: TaskLogRequest,
  tasks: readonly ClusterTask[],
): Promise<void> {
  let failures = 0;
  let empty = 0;
  for (const task of tasks) {
    try {
      const reply = await session.client.request(logUrl(session, task, request.file), {
        query: { cursor: 'END', skip: -request.lines },
        headers: { accept: 'text/plain' },
      });
      if (tasks.length > 1) await terminal.print(`===> ${task.id} <===\n`);
      if (reply.status === 204) {
        terminal.notice(`No logs found for "${task.id}".`);
        empty += 1;
      } else await terminal.print(withLineEnd(reply.body));
    } catch (error) {
      if (tasks.length === 1 || operationErrorCode(error) === undefined) throw error;
      failures += 1;
      const text = error instanceof Error ? error.message : String(error);
      terminal.notice(`Error: ${task.id}: ${text}`);
    }
  }
  if (empty > 0 && request.file === defaultLogFile && request.lines > 0) {
    // Many servers log to standard error only; who looks at the other file first should not give up.
    terminal.notice(
      `Standard error is a file of its own: "dcos task log ${request.filter} stderr".`,
    );
  }
  if (failures > 0) {
    throw cliError('CLI_HTTP_STATUS', `the logs of ${failures} of ${tasks.length} tasks failed`);
  }
}

function withLineEnd(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

interface FollowContext {
  readonly invocation: Invocation;
  readonly session: Session;
  readonly request: TaskLogRequest;
}

async function followAll(context: FollowContext, tasks: readonly ClusterTask[]): Promise<void> {
  if (tasks.length > followedTasksMax) {
    const text = `${tasks.length} tasks match; at most ${followedTasksMax} can be followed at once`;
    throw cliError('CLI_USAGE', text);
  }
  const { terminal } = context.invocation;
  const interrupt = terminal.catchInterrupt();
  const stop = new AbortController();
  const signal = AbortSignal.any([interrupt, stop.signal]);
  let headed: string | undefined;
  // Lines are printed one after the other, each whole, with a heading where the task changes.
  let printing = Promise.resolve();
  const print = (task: ClusterTask, text: string): Promise<void> => {
    printing = printing.then(async () => {
      const heading = tasks.length > 1 && headed !== task.id ? `===> ${task.id} <===\n` : '';
      headed = task.id;
      await terminal.print(heading + text);
    });
    return printing;
  };
  const followers = tasks.map(async (task) => {
    try {
      await followOne({ ...context, task, signal, print: (text) => print(task, text) });
    } catch (error) {
      stop.abort();
      throw error;
    }
  });
  const results = await Promise.allSettled(followers);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined && !interrupt.aborted) throw failed.reason;
}

interface Follower extends FollowContext {
  readonly task: ClusterTask;
  readonly signal: AbortSignal;
  readonly print: (text: string) => Promise<void>;
}

interface FollowPosition {
  cursor: string | undefined;
  entries: number;
}

async function followOne(follower: Follower): Promise<void> {
  const { signal, invocation } = follower;
  const position: FollowPosition = { cursor: undefined, entries: 0 };
  let idle = 0;
  while (!signal.aborted) {
    const before = position.entries;
    const startedAt = invocation.terminal.now();
    const failure = await readStream(follower, position);
    if (signal.aborted) return;
    const wasStable = invocation.terminal.now() - startedAt >= stableAfterMs;
    if (position.entries > before || wasStable) idle = 0;
    else if (failure === undefined && (await hasEnded(follower))) return;
    const delayMs = reconnectDelayMs(failure === undefined ? Math.min(idle, 3) : idle);
    if (delayMs === undefined) {
      const text = `the log of "${follower.task.id}" broke off; ${reconnectsMax} attempts to go on failed`;
      throw cliError('CLI_STREAM_LOST', text, { cause: failure });
    }
    idle += 1;
    await invocation.terminal.sleep(delayMs, signal);
  }
}

// Gives the error when the stream could not be had or broke, undefined when the server ended it.
async function readStream(
  follower: Follower,
  position: FollowPosition,
): Promise<Error | undefined> {
  const { session, request, task, signal } = follower;
  try {
    const response = await session.client.stream(logUrl(session, task, request.file), {
      query:
        position.cursor === undefined
          ? { cursor: 'END', skip: -request.lines }
          : { cursor: position.cursor },
      headers: { accept: 'text/event-stream', 'cache-control': 'no-cache' },
      signal,
    });
    if (response.status === 204) return undefined;
    await readEvents(response, follower, position);
    return undefined;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (isFinal(error)) throw error;
    return error;
  }
}

async function readEvents(
  response: TransportReply,
  follower: Follower,
  position: FollowPosition,
): Promise<void> {
  const parser = new EventStreamParser();
  const decoder = new TextDecoder();
  const colour = follower.invocation.terminal.outputIsTerminal;
  for await (const piece of response.body as AsyncIterable<Buffer>) {
    let text = '';
    for (const event of parser.push(decoder.decode(piece, { stream: true }))) {
      const entry = parseLogEntry(event);
      // A cursor names the entry itself for some servers, and the place behind it for others.
      if (entry.cursor !== undefined && entry.cursor === position.cursor) continue;
      text += formatLogLine(entry, colour);
      position.cursor = entry.cursor ?? position.cursor;
      position.entries += 1;
    }
    if (text !== '') await follower.print(text);
  }
}

// A server that says no will say so again; one that is not there may come back.
function isFinal(error: Error): boolean {
  const code = operationErrorCode(error);
  if (code === 'CLI_HTTP_STATUS') return statusOf(error) < 500;
  return code === 'CLI_STREAM_TOO_LONG';
}

function statusOf(error: Error): number {
  const details = 'details' in error ? (error.details as JsonObject) : {};
  return Number(details['status'] ?? 0);
}

async function hasEnded({ session, task, invocation }: Follower): Promise<boolean> {
  if (task.completed) return true;
  try {
    const state = await fetchState(session);
    const [found] = selectTasks(state, { scope: 'completed', filter: task.id });
    if (found === undefined || found.id !== task.id) return false;
    invocation.terminal.notice(`The task "${task.id}" has ended: ${found.state}.`);
    return true;
  } catch (error) {
    // The master may be away for the moment; the next round asks again.
    if (operationErrorCode(error) === undefined) throw error;
    return false;
  }
}
