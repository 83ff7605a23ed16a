/** The terminal of a container's first process, for one who types; its output comes from the engine's log. */

import type { Duplex } from 'node:stream';
import type Docker from 'dockerode';
import { errorText, type Logger } from '@dcos/base';
import type { ContainerSpec } from '../runtime.ts';
import { END_OF_TRANSMISSION, windowOf, type ContainerTerminal } from '../session.ts';
import { engineError, hasStatus } from './engine-errors.ts';

/** Attaches to its input. */
export async function openDockerTerminal(
  container: Docker.Container,
  logger: Logger,
): Promise<ContainerTerminal> {
  const stream = await attached(container);
  // The container may end at any moment, which is told elsewhere.
  stream.on('error', () => undefined).resume();
  return {
    write: async (bytes) => {
      if (stream.destroyed || stream.writableEnded || stream.write(bytes)) return;
      await new Promise<void>((resolve) => stream.once('drain', resolve).once('close', resolve));
    },
    endInput: () => void (stream.writableEnded || stream.write(END_OF_TRANSMISSION)),
    resize: ({ rows, columns }) => {
      if (rows <= 0 || columns <= 0) return;
      container
        .resize({ h: rows, w: columns })
        .catch((error: unknown) =>
          logger.debug({ event: 'terminal.resize', error: errorText(error) }, 'cannot resize'),
        );
    },
    close: () => void stream.end(),
  };
}

/** Engines before API 1.42 give a terminal no size when they make the container. */
export async function sizeTerminal(
  container: Docker.Container,
  spec: ContainerSpec,
): Promise<void> {
  const { rows, columns } = windowOf(spec.container?.tty_info?.window_size);
  try {
    await container.resize({ h: rows, w: columns });
  } catch (error) {
    // It has ended already; others tell how.
    if (!hasStatus(error, 404, 409, 500)) throw engineError('cannot size the terminal', error);
  }
}

async function attached(container: Docker.Container): Promise<Duplex> {
  try {
    const stream = await container.attach({ stream: true, stdin: true, hijack: true });
    return stream as unknown as Duplex;
  } catch (error) {
    throw engineError("cannot attach to the container's input", error);
  }
}
