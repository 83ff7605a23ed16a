/**
 * Finds the addresses of agents, schedulers and masters that are known by a host name only, through the
 * system's resolver, and looks again from time to time.
 */

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { errorText, type Cancel, type Clock, type Logger } from '@dcos/base';

/** Look-ups at a time; the system's resolver has few threads. */
const LOOKUPS_MAX = 4;
/** After this time a name is looked up again, whether it had addresses or not. */
const REFRESH_MS = 60_000;

export class HostResolver {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #resolved: (host: string, ips: readonly string[]) => void;
  readonly #known = new Set<string>();
  readonly #queue: string[] = [];
  #running = 0;
  #cancelRefresh: Cancel | undefined;
  #closed = false;

  constructor(options: {
    readonly clock: Clock;
    readonly logger: Logger;
    readonly resolved: (host: string, ips: readonly string[]) => void;
  }) {
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#resolved = options.resolved;
  }

  /** Looks the host up soon and again later; a host that is known already is left alone. */
  watch(host: string): void {
    if (this.#known.has(host)) return;
    this.#known.add(host);
    this.#queue.push(host);
    this.#work();
    this.#cancelRefresh ??= this.#clock.setTimer(REFRESH_MS, () => this.#refresh());
  }

  close(): void {
    this.#closed = true;
    this.#cancelRefresh?.();
    this.#queue.length = 0;
  }

  #refresh(): void {
    if (this.#queue.length === 0) this.#queue.push(...this.#known);
    this.#work();
    this.#cancelRefresh = this.#clock.setTimer(REFRESH_MS, () => this.#refresh());
  }

  #work(): void {
    while (this.#running < LOOKUPS_MAX) {
      const host = this.#queue.shift();
      if (host === undefined) return;
      this.#running += 1;
      void this.#lookUp(host);
    }
  }

  async #lookUp(host: string): Promise<void> {
    const ips = await addressesOf(host, this.#logger);
    this.#running -= 1;
    if (this.#closed) return;
    this.#resolved(host, ips);
    this.#work();
  }
}

/** The addresses of a host or address literal; empty when there are none. */
export async function addressesOf(host: string, logger: Logger): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host];
  try {
    const found = await lookup(host, { all: true });
    return found.map(({ address }) => address);
  } catch (error) {
    logger.warn({ event: 'host.unresolved', host, error: errorText(error) }, 'host has no address');
    return [];
  }
}
