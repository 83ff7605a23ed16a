/** Images of the engine: looked up, and pulled when they are missing. */

import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { engineError, hasStatus } from './engine-errors.ts';

/** True when the host has the image. */
export async function hasImage(engine: Docker, image: string): Promise<boolean> {
  try {
    await engine.getImage(image).inspect();
    return true;
  } catch (error) {
    if (hasStatus(error, 404)) return false;
    throw engineError(`cannot look up image '${image}'`, error);
  }
}

/** Pulls it; broken off by the signal. Throws CONTAINER_LAUNCH_FAILED. */
export async function pullImage(
  engine: Docker,
  image: string,
  abort: AbortSignal | undefined,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  try {
    const stream = (await engine.pull(image)) as Readable;
    abort?.addEventListener('abort', () => stream.destroy(new Error('the task was killed')));
    stream.on('error', reject);
    engine.modem.followProgress(stream, (error) => {
      if (error === null) resolve();
      else reject(error);
    });
    await promise;
  } catch (error) {
    throw engineError(`Failed to pull image '${image}'`, error);
  }
}
