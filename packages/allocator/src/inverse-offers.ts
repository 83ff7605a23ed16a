/**
 * Questions to frameworks that have something on an agent whose machine will be taken away: who was asked
 * and has not answered, who answered what, and who is not to be asked again before when.
 *
 * Invariants: at most one question is outstanding per framework and agent; a new unavailability forgets
 * all of that.
 */

import type { AgentId, FrameworkId, Instant } from '@dcos/base';
import type { Unavailability } from '@dcos/wire';
import type { InverseAllocation, InverseOfferAnswer } from './types.ts';

interface Asked {
  outstanding: boolean;
  /** Not asked again up to this instant. */
  until: Instant;
  answer: InverseOfferAnswer | undefined;
}

interface Maintained {
  readonly unavailability: Unavailability;
  readonly asked: Map<FrameworkId, Asked>;
}

export class InverseOffers {
  readonly #agents = new Map<AgentId, Maintained>();

  setUnavailability(agent: AgentId, unavailability: Unavailability | undefined): void {
    if (unavailability === undefined) this.#agents.delete(agent);
    else this.#agents.set(agent, { unavailability, asked: new Map() });
  }

  /** Asks those that have something on the agents; `holders` are frameworks that may be asked. */
  ask(
    now: Instant,
    holders: (agent: AgentId) => Iterable<FrameworkId>,
  ): readonly InverseAllocation[] {
    const questions: InverseAllocation[] = [];
    for (const [agentId, { unavailability, asked }] of this.#agents) {
      for (const frameworkId of holders(agentId)) {
        const before = asked.get(frameworkId);
        if (before?.outstanding === true || (before !== undefined && now <= before.until)) continue;
        asked.set(frameworkId, { outstanding: true, until: now, answer: before?.answer });
        questions.push({ frameworkId, agentId, unavailability });
      }
    }
    return questions;
  }

  /** A question was answered, or (undefined) withdrawn. */
  answer(
    framework: FrameworkId,
    agent: AgentId,
    answer: InverseOfferAnswer | undefined,
    until: Instant,
  ): void {
    const asked = this.#agents.get(agent)?.asked;
    if (asked === undefined) return;
    asked.set(framework, {
      outstanding: false,
      until,
      answer: answer ?? asked.get(framework)?.answer,
    });
  }

  /** The framework wants to be asked again. */
  revive(framework: FrameworkId): void {
    for (const { asked } of this.#agents.values()) {
      const own = asked.get(framework);
      if (own !== undefined) own.until = Number.NEGATIVE_INFINITY;
    }
  }

  forget(framework: FrameworkId): void {
    for (const { asked } of this.#agents.values()) asked.delete(framework);
  }

  answers(): ReadonlyMap<AgentId, ReadonlyMap<FrameworkId, InverseOfferAnswer>> {
    const all = new Map<AgentId, ReadonlyMap<FrameworkId, InverseOfferAnswer>>();
    for (const [agent, { asked }] of this.#agents) {
      const given = new Map<FrameworkId, InverseOfferAnswer>();
      for (const [framework, { answer }] of asked)
        if (answer !== undefined) given.set(framework, answer);
      all.set(agent, given);
    }
    return all;
  }
}
