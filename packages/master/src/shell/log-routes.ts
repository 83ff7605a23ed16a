/**
 * The master's one file, its log, over `/files/*` and the v1 calls, and `/logging/toggle`.
 * Source: the original's routes, codes and recorded texts.
 */

import { parseDurationMs } from '@dcos/base';
import type { FastifyInstance, FastifyReply, FastifyRequest } from '@dcos/http';
import { LargeMessage, masterApi, type Encoding } from '@dcos/wire';
import { queryOf, refuse, sendBytes, sendDocument, sendEmpty, sendMessage } from './answers.ts';
import { READ_BYTES_MAX, type MasterLog } from './master-log.ts';

/** Virtual path of the log. */
const LOG_PATH = '/master/log';
/** Paths that exist and list nothing: a file has no entries. */
const LISTED: ReadonlySet<string> = new Set(['', '/', '/master', LOG_PATH]);

/** LIST_FILES and READ_FILE. */
export function answerFiles(
  log: MasterLog,
  call: masterApi.Call,
  to: { readonly reply: FastifyReply; readonly encoding: Encoding },
): void {
  const path = call.list_files?.path ?? call.read_file?.path ?? '';
  const send = (answer: masterApi.Response): void =>
    sendMessage(to.reply, new LargeMessage(masterApi.ResponseType, answer), to.encoding);
  if (call.type === 'LIST_FILES' && LISTED.has(path)) {
    send({ type: 'LIST_FILES', list_files: {} });
  } else if (call.type === 'READ_FILE' && path === LOG_PATH) {
    const { offset = 0, length = READ_BYTES_MAX } = call.read_file ?? {};
    const content = log.content();
    const data = content.subarray(offset, offset + Math.min(length, READ_BYTES_MAX));
    send({ type: 'READ_FILE', read_file: { size: content.length, data } });
  } else refuse(to.reply, 404, '');
}

/** Adds `/files/*` and `/logging/toggle`. */
export function addLogRoutes(app: FastifyInstance, log: MasterLog): void {
  app.get('/files/browse', (request, reply) => onBrowse(log, request, reply));
  app.get('/files/read', (request, reply) => onRead(log, request, reply));
  app.get('/files/download', (request, reply) => onDownload(log, request, reply));
  app.get('/files/debug', (request, reply) =>
    sendDocument(request, reply, { [LOG_PATH]: 'the last lines, kept in memory' }),
  );
  app.all('/logging/toggle', (request, reply) => onToggle(log, request, reply));
}

function pathOf(request: FastifyRequest, reply: FastifyReply): string | undefined {
  const { path } = queryOf(request);
  if (path === undefined) refuse(reply, 400, "Expecting 'path=value' in query.\n");
  return path;
}

function onBrowse(log: MasterLog, request: FastifyRequest, reply: FastifyReply): void {
  const path = pathOf(request, reply);
  if (path === undefined) return;
  if (path !== '/master' && path !== '/master/') {
    refuse(reply, 404, '');
    return;
  }
  sendDocument(request, reply, [
    {
      gid: 'root',
      mode: '-r--r--r--',
      mtime: 0,
      nlink: 1,
      path: LOG_PATH,
      size: log.content().length,
      uid: 'root',
    },
  ]);
}

function onRead(log: MasterLog, request: FastifyRequest, reply: FastifyReply): void {
  const path = pathOf(request, reply);
  if (path === undefined) return;
  const { offset = '-1', length = String(READ_BYTES_MAX) } = queryOf(request);
  for (const [name, text] of [
    ['offset', offset],
    ['length', length],
  ] as const) {
    if (/^-?\d+$/.test(text)) continue;
    refuse(reply, 400, `Failed to parse ${name}: Failed to convert '${text}' to number.\n`);
    return;
  }
  const from = Number(offset);
  if (from < -1) refuse(reply, 400, `Negative offset provided: ${from}.\n`);
  else if (path !== LOG_PATH) refuse(reply, 404, '');
  else {
    const content = log.content();
    if (from === -1) {
      sendDocument(request, reply, { data: '', offset: content.length });
      return;
    }
    const wanted = Number(length) < 0 ? READ_BYTES_MAX : Math.min(Number(length), READ_BYTES_MAX);
    const data = content.subarray(from, from + wanted).toString();
    sendDocument(request, reply, { data, offset: from });
  }
}

function onDownload(log: MasterLog, request: FastifyRequest, reply: FastifyReply): void {
  const path = pathOf(request, reply);
  if (path === undefined) return;
  if (path !== LOG_PATH) {
    refuse(reply, 404, '');
    return;
  }
  void reply.header('content-disposition', 'attachment; filename="log"');
  sendBytes(reply, 'application/octet-stream', log.content());
}

function onToggle(log: MasterLog, request: FastifyRequest, reply: FastifyReply): void {
  const { level, duration } = queryOf(request);
  if (level === undefined && duration === undefined) {
    sendBytes(reply, 'text/plain; charset=utf-8', Buffer.from(`${log.level}\n`));
    return;
  }
  if (level === undefined || duration === undefined) {
    const missing = level === undefined ? 'level' : 'duration';
    refuse(reply, 400, `Expecting '${missing}=value' in query.\n`);
    return;
  }
  const durationMs = parseDurationMs(duration);
  if (!/^\d{1,3}$/.test(level)) refuse(reply, 400, `Failed to convert '${level}' to number.\n`);
  else if (durationMs === undefined) refuse(reply, 400, `Invalid duration '${duration}'.\n`);
  else {
    log.setLevel(Number(level), durationMs);
    sendEmpty(reply, 200);
  }
}
