/**
 * Which agents are at an address: who registers anew at one takes the place of those. Without an index each
 * registration would look at all agents.
 */

import type { Agent } from './state.ts';

export class AgentAddresses {
  readonly #agents = new Map<string, Set<Agent>>();

  /** To be called before the agent's address changes, and when it is forgotten. */
  remove(agent: Agent): void {
    const key = keyOf(agent.ip, agent.info.port);
    const there = this.#agents.get(key);
    there?.delete(agent);
    if (there?.size === 0) this.#agents.delete(key);
  }

  /** To be called when the address is known, and when it has changed. */
  add(agent: Agent): void {
    const key = keyOf(agent.ip, agent.info.port);
    const there = this.#agents.get(key) ?? new Set();
    this.#agents.set(key, there.add(agent));
  }

  /** Agents at an address; none when the port is not known. */
  at(ip: string, port: number | undefined): readonly Agent[] {
    if (port === undefined || port === 0) return [];
    return [...(this.#agents.get(keyOf(ip, port)) ?? [])];
  }
}

function keyOf(ip: string, port: number | undefined): string {
  return `${ip} ${port ?? 0}`;
}
