/**
 * Brings a task's files into its sandbox before it starts: from a path on this host or over HTTP, made executable or
 * unpacked as asked, kept for other tasks where they want it. One after the other; the first failure is the task's.
 * Who watches finds in the sandbox's `stderr` what was fetched. Source: mesos-kernel §6.7.
 */

import { constants } from 'node:fs';
import { chmod, copyFile, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { errorText, OperationError, type Logger } from '@dcos/base';
import { checkFreeSpace, isArchiveName, type ExtractLimits } from '@dcos/containers';
import type { CommandInfo_URI } from '@dcos/wire';
import { noteInSandbox } from '../sandbox-notes.ts';
import { obtain } from './download.ts';
import { FetcherCache } from './fetcher-cache.ts';
import { makeTarget } from './sandbox-target.ts';
import { unpackInto } from './unpack.ts';
import { parseUri, shownUri } from './uri-source.ts';

/** Files of one task. */
const URIS_MAX = 256;
/** Of one archive, unpacked; the disk keeps some space in any case, also where a file is only fetched. */
const LIMITS: ExtractLimits = {
  entriesMax: 1_000_000,
  bytesMax: 64 * 1024 * 1024 * 1024,
  freeBytesMin: 256 * 1024 * 1024,
};

export interface FetcherOptions {
  readonly cacheDirectory: string;
  readonly cacheBytesMax: number;
  readonly stallTimeoutMs: number;
  /** Where relative paths begin; without it they are refused. */
  readonly frameworksHome?: string;
  readonly limits?: ExtractLimits;
  readonly logger: Logger;
}

export interface FetchRequest {
  readonly uris: readonly CommandInfo_URI[];
  readonly sandboxPath: string;
  /** Whose files they become; what is kept is kept for this user only. */
  readonly user: string | undefined;
  readonly signal: AbortSignal;
}

/** Numbers since the agent was started. */
export interface FetcherFigures {
  readonly succeeded: number;
  readonly failed: number;
  readonly cacheBytesUsed: number;
  readonly cacheBytesMax: number;
}

export class Fetcher {
  readonly #options: FetcherOptions;
  readonly #cache: FetcherCache;
  readonly #opened: Promise<void>;
  #succeeded = 0;
  #failed = 0;

  constructor(options: FetcherOptions) {
    const { cacheDirectory: directory, cacheBytesMax: bytesMax, logger } = options;
    this.#options = options;
    this.#cache = new FetcherCache({ directory, bytesMax });
    this.#opened = this.#cache.open();
    // Who needs the cache is told; others need not know.
    this.#opened.catch((error: unknown) =>
      logger.warn(
        { event: 'fetcher.no_cache', directory, error: errorText(error) },
        'the cache of fetched files cannot be used',
      ),
    );
  }

  figures(): FetcherFigures {
    return {
      succeeded: this.#succeeded,
      failed: this.#failed,
      cacheBytesUsed: this.#cache.bytesUsed,
      cacheBytesMax: this.#cache.bytesMax,
    };
  }

  /** Fetches everything. Throws FETCH_FAILED with the URI and the reason. */
  async fetch(request: FetchRequest): Promise<void> {
    const { uris } = request;
    if (uris.length === 0) return;
    try {
      if (uris.length > URIS_MAX)
        throw failed(`${uris.length} URIs exceed the limit of ${URIS_MAX}`);
      for (const uri of uris) {
        try {
          await this.#fetchOne(uri, request);
        } catch (error) {
          request.signal.throwIfAborted();
          throw failed(`Failed to fetch '${shownUri(uri.value)}'`, error);
        }
      }
      this.#succeeded += 1;
    } catch (error) {
      this.#failed += 1;
      throw error;
    }
  }

  async #fetchOne(uri: CommandInfo_URI, request: FetchRequest): Promise<void> {
    const { sandboxPath, signal, user = '' } = request;
    const { frameworksHome, stallTimeoutMs, limits = LIMITS } = this.#options;
    const bounds = { stallTimeoutMs, freeBytesMin: limits.freeBytesMin };
    const parsed = parseUri(uri, frameworksHome);
    const target = await makeTarget(sandboxPath, parsed.name);
    const startedMs = performance.now();
    const tell = async (how: string): Promise<void> => {
      const ms = Math.round(performance.now() - startedMs);
      const line = `Fetched '${shownUri(uri.value)}' to '${target}' ${how} in ${ms} ms\n`;
      await noteInSandbox(sandboxPath, line);
    };
    if (uri.cache === true) {
      await this.#opened;
      const isDone = await this.#cache.use(
        `${user}\n${uri.value}`,
        {
          signal,
          fill: async (path, options) => await obtain(parsed, { path, ...bounds, ...options }),
        },
        async (path) => await this.#place(path, { uri, target, request }),
      );
      if (isDone) {
        await tell('through the cache');
        return;
      }
    }
    const bytes = await obtain(parsed, { path: target, ...bounds, signal });
    await this.#place(target, { uri, target, request });
    await tell(`(${bytes} bytes)`);
  }

  /** Makes of the file what the task asked for. An archive that is kept elsewhere does not come along. */
  async #place(
    path: string,
    {
      uri,
      target,
      request: { sandboxPath, signal },
    }: {
      readonly uri: CommandInfo_URI;
      readonly target: string;
      readonly request: FetchRequest;
    },
  ): Promise<void> {
    const name = basename(target);
    const { limits = LIMITS } = this.#options;
    const isUnpacked = uri.executable !== true && (uri.extract ?? true) && isArchiveName(name);
    if (isUnpacked) {
      await unpackInto(path, { sandboxPath, name, limits, signal });
      return;
    }
    if (path !== target) {
      const { size } = await stat(path);
      await checkFreeSpace(dirname(target), limits.freeBytesMin, size);
      await copyFile(path, target, constants.COPYFILE_EXCL);
    }
    if (uri.executable === true) await chmod(target, 0o755);
  }
}

function failed(message: string, cause?: unknown): OperationError {
  return new OperationError('FETCH_FAILED', message, { cause });
}
