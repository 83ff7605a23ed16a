/**
 * How one of several that may lead comes to its end so that no request fails: what it took is finished, the next one
 * leads at once, and who still asks here is told so until nobody does.
 *
 * Its caller answers new requests as one that does not lead, from the beginning on: with where the leader is, or with
 * {@link markNotTaken}. Until another one leads it is better to be asked than to refuse connections: both are tried
 * again by routers, but other clients understand the answer better.
 */

import type { HttpServer } from './http-server.ts';
import { within } from './within.ts';

/** All of it at most: well below what supervisors wait before they kill, and what a router holds a request for. */
export const STEP_DOWN_MS_MAX = 5_000;
/** For what was taken. Nobody leads meanwhile, and requests wait at routers for no longer than the whole. */
const FINISH_MS_MAX = 3_000;

export interface SteppingDown {
  readonly server: Pick<HttpServer, 'drain' | 'settle'>;
  /** Resolves when what was taken is durable and answered. */
  readonly finish: () => Promise<void>;
  /** Gives the leadership up, or the candidacy, and ends streams. */
  readonly release: () => Promise<void>;
  /** Resolves with true once another one leads, at once with false when nobody else stands for it. */
  readonly succeeded: () => Promise<boolean>;
  /** Aborted when the process must end now. */
  readonly ending: AbortSignal;
}

/** Resolves when the server may be closed. Rejects with nothing but what its parts reject with. */
export async function stepDown(
  { server, finish, release, succeeded, ending }: SteppingDown,
  timeMsMax = STEP_DOWN_MS_MAX,
): Promise<void> {
  const deadlineMs = performance.now() + timeMsMax;
  const leftMs = (): number => Math.max(0, deadlineMs - performance.now());
  const ended = new Promise<undefined>((resolve) => {
    if (ending.aborted) resolve(undefined);
    else ending.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  const step = async <T>(work: () => Promise<T>, msMax = timeMsMax): Promise<T | undefined> =>
    ending.aborted
      ? undefined
      : await within(Promise.race([work(), ended]), Math.min(msMax, leftMs()));
  await step(finish, FINISH_MS_MAX);
  await step(release);
  if ((await step(succeeded)) === true) await step(async () => await server.drain(leftMs()));
  else await step(async () => await server.settle(leftMs()));
}
