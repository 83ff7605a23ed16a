/**
 * Which agents the next run looks at: those that something happened to, or all. And the wake epoch, which
 * changes whenever somebody may want what nobody wanted before; agents that were settled in an older epoch
 * are looked at once more, see the allocation run.
 */

import type { AgentBook } from './agent-book.ts';

export class Candidates {
  #agents = new Set<AgentBook>();
  #everyone = false;
  #wakeEpoch = 0;
  /** Something was not offered because of quota since quota last left more. */
  #quotaHeldBack = false;

  get wakeEpoch(): number {
    return this.#wakeEpoch;
  }

  add(agent: AgentBook): void {
    this.#agents.add(agent);
  }

  delete(agent: AgentBook): void {
    this.#agents.delete(agent);
  }

  /** Somebody may want what nobody wanted: all agents are worth a look. */
  wake(): void {
    this.#wakeEpoch += 1;
    this.#everyone = true;
  }

  /** Quota held something back in a run. */
  noteHeldBack(): void {
    this.#quotaHeldBack = true;
  }

  /** Quota is another: everything is worth another look in the next full run, which nothing hastens. */
  quotaChanged(): void {
    this.#quotaHeldBack = false;
    this.#wakeEpoch += 1;
  }

  /** Quota leaves more than it did: what it held back is worth another look in the next full run. */
  quotaLoosened(): void {
    if (this.#quotaHeldBack) this.quotaChanged();
  }

  /** Whether there are any, of `known` agents in all. */
  hasAny(known: number): boolean {
    return this.#everyone ? known > 0 : this.#agents.size > 0;
  }

  /** The agents that a run is to look at; there are no candidates then. */
  take(scope: 'candidates' | 'all', known: Iterable<AgentBook>): readonly AgentBook[] {
    const agents = [...(scope === 'all' || this.#everyone ? known : this.#agents)];
    this.#agents = new Set();
    this.#everyone = false;
    return agents;
  }
}
