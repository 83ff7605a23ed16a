/**
 * A task's log as it grows: the server's event stream where there is one, otherwise the agent's file,
 * read page by page. Both deliver whole lines in order; a line is delivered once, also after a
 * reconnection. Source: Mesos kernel reference §3.6 and the router's log routes.
 */
import { ApiError } from '../api/http.ts';
import { FILE_PAGE_BYTES, readFilePart, sandboxPath } from '../api/mesos.ts';
import type { SandboxAddress } from '../api/mesos.ts';
import { EventStreamDecoder } from '../model/sse.ts';
import { pause, retryDelayMs } from './stream-retry.ts';

export type LogFile = 'stdout' | 'stderr';

export interface LogSourceOptions {
  readonly taskId: string;
  readonly file: LogFile;
  /** Where the sandbox is, for the second way; undefined when not known. */
  readonly sandbox: SandboxAddress | undefined;
  readonly onLines: (lines: readonly string[]) => void;
  readonly onState: (state: LogState) => void;
  readonly signal: AbortSignal;
}

export type LogState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live'; readonly by: 'stream' | 'polling' }
  | { readonly kind: 'failed'; readonly message: string };

/** Lines of the past that are asked for at first. */
const HISTORY_LINES = 1_000;
/** Bytes of the past that are read when polling. */
const HISTORY_BYTES = 4 * FILE_PAGE_BYTES;
const POLL_INTERVAL_MS = 1_000;
/** Failures of the stream before the file is read instead. */
const STREAM_FAILURES_MAX = 1;

interface LogEvent {
  readonly fields?: { readonly MESSAGE?: string };
  readonly cursor?: string;
}

/**
 * Follows the log until the signal fires. A stream that was there once is waited for, since it goes on
 * where it ended; the file is read instead only where the server has no stream.
 */
export async function followLog(options: LogSourceOptions): Promise<void> {
  const { signal, sandbox } = options;
  const position: LogPosition = { cursor: undefined, wasLive: false };
  let failures = 0;
  while (!signal.aborted) {
    try {
      await readStream(options, position);
      failures = 0;
      await pause(POLL_INTERVAL_MS, signal);
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      const isMissing = !position.wasLive && failures > STREAM_FAILURES_MAX && isRefusal(error);
      if (isMissing && sandbox !== undefined) {
        await pollFile(options, sandbox);
        return;
      }
      // The browser's own words for a lost connection differ and say little.
      const message = error instanceof ApiError ? error.message : 'The cluster cannot be reached.';
      options.onState({ kind: 'failed', message });
      if (isMissing) return;
      await pause(retryDelayMs(failures), signal);
    }
  }
}

/** True for an answer that says no; a cluster that is away or starting may yet say yes. */
function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && (error.status < 500 || error.status === 501);
}

/** How far the log was delivered: a later stream goes on from there, however this one ends. */
interface LogPosition {
  /** Of the last line. */
  cursor: string | undefined;
  /** True once a stream was had. */
  wasLive: boolean;
}

async function readStream(options: LogSourceOptions, position: LogPosition): Promise<void> {
  const { taskId, file, signal } = options;
  const after = position.cursor;
  const query =
    after === undefined
      ? `cursor=END&skip=-${HISTORY_LINES}`
      : `cursor=${encodeURIComponent(after)}`;
  const response = await fetch(
    `/system/v1/logs/v2/task/${encodeURIComponent(taskId)}/file/${file}?${query}`,
    { headers: { Accept: 'text/event-stream' }, signal },
  );
  const isStream = response.headers.get('content-type')?.includes('text/event-stream') === true;
  if (!response.ok || !isStream || response.body === null) {
    throw new ApiError(response.status, `The log stream answered ${response.status}.`);
  }
  position.wasLive = true;
  options.onState({ kind: 'live', by: 'stream' });
  const decoder = new EventStreamDecoder();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines: string[] = [];
    for (const { data } of decoder.push(value)) {
      const event = JSON.parse(data) as LogEvent;
      if (event.cursor !== undefined && event.cursor === position.cursor) continue;
      position.cursor = event.cursor ?? position.cursor;
      lines.push((event.fields?.MESSAGE ?? '').replace(/\r?\n$/, ''));
    }
    if (lines.length > 0) options.onLines(lines);
  }
}

async function pollFile(options: LogSourceOptions, sandbox: SandboxAddress): Promise<void> {
  const { file, signal } = options;
  const path = sandboxPath(sandbox, file);
  let offset: number | undefined;
  let rest = '';
  let isFirst = true;
  while (!signal.aborted) {
    try {
      if (offset === undefined) {
        const end = await readFilePart(sandbox.agentId, path, -1, signal);
        offset = Math.max(0, end.offset - HISTORY_BYTES);
        isFirst = offset > 0;
      }
      options.onState({ kind: 'live', by: 'polling' });
      const part = await readFilePart(sandbox.agentId, path, offset, signal);
      offset += new TextEncoder().encode(part.data).length;
      const lines = (rest + part.data).split('\n');
      rest = lines.pop() ?? '';
      if (isFirst && lines.length > 0) {
        // The first page may begin in the middle of a line.
        lines.shift();
        isFirst = false;
      }
      if (lines.length > 0) options.onLines(lines);
      if (part.data === '') await pause(POLL_INTERVAL_MS, signal);
    } catch (error) {
      if (signal.aborted) return;
      const message = error instanceof Error ? error.message : String(error);
      options.onState({ kind: 'failed', message });
      await pause(POLL_INTERVAL_MS * 3, signal);
    }
  }
}
