/**
 * What an agent looks like at one instant, for views that are written later, piece by piece. A look is
 * immutable, and it stays the same object for as long as nothing changes that a view shows, so that what
 * was made of it can be kept with it.
 */

import type { Resources } from '@dcos/resources';
import type { Agent } from './state.ts';

/** What changes in place and so cannot be part of a look; ledgers become sums. */
type Changing =
  | 'tasks'
  | 'offers'
  | 'executors'
  | 'inverseOffers'
  | 'operations'
  | 'kills'
  | 'used'
  | 'offered';

/** How an agent looks. No view of an agent may show what is not here. */
export type AgentLook = Readonly<Omit<Agent, Changing | 'pingsMissed'>> & {
  readonly used: Resources;
  readonly offered: Resources;
};

const looks = new WeakMap<Agent, AgentLook>();

/** How the agent looks now. */
export function lookOf(agent: Agent): AgentLook {
  const {
    tasks: _tasks,
    offers: _offers,
    executors: _executors,
    inverseOffers: _inverseOffers,
    operations: _operations,
    kills: _kills,
    pingsMissed: _pings,
    ...kept
  } = agent;
  const look: AgentLook = { ...kept, used: agent.used.total(), offered: agent.offered.total() };
  const known = looks.get(agent);
  if (known !== undefined && isSame(known, look)) return known;
  looks.set(agent, look);
  return look;
}

function isSame(one: AgentLook, other: AgentLook): boolean {
  let name: keyof AgentLook;
  for (name in other) if (one[name] !== other[name]) return false;
  return true;
}
