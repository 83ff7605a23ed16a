/**
 * `/system/v1/logs/v2/task/<task id>/file/<name>`: the log of a task, running or ended, as text or as a stream
 * of server-sent events that goes on until the task has ended and all of it was sent. The cursor of an event is
 * the place right behind its line, so that a reader who comes back with it gets the next line, no other.
 * Lines and pieces are bounded; a reader that stops reading is cut off.
 */

import type { FileHandle } from 'node:fs/promises';
import { posix } from 'node:path';
import { errorText, type Logger } from '@dcos/base';
import { followFile } from '@dcos/containers';
import {
  startStream,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from '@dcos/http';
import type { TaskRecord } from '../../core/index.ts';
import { openForReading } from './file-reading.ts';
import { plain } from './files-routes.ts';
import type { SandboxFiles } from './sandbox-files.ts';

/** A longer line is sent in pieces. */
export const LINE_BYTES_MAX = 64 * 1024;
/** Lines that `skip` can go back. */
export const SKIP_LINES_MAX = 100_000;
/** Bytes that are searched for them at most, since a file need not have lines. */
export const SKIP_BYTES_MAX = 64 * 1024 * 1024;
/** Bytes that one text answer carries at most. */
export const ANSWER_BYTES_MAX = 64 * 1024 * 1024;
/** What waits for one follower at most; beyond it reading pauses. */
const BUFFERED_BYTES = 1024 * 1024;
/** How long a follower may take to read what waits, before it is cut off. */
const STALL_MS = 60_000;
const STALL_LOOK_MS = 20;
/** An empty comment now and then shows proxies that the stream lives. */
const KEEP_ALIVE_MS = 15_000;
/** Followers at once. */
export const FOLLOWERS_MAX = 1_000;

const CHUNK_BYTES = 64 * 1024;
const LINE_FEED = 0x0a;

export interface TaskLogsOptions {
  readonly files: SandboxFiles;
  readonly agentId: () => string;
  readonly now: () => number;
  readonly logger: Logger;
}

/** Adds the routes. Returns what ends all streams. */
export function addTaskLogRoutes(app: FastifyInstance, options: TaskLogsOptions): () => void {
  const followers = new Set<() => void>();
  const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> =>
    await onLog(options, followers, request, reply);
  const base = '/system/v1/logs/v2/task/:task';
  app.get(base, handler);
  app.get(`${base}/file/:file`, handler);
  return () => {
    for (const stop of followers) stop();
  };
}

interface LogQuery {
  readonly cursor?: string;
  readonly skip?: string;
  readonly limit?: string;
}

async function onLog(
  options: TaskLogsOptions,
  followers: Set<() => void>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const { task: taskId = '', file = 'stdout' } = request.params as { task?: string; file?: string };
  const query = request.query as LogQuery;
  const sandbox = options.files.sandboxOfTask(taskId);
  if (sandbox === undefined) return await plain(reply, 404, `no task ${taskId} on this agent\n`);
  const located = await options.files.locate(posix.join(sandbox.path, file));
  if (located.kind !== 'found') {
    const isAbsent = located.kind === 'absent';
    return await plain(
      reply,
      isAbsent ? 404 : 403,
      isAbsent ? `no file ${file} in the sandbox\n` : '',
    );
  }
  const skip = integer(query.skip ?? '0');
  const limit = query.limit === undefined ? undefined : integer(query.limit);
  const cursor = cursorOf(query.cursor);
  if (skip === undefined || Number.isNaN(limit) || cursor === undefined) {
    return await plain(
      reply,
      400,
      'skip and limit must be whole numbers, cursor BEG, END or a position\n',
    );
  }
  const handle = await openForReading(located.path);
  let start: number;
  let size: number;
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) return await plain(reply, 400, `${file} is not a file\n`);
    ({ size } = stats);
    start = await moved(handle, cursor === 'END' ? size : Math.min(cursor, size), skip, size);
    if (limit !== undefined && limit >= 0) size = await moved(handle, start, limit, size);
  } finally {
    await handle.close();
  }
  const accept = request.headers.accept ?? '';
  if (accept.includes('text/event-stream')) {
    if (followers.size >= FOLLOWERS_MAX)
      return await plain(reply, 503, 'too many readers follow logs\n');
    follow(options, followers, reply, { task: sandbox.task, file, path: located.path, start });
    return reply;
  }
  if (start >= size) return await reply.code(204).send();
  const end = Math.min(size, start + ANSWER_BYTES_MAX) - 1;
  return await reply
    .type('text/plain; charset=utf-8')
    .header('content-length', end - start + 1)
    .send((await openForReading(located.path)).createReadStream({ start, end }));
}

function integer(text: string): number | undefined {
  const value = Number(text);
  return text.trim() !== '' && Number.isSafeInteger(value) ? value : undefined;
}

function cursorOf(text: string | undefined): number | 'END' | undefined {
  if (text === undefined || text === 'BEG') return 0;
  if (text === 'END') return 'END';
  const value = integer(text);
  return value === undefined || value < 0 ? undefined : value;
}

/** A position that many lines further (or, negative, back), at the beginning of a line. */
async function moved(
  handle: FileHandle,
  from: number,
  lines: number,
  size: number,
): Promise<number> {
  const count = Math.min(Math.abs(lines), SKIP_LINES_MAX);
  if (count === 0) return from;
  return lines > 0 ? await forward(handle, from, count, size) : await backward(handle, from, count);
}

async function forward(
  handle: FileHandle,
  from: number,
  count: number,
  size: number,
): Promise<number> {
  const buffer = Buffer.alloc(CHUNK_BYTES);
  let left = count;
  let position = from;
  while (position < size && position - from < SKIP_BYTES_MAX) {
    const { bytesRead } = await handle.read(
      buffer,
      0,
      Math.min(CHUNK_BYTES, size - position),
      position,
    );
    if (bytesRead === 0) break;
    for (let index = 0; index < bytesRead; index++) {
      if (buffer[index] === LINE_FEED && --left === 0) return position + index + 1;
    }
    position += bytesRead;
  }
  return position;
}

async function backward(handle: FileHandle, from: number, count: number): Promise<number> {
  const buffer = Buffer.alloc(CHUNK_BYTES);
  let left = count;
  let position = from;
  while (position > 0 && from - position < SKIP_BYTES_MAX) {
    const length = Math.min(CHUNK_BYTES, position);
    const begin = position - length;
    await handle.read(buffer, 0, length, begin);
    for (let index = length - 1; index >= 0; index--) {
      // The line feed right before the position ends the last line; it does not begin one.
      if (buffer[index] !== LINE_FEED || begin + index + 1 >= from) continue;
      if (--left === 0) return begin + index + 1;
    }
    position = begin;
  }
  return position;
}

interface Followed {
  readonly task: TaskRecord;
  readonly file: string;
  readonly path: string;
  readonly start: number;
}

function follow(
  options: TaskLogsOptions,
  followers: Set<() => void>,
  reply: FastifyReply,
  { task, file, path, start }: Followed,
): void {
  const fields = {
    AGENT_ID: options.agentId(),
    CONTAINER_ID: task.containerId,
    EXECUTOR_ID: task.taskId,
    FILE: file,
    FRAMEWORK_ID: task.frameworkId,
  };
  const stops: (() => void)[] = [];
  const end = (): void => {
    followers.delete(end);
    for (const stop of stops.splice(0)) stop();
    stream.close();
  };
  const stream = startStream(reply, {
    contentType: 'text/event-stream',
    headers: { 'cache-control': 'no-cache', 'x-accel-buffering': 'no' },
    onClose: () => end(),
  });
  followers.add(end);
  // `position` is where `rest` begins in the file.
  let position = start;
  let rest = Buffer.alloc(0);
  const sendLine = (line: Buffer, length: number): void => {
    position += length;
    const entry = {
      fields: { MESSAGE: line.toString('utf8'), ...fields },
      cursor: String(position),
      monotonic_timestamp: 0,
      realtime_timestamp: Math.round(options.now() * 1000),
    };
    stream.write(`id: ${position}\ndata: ${JSON.stringify(entry)}\n\n`);
  };
  const onData = async (bytes: Uint8Array, offset: number): Promise<void> => {
    if (offset !== position + rest.length) {
      // The file was cut short and is read from its beginning.
      rest = Buffer.alloc(0);
      position = offset;
    }
    let text = rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([rest, bytes]);
    for (;;) {
      const feed = text.indexOf(LINE_FEED);
      if (feed === -1 && text.length <= LINE_BYTES_MAX) break;
      const isWhole = feed !== -1 && feed < LINE_BYTES_MAX;
      const length = isWhole ? feed : characterBoundary(text, LINE_BYTES_MAX);
      const taken = isWhole ? length + 1 : length;
      sendLine(text.subarray(0, length), taken);
      text = text.subarray(taken);
    }
    rest = Buffer.from(text);
    await drained(stream);
  };
  const keepAlive = setInterval(() => stream.write(':\n\n'), KEEP_ALIVE_MS);
  stops.push(() => clearInterval(keepAlive));
  stops.push(
    followFile({
      path,
      offset: start,
      onData,
      isOver: () => options.files.hasEnded(task),
      onEnd: () => {
        if (rest.length > 0) sendLine(rest, rest.length);
        end();
      },
      onError: (error) => {
        options.logger.warn(
          { event: 'log.failed', path, error: errorText(error) },
          'cannot follow a log',
        );
        end();
      },
    }),
  );
}

/** The last place up to this one that does not cut a character in two. */
function characterBoundary(bytes: Uint8Array, end: number): number {
  for (let back = 0; back <= 3; back++) {
    if (((bytes[end - back] ?? 0) & 0xc0) !== 0x80) return end - back;
  }
  return end;
}

/** Waits until the reader has taken most of what was sent; ends the stream of one that does not read. */
async function drained(stream: ReturnType<typeof startStream>): Promise<void> {
  const deadline = performance.now() + STALL_MS;
  while (!stream.closed && stream.bufferedBytes > BUFFERED_BYTES) {
    if (performance.now() > deadline) {
      stream.close();
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, STALL_LOOK_MS));
  }
}
