/**
 * Keeps the output of tasks below a size: looks at the sandboxes of what runs now and then, and rotates what has grown
 * too big. For plain processes only: other runtimes write their sandbox files themselves.
 */

import { join } from 'node:path';
import { errorText, type Logger } from '@dcos/base';
import { rotateOutput, type RotationLimits } from '@dcos/containers';

/** Time between two looks; a task writes over its bound for that long. */
const LOOK_MS = 2_000;
const FILES = ['stdout', 'stderr'] as const;

export interface LogRotationOptions extends RotationLimits {
  /** Sandboxes of the plain processes that run now. */
  readonly sandboxes: () => readonly string[];
  readonly logger: Logger;
}

export interface LogRotation {
  /** One look now. */
  look(): Promise<void>;
  close(): Promise<void>;
}

/** Starts looking. */
export function startLogRotation(options: LogRotationOptions): LogRotation {
  let running: Promise<void> | undefined;
  const look = async (): Promise<void> => {
    running ??= lookAt(options).finally(() => (running = undefined));
    await running;
  };
  const timer = setInterval(() => void look(), LOOK_MS).unref();
  return {
    look,
    async close() {
      clearInterval(timer);
      await running;
    },
  };
}

async function lookAt({ sandboxes, logger, ...limits }: LogRotationOptions): Promise<void> {
  for (const sandbox of sandboxes()) {
    for (const file of FILES) {
      const path = join(sandbox, file);
      try {
        await rotateOutput(path, limits);
      } catch (error) {
        // One sandbox that cannot be written must not keep the others from being looked at.
        logger.warn(
          { event: 'log.rotation-failed', path, error: errorText(error) },
          'cannot rotate the output of a task',
        );
      }
    }
  }
}
