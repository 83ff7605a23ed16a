/** `/files/browse|read|download|debug`, each also below `/slave(1)` and with `.json`. See mesos-kernel §3.6. */

import { basename, join } from 'node:path';
import { operationErrorCode } from '@dcos/base';
import { sendJson, type FastifyInstance, type FastifyReply, type FastifyRequest } from '@dcos/http';
import {
  READ_BYTES_MAX,
  listFiles,
  modeText,
  openForReading,
  readPiece,
  wholeCharacters,
} from './file-reading.ts';
import type { SandboxFiles } from './sandbox-files.ts';

export function plain(reply: FastifyReply, status: number, text: string): FastifyReply {
  return reply.code(status).type('text/plain; charset=utf-8').send(text);
}

type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

function parameter(request: FastifyRequest, name: string): string | undefined {
  const value = (request.query as Query)[name];
  return typeof value === 'string' ? value : value?.[0];
}

/** Adds the routes. */
export function addFilesRoutes(app: FastifyInstance, files: SandboxFiles): void {
  const routes: Readonly<
    Record<string, (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>>
  > = {
    browse: async (request, reply) => await onBrowse(files, request, reply),
    read: async (request, reply) => await onRead(files, request, reply),
    download: async (request, reply) => await onDownload(files, request, reply),
    debug: async (_request, reply) => await sendJson(reply, 200, files.attached()),
  };
  for (const [name, handler] of Object.entries(routes)) {
    for (const path of [`/files/${name}`, `/files/${name}.json`]) app.get(path, handler);
  }
}

/** The real path that a request names; undefined when the answer has been given. */
async function located(
  files: SandboxFiles,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<string | undefined> {
  const path = parameter(request, 'path');
  if (path === undefined || path === '') {
    await plain(reply, 400, "Expecting 'path=value' in query.\n");
    return undefined;
  }
  const found = await files.locate(path);
  if (found.kind === 'found') return found.path;
  await plain(reply, found.kind === 'absent' ? 404 : 403, '');
  return undefined;
}

async function onBrowse(
  files: SandboxFiles,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const real = await located(files, request, reply);
  if (real === undefined) return reply;
  const shown = (parameter(request, 'path') ?? '').replace(/\/+$/, '');
  const entries = await listFiles(real);
  return await sendJson(
    reply,
    200,
    entries.map(({ name, stats, owner, group }) => ({
      gid: group,
      mode: modeText(stats.mode),
      mtime: Math.floor(stats.mtimeMs / 1000),
      nlink: stats.nlink,
      path: join(shown, name),
      size: stats.size,
      uid: owner,
    })),
  );
}

/** A whole number out of a query, as the original reads and refuses it. */
function wholeNumber(text: string, name: string): number | string {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value)) {
    return `Failed to parse ${name}: Failed to convert '${text}' to number.\n`;
  }
  return value;
}

async function onRead(
  files: SandboxFiles,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  if ((parameter(request, 'path') ?? '') === '') {
    return await plain(reply, 400, "Expecting 'path=value' in query.\n");
  }
  const offset = wholeNumber(parameter(request, 'offset') ?? '-1', 'offset');
  if (typeof offset === 'string') return await plain(reply, 400, offset);
  if (offset < -1) return await plain(reply, 400, `Negative offset provided: ${offset}.\n`);
  const length = wholeNumber(parameter(request, 'length') ?? String(READ_BYTES_MAX), 'length');
  if (typeof length === 'string') return await plain(reply, 400, length);
  const real = await located(files, request, reply);
  if (real === undefined) return reply;
  try {
    // -1, and the older clients' negative length, mean: as much as there may be.
    const wanted = offset === -1 ? 0 : length < 0 ? READ_BYTES_MAX : length;
    const { size, bytes } = await readPiece(real, Math.max(0, offset), wanted);
    if (offset === -1) return await sendJson(reply, 200, { data: '', offset: size });
    return await sendJson(reply, 200, { data: wholeCharacters(bytes), offset });
  } catch (error) {
    if (operationErrorCode(error) === 'FILE_FORBIDDEN') return await plain(reply, 403, '');
    if (operationErrorCode(error) !== 'FILE_IS_DIRECTORY') throw error;
    return await plain(reply, 400, 'Cannot read a directory.\n');
  }
}

async function onDownload(
  files: SandboxFiles,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const real = await located(files, request, reply);
  if (real === undefined) return reply;
  const handle = await openForReading(real);
  const stats = await handle.stat();
  if (!stats.isFile()) {
    await handle.close();
    if (stats.isDirectory()) return await plain(reply, 400, 'Cannot download a directory.\n');
    return await plain(reply, 403, '');
  }
  const range = rangeOf(request.headers.range, stats.size);
  reply.header('accept-ranges', 'bytes');
  if (range === 'unsatisfiable') {
    await handle.close();
    return await plain(reply.header('content-range', `bytes */${stats.size}`), 416, '');
  }
  // A file that grows meanwhile is sent as long as the header says.
  const { start, end } = range ?? { start: 0, end: stats.size - 1 };
  if (range !== undefined) {
    reply.code(206).header('content-range', `bytes ${start}-${end}/${stats.size}`);
  }
  const name = basename(real);
  const safe = /^[\w.-]+$/.test(name) ? name : `"${encodeURIComponent(name)}"`;
  reply
    .header('content-disposition', `attachment; filename=${safe}`)
    .header('content-length', end - start + 1)
    .type('application/octet-stream');
  if (stats.size > 0) return await reply.send(handle.createReadStream({ start, end }));
  await handle.close();
  return await reply.send('');
}

interface ByteRange {
  readonly start: number;
  /** Last byte, included. */
  readonly end: number;
}

/** One range of a `Range` header; undefined, that is the whole file, for anything else. */
function rangeOf(
  header: string | undefined,
  size: number,
): ByteRange | 'unsatisfiable' | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  // `bytes=-5` are the last five.
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  return start >= size ? 'unsatisfiable' : { start, end };
}
