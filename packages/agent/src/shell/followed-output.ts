/**
 * The output of a container that is no session, as whoever attaches sees it: what its sandbox files get from now on,
 * to the end of the container. A reader that is slow is read for slowly; it holds nobody else up.
 */

import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText, type ContainerId, type Logger } from '@dcos/base';
import { followFile, type OutputStream } from '@dcos/containers';
import type { AgentSnapshot, LaunchedContainer } from '../core/index.ts';
import { containersOf } from './executor-container.ts';
import type { OutputSink, OutputSource } from './launched-containers.ts';
import { sandboxPath } from './sandbox-paths.ts';

const STREAMS: readonly OutputStream[] = ['stdout', 'stderr'];

export interface FollowedOutputOptions {
  readonly workDir: string;
  readonly snapshot: () => AgentSnapshot;
  /** Where the files of a container are that a client launched. */
  readonly sandboxOf: (container: LaunchedContainer) => string;
  readonly logger: Logger;
}

/** The output of that container from now on; undefined when it does not run. */
export async function followedOutput(
  options: FollowedOutputOptions,
  id: ContainerId,
): Promise<OutputSource | undefined> {
  const path = sandboxPathOf(options, id);
  if (path === undefined) return undefined;
  const files = await Promise.all(
    STREAMS.map(async (stream) => {
      const file = join(path, stream);
      return { stream, file, offset: (await lstat(file)).size };
    }),
  );
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const read = (sink: OutputSink): (() => void) => {
    let open = files.length;
    const close = (): void => {
      open -= 1;
      if (open === 0) resolve();
    };
    const stops = files.map(({ stream, file, offset }) =>
      followFile({
        path: file,
        offset,
        onData: async (bytes) => await sink(stream, bytes),
        isOver: () => sandboxPathOf(options, id) === undefined,
        onEnd: close,
        onError: (error) => {
          options.logger.warn(
            { event: 'output.failed', path: file, error: errorText(error) },
            'cannot follow the output of a container',
          );
          close();
        },
      }),
    );
    return () => {
      for (const stop of stops) stop();
    };
  };
  return { read, ended };
}

/** The sandbox of a container that runs. */
function sandboxPathOf(
  { workDir, snapshot, sandboxOf }: FollowedOutputOptions,
  id: ContainerId,
): string | undefined {
  const { live, executors, launched, agentId = '' } = snapshot();
  const task = [...live, ...containersOf(executors)].find(
    ({ containerId, pid, endedAt }) =>
      containerId === id && pid !== undefined && endedAt === undefined,
  );
  if (task !== undefined) return sandboxPath(workDir, agentId, task);
  const container = launched.find(
    ({ containerId, status }) => containerId === id && status === undefined,
  );
  return container && sandboxOf(container);
}
