/** In which order servers are tried, and how long to wait between rounds: shuffled once, then in turn. */

import { randomFraction, shuffle, type Random } from '@dcos/base';
import type { ServerAddress } from './paths.ts';

/** The wait after the first round in which no server answered; it doubles from round to round. */
const RETRY_MS = 50;
const RETRY_MAX_MS = 1_000;

export class ServerList {
  readonly #servers: readonly ServerAddress[];
  readonly #random: Random;
  #next = 0;
  /** Attempts that failed since the last connection that worked. */
  #failures = 0;

  constructor(servers: readonly ServerAddress[], random: Random) {
    this.#servers = shuffle(random, [...servers]);
    this.#random = random;
  }

  get count(): number {
    return this.#servers.length;
  }

  next(): ServerAddress {
    const server = this.#servers[this.#next] as ServerAddress;
    this.#next = (this.#next + 1) % this.#servers.length;
    return server;
  }

  worked(): void {
    this.#failures = 0;
  }

  /** An attempt failed; returns how long to wait before the next one. Clients do not come all at once. */
  failed(): number {
    this.#failures += 1;
    const rounds = Math.floor(this.#failures / this.#servers.length);
    if (rounds === 0 || this.#failures % this.#servers.length !== 0) return 0;
    const waitMs = Math.min(RETRY_MS * 2 ** (rounds - 1), RETRY_MAX_MS);
    return waitMs * (0.5 + 0.5 * randomFraction(this.#random));
  }
}
