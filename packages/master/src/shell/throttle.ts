/**
 * Holds calls of schedulers back to the rates of their principals, in the order in which they came, and counts them.
 * Where the rates come from: the original's `rate_limits`.
 */

import { z } from 'zod';
import { OperationError, type Cancel, type Clock } from '@dcos/base';
import { textOfSetting } from '@dcos/telemetry';
import { RateLimiter, type RateLimit, type RateLimits } from '../core/rate-limits.ts';

const LIMITS_MAX = 10_000;
const qps = z.number().positive().max(1_000_000);
const capacity = z.number().int().min(0).max(1_000_000);

const schema = z.strictObject({
  limits: z
    .array(
      z
        .strictObject({
          principal: z.string().min(1),
          qps: qps.optional(),
          capacity: capacity.optional(),
        })
        .refine(
          (limit) => limit.qps !== undefined || limit.capacity === undefined,
          'a capacity is of no use without qps',
        ),
    )
    .max(LIMITS_MAX)
    .default([]),
  aggregate_default_qps: qps.optional(),
  aggregate_default_capacity: capacity.optional(),
});

/**
 * What the setting asks for, which is JSON or `file://` of it; nothing without one.
 * @throws OperationError `RATE_LIMITS_INVALID`, `RATE_LIMITS_UNREADABLE`
 */
export function rateLimitsOf(setting: string | undefined): RateLimits {
  return setting === undefined
    ? { byPrincipal: new Map(), aggregate: undefined }
    : parseRateLimits(textOfSetting('RATE_LIMITS_UNREADABLE', setting));
}

/** Reads the JSON of the setting. Throws `RATE_LIMITS_INVALID`. */
export function parseRateLimits(text: string): RateLimits {
  const invalid = (problem: string, cause?: unknown): OperationError =>
    new OperationError('RATE_LIMITS_INVALID', `rateLimits: ${problem}`, { cause });
  let parsed: z.infer<typeof schema>;
  try {
    parsed = schema.parse(JSON.parse(text));
  } catch (error) {
    throw invalid(error instanceof z.ZodError ? z.prettifyError(error) : 'it is not JSON', error);
  }
  const byPrincipal = new Map<string, RateLimit | undefined>();
  for (const { principal, qps: rate, capacity: places } of parsed.limits) {
    if (byPrincipal.has(principal)) throw invalid(`principal '${principal}' is there twice`);
    byPrincipal.set(principal, rate === undefined ? undefined : { qps: rate, capacity: places });
  }
  const { aggregate_default_qps: others, aggregate_default_capacity: places } = parsed;
  if (others === undefined && places !== undefined)
    throw invalid('aggregate_default_capacity is of no use without aggregate_default_qps');
  const aggregate = others === undefined ? undefined : { qps: others, capacity: places };
  return { byPrincipal, aggregate };
}

/** A call to be handled when its turn comes. */
export interface ThrottledCall {
  readonly principal: string | undefined;
  readonly handle: () => void;
  readonly refuse: (text: string, retryAfterSeconds: number) => void;
  /** False when its client is gone. */
  readonly isWanted: () => boolean;
}

interface Waiting {
  readonly call: ThrottledCall;
  readonly at: number;
}

export class Throttle {
  readonly #limiter: RateLimiter;
  readonly #clock: Clock;
  /** By rate, in order. */
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #timers = new Map<string, Cancel>();
  readonly #received = new Map<string, number>();
  readonly #processed = new Map<string, number>();

  constructor(limits: RateLimits, clock: Clock) {
    this.#limiter = new RateLimiter(limits);
    this.#clock = clock;
  }

  /** Handles a call now or later, or refuses it. */
  take(call: ThrottledCall): void {
    const now = this.#clock.monotonicMs();
    count(this.#received, call.principal);
    const admission = this.#limiter.admit(call.principal, now);
    if (admission.kind === 'refused') {
      call.refuse(admission.text, Math.ceil(admission.retryAfterMs / 1000));
      return;
    }
    const { rate, afterMs } = admission;
    const queue = rate === undefined ? undefined : this.#waiting.get(rate);
    if (rate === undefined || (afterMs === 0 && (queue ?? []).length === 0)) {
      this.#handle(call);
      return;
    }
    const waiting = { call, at: now + afterMs };
    if (queue === undefined) this.#waiting.set(rate, [waiting]);
    else queue.push(waiting);
    if (!this.#timers.has(rate)) this.#arm(rate);
  }

  /** `frameworks/<principal>/messages_…` of principals that have called. */
  readings(): Readonly<Record<string, number>> {
    const readings: Record<string, number> = {};
    for (const [principal, received] of this.#received) {
      readings[`frameworks/${principal}/messages_received`] = received;
      readings[`frameworks/${principal}/messages_processed`] = this.#processed.get(principal) ?? 0;
    }
    return readings;
  }

  /** Hands on what waits although it is not its turn: to a master that refuses everything by now. */
  passOnAll(): void {
    const calls = [...this.#waiting.values()].flat();
    this.close();
    for (const { call } of calls) if (call.isWanted()) call.handle();
  }

  /** Forgets what waits. */
  close(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    this.#waiting.clear();
  }

  #arm(rate: string): void {
    const [first] = this.#waiting.get(rate) ?? [];
    if (first === undefined) return;
    const afterMs = Math.max(0, first.at - this.#clock.monotonicMs());
    this.#timers.set(
      rate,
      this.#clock.setTimer(Math.ceil(afterMs), () => {
        this.#timers.delete(rate);
        this.#release(rate);
      }),
    );
  }

  #release(rate: string): void {
    const queue = this.#waiting.get(rate) ?? [];
    const now = this.#clock.monotonicMs();
    while (queue[0] !== undefined && queue[0].at <= now) {
      const call = queue.shift()?.call;
      if (call?.isWanted() === true) this.#handle(call);
    }
    this.#arm(rate);
  }

  #handle(call: ThrottledCall): void {
    count(this.#processed, call.principal);
    call.handle();
  }
}

/** Principals are as many as there are credentials; without log-in a framework names its own, so there is a bound. */
const COUNTED_PRINCIPALS_MAX = 10_000;

function count(counters: Map<string, number>, principal: string | undefined): void {
  if (principal === undefined) return;
  if (!counters.has(principal) && counters.size >= COUNTED_PRINCIPALS_MAX) return;
  counters.set(principal, (counters.get(principal) ?? 0) + 1);
}
