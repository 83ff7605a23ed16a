/**
 * What the allocator is told of agents: they come with what frameworks have on them, change, are offered
 * or not, will be away for maintenance, go.
 */

import { compareText, type AgentId, type FrameworkId } from '@dcos/base';
import type { Resources } from '@dcos/resources';
import { AttributeType, toJsonText, type AgentInfo, type Unavailability } from '@dcos/wire';
import { AgentBook } from './agent-book.ts';
import type { Candidates } from './candidates.ts';
import type { InverseOffers } from './inverse-offers.ts';
import type { Ledger } from './ledger.ts';
import type { AgentDescription } from './types.ts';

export class AgentCalls {
  readonly #ledger: Ledger;
  readonly #candidates: Candidates;
  readonly #inverse: InverseOffers;
  #whitelist: ReadonlySet<string> | undefined;

  constructor(ledger: Ledger, candidates: Candidates, inverse: InverseOffers) {
    this.#ledger = ledger;
    this.#candidates = candidates;
    this.#inverse = inverse;
  }

  add(
    id: AgentId,
    description: AgentDescription & { readonly active: boolean },
    used: ReadonlyMap<FrameworkId, Resources>,
  ): void {
    const agent = new AgentBook(id, description);
    agent.listed = this.#isListed(agent);
    this.#ledger.addAgent(agent);
    for (const [frameworkId, resources] of used) this.track(frameworkId, id, resources);
    this.#candidates.add(agent);
  }

  update(
    id: AgentId,
    total: Resources,
    description?: { readonly info: AgentInfo; readonly capabilities: ReadonlySet<string> },
  ): void {
    const agent = this.#ledger.agent(id);
    this.#ledger.setTotal(agent, total);
    if (description !== undefined) {
      const attributesBefore = attributesText(agent.info);
      agent.info = description.info;
      agent.capabilities = description.capabilities;
      agent.listed = this.#isListed(agent);
      if (attributesText(agent.info) !== attributesBefore) this.#ledger.filters.dropAgent(agent);
    }
    this.#candidates.add(agent);
  }

  remove(id: AgentId): void {
    const agent = this.#ledger.agent(id);
    this.#ledger.removeAgent(agent);
    this.#inverse.setUnavailability(id, undefined);
    this.#candidates.delete(agent);
  }

  activate(id: AgentId): void {
    const agent = this.#ledger.agent(id);
    agent.active = true;
    this.#candidates.add(agent);
  }

  deactivate(id: AgentId): void {
    this.#ledger.agent(id).active = false;
  }

  track(frameworkId: FrameworkId, id: AgentId, resources: Resources): void {
    const agent = this.#ledger.agent(id);
    if (resources.isEmpty()) return;
    this.#ledger.take(this.#ledger.clients.framework(frameworkId), agent, resources);
  }

  convertFree(id: AgentId, from: Resources, to: Resources): boolean {
    const agent = this.#ledger.agent(id);
    if (!agent.free.contains(from)) return false;
    this.#ledger.convertFree(agent, from, to);
    return true;
  }

  updateWhitelist(hostnames: ReadonlySet<string> | undefined): void {
    this.#whitelist = hostnames;
    for (const agent of this.#ledger.agents.values()) agent.listed = this.#isListed(agent);
    this.#candidates.wake();
  }

  updateUnavailability(id: AgentId, unavailability: Unavailability | undefined): void {
    const agent = this.#ledger.agent(id);
    this.#inverse.setUnavailability(id, unavailability);
    this.#candidates.add(agent);
  }

  #isListed(agent: AgentBook): boolean {
    return this.#whitelist === undefined || this.#whitelist.has(agent.info.hostname);
  }
}

function attributesText(info: AgentInfo): string {
  return (info.attributes ?? [])
    .map((attribute) => toJsonText(AttributeType, attribute))
    .sort(compareText)
    .join();
}
