/**
 * What the commands of random histories share: the model that they run against, the cluster's names, and
 * the comparison after each step. For tests only.
 */

import fc from 'fast-check';
import { agentId, frameworkId, type AgentId, type FrameworkId } from '@dcos/base';
import { Resources } from '@dcos/resources';
import type { Allocation, Allocator } from '../types.ts';
import type { Turns } from './specification-run.ts';
import { allocatedOf, freeOf } from './specification-state.ts';
import type { AllocatorSpecification } from './specification.ts';

export interface Model {
  readonly specification: AllocatorSpecification;
  now: number;
  /** So that each volume gets an id of its own. */
  volumes: number;
}

export type Command = fc.Command<Model, Allocator>;

/** Thrown by a command when the allocator does what the specification does not. */
export class Difference extends Error {
  override readonly name = 'Difference';
}

const FRAMEWORKS = ['f1', 'f2', 'f3', 'f4'].map(frameworkId);
const AGENTS = ['a1', 'a2', 'a3'].map(agentId);
export const ROLES = ['*', 'web', 'web/front', 'batch'];

export const anyFramework = fc.constantFrom(...FRAMEWORKS);
export const anyAgent = fc.constantFrom(...AGENTS);
export const anyRole = fc.constantFrom(...ROLES);

export const TASK = Resources.fromWire([{ name: 'cpus', type: 'SCALAR', scalar: { value: 0.5 } }]);

export const knows =
  (id: FrameworkId) =>
  ({ specification }: Model): boolean =>
    specification.state.frameworks.has(id);
export const has =
  (id: AgentId) =>
  ({ specification }: Model): boolean =>
    specification.state.agents.has(id);
export const always = (): boolean => true;

export function command(
  text: string,
  check: (model: Model) => boolean,
  run: (model: Model, allocator: Allocator) => void,
): Command {
  return {
    check,
    run: (model, allocator) => {
      run(model, allocator);
      compareBooks(model, allocator);
    },
    toString: () => text,
  };
}

/** Books: allocated + free = total, as long as the total did not shrink below what is allocated. */
function compareBooks({ specification: { state } }: Model, allocator: Allocator): void {
  const { agents } = allocator.snapshot();
  if (agents.length !== state.agents.size) throw new Difference('agents');
  for (const book of agents) {
    const allocated = allocatedOf(state, book.id);
    if (!book.total.equals(state.agents.get(book.id)?.total ?? Resources.empty))
      throw new Difference(`total of ${book.id}`);
    if (!book.allocated.equals(allocated)) throw new Difference(`allocated of ${book.id}`);
    if (!book.free.equals(freeOf(state, book.id))) throw new Difference(`free of ${book.id}`);
    if (book.total.contains(allocated) && !book.free.add(book.allocated).equals(book.total))
      throw new Difference(`sum of ${book.id}`);
  }
}

/** Lets both decide; chance is free to give any order of agents, in each of the two stages. */
export function allocate(
  { specification, now }: Model,
  allocator: Allocator,
  scope: 'all' | 'candidates',
): void {
  if (allocator.hasCandidates() !== (specification.candidates.size > 0 && !specification.paused))
    throw new Difference(`candidates: ${allocator.hasCandidates()}`);
  const actual = allocator.allocate(now, scope);
  if (specification.paused) {
    if (actual.length > 0) throw new Difference('offers while paused');
    return;
  }
  const everyone = scope === 'all' ? specification.state.agents.keys() : specification.candidates;
  const agents = [...everyone];
  specification.candidates.clear();
  const wanted = actual.map(describe).join('\n');
  const others: string[] = [];
  // The offers do not say where the first stage ended; it is enough that there is such a place.
  for (let split = 0; split <= actual.length; split++) {
    const turns = {
      guarantees: turnsOf(actual.slice(0, split), agents),
      everything: turnsOf(actual.slice(split), agents),
    };
    const { offers, after } = specification.decide(now, turns);
    const decided = offers.map(describe).join('\n');
    if (decided === wanted) {
      specification.state = after;
      return;
    }
    others.push(decided);
  }
  throw new Difference(`allocated\n${wanted}\ninstead of one of\n${others.join('\n\n')}`);
}

/** Those that were served in their order, then all others: without offers their place does not matter. */
function turnsOf(offers: readonly Allocation[], all: readonly AgentId[]): Turns {
  const served = offers.map(({ agentId: id }) => id).filter((id) => all.includes(id));
  return { agents: [...new Set([...served, ...all])], drawn: offers };
}

function describe({ frameworkId: id, role, agentId: on, resources }: Allocation): string {
  return `${id} ${role} ${on} ${JSON.stringify(resources.toWire())}`;
}

/** Whom both would ask about their agents' maintenance, and what was answered so far. */
export function askInversely({ specification, now }: Model, allocator: Allocator): void {
  const actual = allocator
    .inverseAllocate(now)
    .map(({ frameworkId, agentId }) => `${frameworkId} ${agentId}`)
    .sort()
    .join();
  const expected = specification.inverseAllocate(now).join();
  if (actual !== expected) throw new Difference(`inverse offers ${actual}, not ${expected}`);
  const answers = [...allocator.inverseOfferAnswers()].flatMap(([agent, given]) =>
    [...given].map(([framework, { willing }]) => `${framework} ${agent} ${willing}`),
  );
  const known = [...specification.state.agents].flatMap(([agent, { questions }]) =>
    [...questions].flatMap(([framework, { answer }]) =>
      answer === undefined ? [] : [`${framework} ${agent} ${answer.willing}`],
    ),
  );
  if (answers.sort().join() !== known.sort().join()) throw new Difference('inverse offer answers');
}
