/**
 * Rate limits of schedulers: each principal has its own rate, and those without one share a rate. A rate spaces calls
 * evenly, as the original's limiter does; who is ahead of it waits, and a bounded number may wait.
 *
 * The original limits messages of the old drivers only, and removes a framework that exceeds its capacity. Here calls
 * over HTTP are limited, and what exceeds the capacity is refused. Source: mesos-kernel §1.7.
 */

/** Calls of one rate that may wait when its limit names no capacity. */
export const WAITING_MAX = 1_000;

/** One rate. */
export interface RateLimit {
  /** Calls a second. */
  readonly qps: number;
  /** Calls that may wait. */
  readonly capacity?: number | undefined;
}

export interface RateLimits {
  /** Undefined for a principal that is not limited. */
  readonly byPrincipal: ReadonlyMap<string, RateLimit | undefined>;
  /** Of all others together. */
  readonly aggregate: RateLimit | undefined;
}

export type Admission =
  /** It may be handled after this time, 0 for at once; calls of one rate come in the order of their asking. */
  | { readonly kind: 'admitted'; readonly rate: string | undefined; readonly afterMs: number }
  | { readonly kind: 'refused'; readonly retryAfterMs: number; readonly text: string };

/** The name of the rate that all share who have none of their own; no principal is empty. */
const AGGREGATE = '';

export class RateLimiter {
  readonly #limits: RateLimits;
  /** When the next call of a rate may be handled. */
  readonly #nextAt = new Map<string, number>();

  constructor(limits: RateLimits) {
    this.#limits = limits;
  }

  /** Takes a call in, or refuses it. `nowMs` is of a clock that is never set. */
  admit(principal: string | undefined, nowMs: number): Admission {
    const { byPrincipal, aggregate } = this.#limits;
    const isListed = principal !== undefined && byPrincipal.has(principal);
    const limit = isListed ? byPrincipal.get(principal) : aggregate;
    if (limit === undefined) return { kind: 'admitted', rate: undefined, afterMs: 0 };
    const rate = isListed ? principal : AGGREGATE;
    const intervalMs = 1000 / limit.qps;
    const at = Math.max(nowMs, this.#nextAt.get(rate) ?? nowMs);
    const afterMs = at - nowMs;
    const capacity = limit.capacity ?? WAITING_MAX;
    // This call and those before it; a hair less, since sums of fractions are not exact.
    if (Math.ceil(afterMs / intervalMs - 1e-6) > capacity) {
      const whose = isListed
        ? `principal '${principal}'`
        : 'principals without a limit of their own';
      return {
        kind: 'refused',
        retryAfterMs: afterMs,
        text: `More than ${capacity} calls of ${whose} wait for the limit of ${limit.qps} a second`,
      };
    }
    this.#nextAt.set(rate, at + intervalMs);
    return { kind: 'admitted', rate, afterMs };
  }
}
