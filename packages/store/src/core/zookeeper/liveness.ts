/**
 * How long a session and its connection may count as alive.
 *
 * Invariant: the session counts as over here before it is over for the servers, provided that what reaches one of
 * them is known to all in time; {@link LeaseProof} does without. They count from the last
 * packet that reached one of them; we count from when the last packet was sent that has been answered,
 * which was earlier, and leave a margin.
 */

/** Part of the time-out after which a connection without answers is given up, and another server tried. */
const READ_TIMEOUT_PART = 2 / 3;
/** Part of the time-out after which a connection without requests is given a ping. */
const PING_PART = 1 / 3;
/** Part of the time-out after which the session counts as over here; the rest is the margin. */
const EXPIRY_PART = 9 / 10;

export class Liveness {
  #timeoutMs: number;
  /** When the last packet was sent that has been answered. */
  #freshMs = 0;
  #sentMs = 0;
  #receivedMs = 0;
  #pingSentMs: number | undefined;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  get timeoutMs(): number {
    return this.#timeoutMs;
  }

  /** The servers' answer to the handshake, which was the last that was sent. */
  begin(timeoutMs: number): void {
    this.#timeoutMs = timeoutMs;
    this.#freshMs = this.#sentMs;
    this.#pingSentMs = undefined;
  }

  /** Back to the time-out that is asked for: there is no session. */
  reset(timeoutMs: number): void {
    this.#timeoutMs = timeoutMs;
  }

  sent(nowMs: number): void {
    this.#sentMs = nowMs;
  }

  received(nowMs: number): void {
    this.#receivedMs = nowMs;
  }

  /** What was sent then has been answered. */
  answered(sentMs: number): void {
    this.#freshMs = Math.max(this.#freshMs, sentMs);
  }

  pingSent(nowMs: number): void {
    this.#pingSentMs = nowMs;
  }

  pingAnswered(): void {
    if (this.#pingSentMs !== undefined) this.answered(this.#pingSentMs);
    this.#pingSentMs = undefined;
  }

  /** When the session counts as over. */
  expiresMs(): number {
    return this.#freshMs + this.#timeoutMs * EXPIRY_PART;
  }

  /** When the connection is given up unless something comes. */
  readEndsMs(): number {
    return this.#receivedMs + this.#timeoutMs * READ_TIMEOUT_PART;
  }

  /** When a ping is due unless something is sent. */
  pingDueMs(): number {
    if (this.#pingSentMs !== undefined) return Infinity;
    return this.#sentMs + this.#timeoutMs * PING_PART;
  }
}
