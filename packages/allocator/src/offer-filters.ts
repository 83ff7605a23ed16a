/**
 * What frameworks refused. A filter hides an offer of the same agent for the same role when what was
 * refused contains what would be offered; so any increase on the agent passes.
 *
 * Invariants: a filter is in its client's map iff it is alive; `ended` hears of each filter that ends by
 * time or is dropped, exactly once per pair of client and agent.
 */

import type { Instant } from '@dcos/base';
import type { Resources } from '@dcos/resources';

/** Refusals of one agent that one client can have at a time; the oldest goes first. */
export const FILTERS_PER_PAIR_MAX = 16;

interface Filter {
  readonly refused: Resources;
  /** The last instant at which it still hides. */
  readonly lastInstant: Instant;
}

interface Expiry<Client, Agent> {
  readonly lastInstant: Instant;
  readonly client: Client;
  readonly agent: Agent;
  readonly filter: Filter;
}

/** Rebuilding the queue of expiries is not worth it below this size. */
const QUEUE_SLACK = 1024;

export class OfferFilters<Client extends object, Agent extends object> {
  readonly #byClient = new Map<Client, Map<Agent, Filter[]>>();
  /** A binary heap by `lastInstant`; entries of filters that were dropped stay until rebuilt or due. */
  #queue: Expiry<Client, Agent>[] = [];
  #alive = 0;
  readonly #ended: (client: Client, agent: Agent) => void;

  /** @param ended called after a pair lost a filter, by time or otherwise. */
  constructor(ended: (client: Client, agent: Agent) => void) {
    this.#ended = ended;
  }

  add(client: Client, agent: Agent, refused: Resources, lastInstant: Instant): void {
    let agents = this.#byClient.get(client);
    if (agents === undefined) {
      agents = new Map();
      this.#byClient.set(client, agents);
    }
    const filter: Filter = { refused, lastInstant };
    const before = agents.get(agent) ?? [];
    // A refusal that is wider and lasts longer makes the older ones needless.
    const kept = before.filter(
      (other) => other.lastInstant > lastInstant || !refused.contains(other.refused),
    );
    if (kept.length >= FILTERS_PER_PAIR_MAX) kept.shift();
    kept.push(filter);
    agents.set(agent, kept);
    this.#alive += kept.length - before.length;
    this.#push({ lastInstant, client, agent, filter });
  }

  /** Until when the offer is hidden, undefined when it is not. */
  hidesUntil(client: Client, agent: Agent, offer: Resources): Instant | undefined {
    let until: Instant | undefined;
    for (const filter of this.#byClient.get(client)?.get(agent) ?? []) {
      if ((until === undefined || filter.lastInstant > until) && filter.refused.contains(offer)) {
        until = filter.lastInstant;
      }
    }
    return until;
  }

  /** Agents of which the client refuses something. */
  countOf(client: Client): number {
    return this.#byClient.get(client)?.size ?? 0;
  }

  dropClient(client: Client): void {
    const agents = this.#byClient.get(client);
    if (agents === undefined) return;
    this.#byClient.delete(client);
    for (const [agent, filters] of agents) {
      this.#alive -= filters.length;
      this.#ended(client, agent);
    }
  }

  dropAgent(agent: Agent): void {
    for (const [client, agents] of this.#byClient) {
      const filters = agents.get(agent);
      if (filters === undefined) continue;
      agents.delete(agent);
      this.#alive -= filters.length;
      this.#ended(client, agent);
    }
  }

  /** Ends the filters whose last instant is before now. */
  expire(now: Instant): void {
    for (;;) {
      const first = this.#queue[0];
      if (first === undefined || first.lastInstant >= now) return;
      this.#pop();
      const agents = this.#byClient.get(first.client);
      const filters = agents?.get(first.agent);
      if (agents === undefined || filters === undefined || !filters.includes(first.filter))
        continue;
      const rest = filters.filter((filter) => filter !== first.filter);
      if (rest.length === 0) agents.delete(first.agent);
      else agents.set(first.agent, rest);
      this.#alive -= 1;
      this.#ended(first.client, first.agent);
    }
  }

  #push(expiry: Expiry<Client, Agent>): void {
    if (this.#queue.length > 2 * this.#alive + QUEUE_SLACK) {
      // Sorted ascending is a heap.
      this.#queue = this.#queue
        .filter(({ client, agent, filter }) =>
          this.#byClient.get(client)?.get(agent)?.includes(filter),
        )
        .sort((left, right) => left.lastInstant - right.lastInstant);
      if (this.#queue.includes(expiry)) return;
    }
    const queue = this.#queue;
    let at = queue.length;
    queue.push(expiry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = queue[parent] as Expiry<Client, Agent>;
      if (above.lastInstant <= expiry.lastInstant) break;
      queue[at] = above;
      at = parent;
    }
    queue[at] = expiry;
  }

  #pop(): void {
    const queue = this.#queue;
    const last = queue.pop();
    if (last === undefined || queue.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= queue.length) break;
      const right = queue[child + 1];
      if (
        right !== undefined &&
        right.lastInstant < (queue[child] as Expiry<Client, Agent>).lastInstant
      )
        child += 1;
      const smaller = queue[child] as Expiry<Client, Agent>;
      if (smaller.lastInstant >= last.lastInstant) break;
      queue[at] = smaller;
      at = child;
    }
    queue[at] = last;
  }
}
