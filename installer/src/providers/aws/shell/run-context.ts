/** What a run of this provider takes from outside: time, chance, whether to stop, and where to tell what goes on. */

import type { Clock, Random } from '@dcos/base';
import { awsError } from '../errors.ts';

export interface RunContext {
  readonly clock: Clock;
  readonly random: Random;
  /** Ends waits; a request that is under way is waited for, so that its outcome is known. */
  readonly signal?: AbortSignal;
  /** One line for people about what happens or is waited for. */
  readonly onProgress: (line: string) => void;
}

/** Waits; throws `AWS_STOPPED` as soon as the run is told to stop. */
export async function pause(afterMs: number, { clock, signal }: RunContext): Promise<void> {
  throwIfStopped(signal);
  await new Promise<void>((resolve) => {
    const cancel = clock.setTimer(afterMs, () => {
      signal?.removeEventListener('abort', stop);
      resolve();
    });
    const stop = (): void => {
      cancel();
      resolve();
    };
    signal?.addEventListener('abort', stop, { once: true });
  });
  throwIfStopped(signal);
}

/** Throws `AWS_STOPPED` when the run is to stop. */
export function throwIfStopped(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) {
    throw awsError('AWS_STOPPED', 'stopped; run it again to go on where it was');
  }
}
