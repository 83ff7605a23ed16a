/** Runs, what comes back of them, and what is made of it, as commands of random histories. For tests only. */

import fc from 'fast-check';
import type { AgentId } from '@dcos/base';
import type { Resources } from '@dcos/resources';
import type { Allocator, OfferRefusal } from '../types.ts';
import { conversionsOf, type Conversion } from './conversions.ts';
import {
  allocate,
  always,
  anyAgent,
  anyFramework,
  anyRole,
  askInversely,
  command,
  Difference,
  has,
  knows,
  TASK,
  type Command,
  type Model,
} from './model.ts';
import { agentOf, freeOf, roleOf, type Holding } from './specification-state.ts';

export function allocationCommands(): fc.Arbitrary<Command>[] {
  const run = fc
    .tuple(fc.constantFrom('all', 'candidates'), fc.constantFrom(0, 1, 1000, 5000))
    .map(([scope, afterMs]) =>
      command(`allocate ${scope} after ${afterMs} ms`, always, (model, allocator) => {
        model.now += afterMs;
        allocate(model, allocator, scope);
        askInversely(model, allocator);
      }),
    );
  const recover = fc
    .tuple(fc.nat(), fc.boolean(), fc.constantFrom(undefined, 0, 1, 3000, 10_000), fc.boolean())
    .map(([pick, half, refuseMs, leftover]) =>
      command(
        `recover ${half ? 'half of ' : ''}holding ${pick}, refuse ${refuseMs} ms, leftover ${leftover}`,
        isAnythingHeld,
        (model, allocator) =>
          recoverOne(model, allocator, {
            pick,
            half,
            refusal: refuseMs === undefined ? undefined : { refuseMs, leftover },
          }),
      ),
    );
  const track = fc.tuple(anyFramework, anyAgent, anyRole).map(([id, on, role]) =>
    command(
      `track ${id} ${role} on ${on}`,
      (model) =>
        knows(id)(model) && has(on)(model) && freeOf(model.specification.state, on).contains(TASK),
      (model, allocator) => {
        allocator.track(id, on, TASK.allocate(role));
        model.specification.track(id, on, TASK.allocate(role));
      },
    ),
  );
  // Often, since it takes several of these for each of the others to show.
  const [runs, recoveries] = [
    Array<typeof run>(6).fill(run),
    Array<typeof recover>(5).fill(recover),
  ];
  return [...runs, ...recoveries, track, ...conversionCommands()];
}

function conversionCommands(): fc.Arbitrary<Command>[] {
  const held = fc
    .tuple(fc.nat(), fc.nat())
    .map(([pick, which]) =>
      command(`conversion ${which} of holding ${pick}`, isAnythingHeld, (model, allocator) =>
        convertHeld(model, allocator, pick, which),
      ),
    );
  const free = fc
    .tuple(anyAgent, anyRole, fc.nat())
    .map(([on, role, which]) =>
      command(
        `conversion ${which} of what is free on ${on}, ${role}`,
        has(on),
        (model, allocator) => convertFree(model, allocator, { on, role, which }),
      ),
    );
  const reuse = fc.nat().map((pick) =>
    command(
      `another task with the volumes of holding ${pick}`,
      isAnythingHeld,
      (model, allocator) => {
        const { framework, agent, resources } = pickHolding(model, pick);
        const shared = resources.filterEntries(({ nature }) => nature.shared);
        if (shared.isEmpty()) return;
        allocator.track(framework, agent, shared);
        model.specification.track(framework, agent, shared);
      },
    ),
  );
  return [held, held, free, reuse];
}

function isAnythingHeld({ specification }: Model): boolean {
  return specification.state.holdings.length > 0;
}

/** What a framework has on an agent for one of its roles. */
function pickHolding({ specification }: Model, pick: number): Holding {
  const { holdings } = specification.state;
  const holding = holdings[pick % holdings.length];
  if (holding === undefined) throw new Error('nothing is held');
  const role = roleOf(holding.resources);
  const resources = holding.resources.filterEntries(({ nature }) => nature.allocatedTo === role);
  return { ...holding, resources };
}

/** Gives back one holding for one role, or its cpus. */
function recoverOne(
  model: Model,
  allocator: Allocator,
  how: {
    readonly pick: number;
    readonly half: boolean;
    readonly refusal: OfferRefusal | undefined;
  },
): void {
  const { framework, agent, resources: all } = pickHolding(model, how.pick);
  const cpus = all.filterEntries(({ nature }) => nature.name === 'cpus');
  const resources = how.half && !cpus.isEmpty() ? cpus : all;
  allocator.recover(framework, agent, resources, how.refusal, model.now);
  model.specification.recover({ framework, agent, resources }, how.refusal, model.now);
}

function convertHeld(model: Model, allocator: Allocator, pick: number, which: number): void {
  const { framework, agent, resources } = pickHolding(model, pick);
  const role = roleOf(resources);
  const change = pickConversion(model, resources.unallocate(), role, which);
  if (change === undefined) return;
  if (!agentOf(model.specification.state, agent).total.contains(change.from)) return;
  const [from, to] = [change.from.allocate(role), change.to.allocate(role)];
  allocator.convert(framework, agent, from, to);
  model.specification.convert({ framework, agent, resources: from }, to);
}

function convertFree(
  model: Model,
  allocator: Allocator,
  { on, role, which }: { readonly on: AgentId; readonly role: string; readonly which: number },
): void {
  const { specification } = model;
  const change = pickConversion(model, freeOf(specification.state, on), role, which);
  if (change === undefined) return;
  const actual = allocator.convertFree(on, change.from, change.to);
  const expected = specification.convertFree(on, change.from, change.to);
  if (actual !== expected) throw new Difference(`conversion: ${actual}`);
}

/** One of the conversions; a shared volume is converted only while it has one user at most. */
function pickConversion(
  model: Model,
  resources: Resources,
  role: string,
  which: number,
): Conversion | undefined {
  const volumeId = `v${model.volumes++}`;
  const all = conversionsOf(resources, { role, volumeId }).filter(
    ({ from }) => !isShared(from) || usesOf(model, from) <= 1,
  );
  return all[which % all.length];
}

function isShared(resources: Resources): boolean {
  return resources.entries.some(({ nature }) => nature.shared);
}

/** How often a volume is offered or used; who destroys it must be the only one. */
function usesOf({ specification }: Model, volume: Resources): number {
  const key = volume.entries[0]?.nature.ownKey;
  return specification.state.holdings
    .flatMap(({ resources }) => resources.entries)
    .reduce((sum, { nature, count }) => sum + (nature.ownKey === key ? count : 0), 0);
}
