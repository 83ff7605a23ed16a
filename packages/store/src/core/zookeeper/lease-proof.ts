/**
 * Until when the holder of a lease may act: as long as it is proven that the servers have not ended its session.
 *
 * An answer proves little. Servers end a session when the one that leads them has not heard of it for its time-out,
 * and it hears of it with the answers to its pings, one every half tick. A server that is cut off from the others goes
 * on answering for several ticks, and nobody hears of it. So a question counts for nothing until two others prove
 * that it got there: one that was asked when the leading server had certainly pinged since, and one after that,
 * which passes behind the answers to those pings. What a session begins or resumes with is told to the leading
 * server at once.
 *
 * And a server that leads nobody any more may believe for a while that it does. So only an answer that a majority agreed on
 * makes use of what was found.
 *
 * Invariant: `endsMs` is before the servers can end the session, by the holder's own clock.
 *
 * @see ZooKeeper's LearnerSessionTracker and LearnerHandler, `PING` and `REVALIDATE`
 */

/**
 * Part of the session's time within which the leading server pings the others, where nothing more is known of it: it does
 * so every half tick, and sessions last two ticks at least by its usual settings.
 */
const PING_PART = 0.3;
/** Part of it that counts; the rest is the margin. */
const LEASE_PART = 9 / 10;

interface RoundTrip {
  readonly askedMs: number;
  readonly answeredMs: number;
}

export class LeaseProof {
  readonly #pingMs: number;
  /** Answered on this connection, the oldest first; what is too old to be of use is dropped. */
  #roundTrips: RoundTrip[] = [];
  /** What the leading server has heard of, if it is the leading one. */
  #heardMs = -Infinity;
  #provenMs = -Infinity;
  /** A beginning that no answer has followed yet. */
  #beginningMs: number | undefined;

  /** @param tickMs of the servers (`tickTime`), where it is known; what is proven is younger then. */
  constructor(tickMs = Infinity) {
    this.#pingMs = tickMs;
  }

  /** A connection took up the session; it had begun to at that time. */
  connected(beganMs: number): void {
    this.#roundTrips = [];
    this.#beginningMs = beganMs;
  }

  /**
   * A question was answered, on the same connection as those before it, each asked when the one before was answered.
   *
   * @param trip.isAgreed whether a majority of the servers agreed on the answer.
   * @param timeoutMs of the session.
   */
  answered(trip: RoundTrip & { readonly isAgreed: boolean }, timeoutMs: number): void {
    const { askedMs, answeredMs } = trip;
    if (this.#beginningMs !== undefined) this.#heard(this.#beginningMs);
    this.#beginningMs = undefined;
    const before = this.#roundTrips.at(-1);
    if (before !== undefined) {
      // Two pings in a tick: one may be late by as much as its time.
      const pingedMs = before.askedMs - Math.min(this.#pingMs, timeoutMs * PING_PART);
      const last = this.#roundTrips.findLastIndex((one) => one.answeredMs <= pingedMs);
      const heard = this.#roundTrips[last];
      if (heard !== undefined) {
        this.#heard(heard.askedMs);
        this.#roundTrips.splice(0, last);
      }
    }
    this.#roundTrips.push({ askedMs, answeredMs });
    if (trip.isAgreed) this.#provenMs = this.#heardMs;
  }

  /** When the holder must have stopped. */
  endsMs(timeoutMs: number): number {
    return this.#provenMs + timeoutMs * LEASE_PART;
  }

  #heard(atMs: number): void {
    this.#heardMs = Math.max(this.#heardMs, atMs);
  }
}
