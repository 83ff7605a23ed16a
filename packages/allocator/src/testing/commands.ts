/**
 * Random histories: commands that do the same to an allocator and to the specification and compare.
 * For tests only.
 */

import fc from 'fast-check';
import { agentId, frameworkId, type AgentId, type FrameworkId } from '@dcos/base';
import { parseResources, Resources } from '@dcos/resources';
import type { Allocation, Allocator, OfferRefusal } from '../types.ts';
import { roleOf, type AllocatorSpecification } from './specification.ts';

export interface Model {
  readonly specification: AllocatorSpecification;
  now: number;
}

type Command = fc.Command<Model, Allocator>;

/** Thrown by a command when the allocator does what the specification does not. */
export class Difference extends Error {
  override readonly name = 'Difference';
}

const FRAMEWORKS = ['f1', 'f2', 'f3', 'f4'].map(frameworkId);
const AGENTS = ['a1', 'a2', 'a3'].map(agentId);
const ROLES = ['*', 'web', 'web/front', 'batch'];

const framework = fc.constantFrom(...FRAMEWORKS);
const agent = fc.constantFrom(...AGENTS);
const roles = fc.uniqueArray(fc.constantFrom(...ROLES), { minLength: 1, maxLength: 3 });
const someRoles = fc.uniqueArray(fc.constantFrom(...ROLES), { maxLength: 2 });
const capabilities = fc
  .subarray(['MULTI_ROLE', 'GPU_RESOURCES', 'REVOCABLE_RESOURCES', 'RESERVATION_REFINEMENT'])
  .map((names) => new Set(names));
const agentCapabilities = fc.constantFrom(
  new Set(['MULTI_ROLE', 'HIERARCHICAL_ROLE']),
  new Set(['MULTI_ROLE', 'HIERARCHICAL_ROLE']),
  new Set(['MULTI_ROLE']),
  new Set<string>(),
);
const total = fc
  .tuple(
    fc.constantFrom(
      'cpus:2;mem:1024',
      'cpus:1;mem:512;ports:[31000-31010]',
      'cpus:4;mem:64;gpus:1',
    ),
    fc.constantFrom('', ';cpus(web):1;mem(web):64', ';mem(web/front):128', ';disk(batch):10'),
    fc.boolean(),
  )
  .map(([plain, reserved, revocable]) => {
    const parsed = parseResources(plain + reserved);
    if (!parsed.ok) throw new Error(parsed.error);
    const extra = { name: 'cpus', type: 'SCALAR', scalar: { value: 3 }, revocable: {} } as const;
    return Resources.fromWire(revocable ? [...parsed.value, extra] : parsed.value);
  });

/** Commands in any order; those that make no sense at their turn are passed over. */
export function allocatorCommands(): fc.Arbitrary<Iterable<Command>> {
  return fc.commands([...frameworkCommands(), ...agentCommands(), ...allocationCommands()], {
    maxCommands: 100,
    size: 'max',
  });
}

function command(
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

const knows =
  (id: FrameworkId) =>
  (model: Model): boolean =>
    model.specification.frameworks.has(id);
const has =
  (id: AgentId) =>
  (model: Model): boolean =>
    model.specification.agents.has(id);

function frameworkCommands(): fc.Arbitrary<Command>[] {
  const description = fc.record({ roles, suppressedRoles: someRoles, capabilities });
  return [
    fc.tuple(framework, description, fc.boolean()).map(([id, details, active]) =>
      command(
        `add ${id} ${fc.stringify(details)}`,
        (model) => !knows(id)(model),
        (model, allocator) => {
          allocator.addFramework(id, { ...details, active }, new Map());
          model.specification.addFramework(id, { ...details, active });
        },
      ),
    ),
    fc.tuple(framework, description).map(([id, details]) =>
      command(`update ${id} ${fc.stringify(details)}`, knows(id), (model, allocator) => {
        allocator.updateFramework(id, details);
        model.specification.updateFramework(id, details);
      }),
    ),
    fc
      .tuple(
        framework,
        fc.constantFrom('activateFramework', 'deactivateFramework', 'removeFramework'),
      )
      .map(([id, what]) =>
        command(`${what} ${id}`, knows(id), (model, allocator) => {
          allocator[what](id);
          model.specification[what](id);
        }),
      ),
    fc.tuple(framework, someRoles, fc.constantFrom('suppress', 'revive')).map(([id, named, what]) =>
      command(`${what} ${id} ${named.join()}`, knows(id), (model, allocator) => {
        allocator[what](id, named);
        model.specification[what](id, named);
      }),
    ),
    fc.tuple(fc.constantFrom(...ROLES), fc.constantFrom(0.5, 1, 3)).map(([role, weight]) =>
      command(
        `weight ${role} ${weight}`,
        () => true,
        (model, allocator) => {
          allocator.updateWeights(new Map([[role, weight]]));
          model.specification.updateWeights(new Map([[role, weight]]));
        },
      ),
    ),
  ];
}

function agentCommands(): fc.Arbitrary<Command>[] {
  return [
    fc.tuple(agent, total, agentCapabilities).map(([id, resources, names]) =>
      command(
        `add ${id} ${JSON.stringify(resources.summary())}`,
        (model) => !has(id)(model),
        (model, allocator) => {
          const details = {
            info: { hostname: id },
            total: resources,
            capabilities: names,
            active: true,
          };
          allocator.addAgent(id, details, new Map());
          model.specification.addAgent(id, details);
        },
      ),
    ),
    fc.tuple(agent, total).map(([id, resources]) =>
      command(
        `update ${id} ${JSON.stringify(resources.summary())}`,
        has(id),
        (model, allocator) => {
          allocator.updateAgent(id, resources);
          model.specification.updateAgent(id, resources);
        },
      ),
    ),
    agent.map((id) =>
      command(`remove ${id}`, has(id), (model, allocator) => {
        allocator.removeAgent(id);
        model.specification.removeAgent(id);
      }),
    ),
    fc.tuple(agent, fc.boolean()).map(([id, active]) =>
      command(`${active ? 'activate' : 'deactivate'} ${id}`, has(id), (model, allocator) => {
        if (active) allocator.activateAgent(id);
        else allocator.deactivateAgent(id);
        model.specification.setAgentActive(id, { active });
      }),
    ),
  ];
}

function allocationCommands(): fc.Arbitrary<Command>[] {
  const run = fc
    .tuple(fc.constantFrom('all', 'candidates'), fc.constantFrom(0, 1, 1000, 5000))
    .map(([scope, afterMs]) =>
      command(
        `allocate ${scope} after ${afterMs} ms`,
        () => true,
        (model, allocator) => {
          model.now += afterMs;
          allocate(model, allocator, scope);
        },
      ),
    );
  const recover = fc
    .tuple(fc.nat(), fc.boolean(), fc.constantFrom(undefined, 0, 1, 3000, 10_000), fc.boolean())
    .map(([pick, half, refuseMs, leftover]) =>
      command(
        `recover ${half ? 'half of ' : ''}holding ${pick}, refuse ${refuseMs} ms, leftover ${leftover}`,
        ({ specification }) => specification.holdings.length > 0,
        (model, allocator) =>
          recoverOne(model, allocator, {
            pick,
            half,
            refusal: refuseMs === undefined ? undefined : { refuseMs, leftover },
          }),
      ),
    );
  const track = fc.tuple(framework, agent, fc.constantFrom(...ROLES)).map(([id, on, role]) =>
    command(
      `track ${id} ${role} on ${on}`,
      (model) =>
        knows(id)(model) && has(on)(model) && model.specification.freeOf(on).contains(TASK),
      (model, allocator) => {
        allocator.track(id, on, TASK.allocate(role));
        model.specification.track(id, on, TASK.allocate(role));
      },
    ),
  );
  return [run, run, run, recover, recover, recover, track];
}

const TASK = Resources.fromWire([{ name: 'cpus', type: 'SCALAR', scalar: { value: 0.5 } }]);

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
  const { holdings } = model.specification;
  const holding = holdings[how.pick % holdings.length];
  if (holding === undefined) return;
  const role = roleOf(holding.resources);
  const all = holding.resources.filterEntries(({ nature }) => nature.allocatedTo === role);
  const cpus = all.filterEntries(({ nature }) => nature.name === 'cpus');
  const resources = how.half && !cpus.isEmpty() ? cpus : all;
  allocator.recover(holding.framework, holding.agent, resources, how.refusal, model.now);
  model.specification.recover({ ...holding, resources }, how.refusal, model.now);
}

/** Lets both decide about the same agents in the same order; those without offers may come anywhere. */
function allocate(
  { specification, now }: Model,
  allocator: Allocator,
  scope: 'all' | 'candidates',
): void {
  if (allocator.hasCandidates() !== specification.candidates.size > 0) {
    throw new Difference(`candidates: ${allocator.hasCandidates()}`);
  }
  const pool = new Set(scope === 'all' ? specification.agents.keys() : specification.candidates);
  specification.candidates.clear();
  const actual = allocator.allocate(now, scope);
  const served = new Set(actual.map(({ agentId: id }) => id));
  const expected = specification.allocate(now, [
    ...served,
    ...[...pool].filter((id) => !served.has(id)),
  ]);
  const [left, right] = [actual.map(describe), expected.map(describe)];
  if (left.join('\n') !== right.join('\n')) {
    throw new Difference(`allocated\n${left.join('\n')}\ninstead of\n${right.join('\n')}`);
  }
}

function describe({ frameworkId: id, role, agentId: on, resources }: Allocation): string {
  return `${id} ${role} ${on} ${JSON.stringify(resources.toWire())}`;
}

/** Books: allocated + free = total, as long as the total did not shrink below what is allocated. */
function compareBooks({ specification }: Model, allocator: Allocator): void {
  const { agents } = allocator.snapshot();
  if (agents.length !== specification.agents.size) throw new Difference('agents');
  for (const book of agents) {
    const allocated = specification.allocatedOf(book.id);
    const expected = specification.freeOf(book.id);
    if (!book.allocated.equals(allocated)) throw new Difference(`allocated of ${book.id}`);
    if (!book.free.equals(expected)) throw new Difference(`free of ${book.id}`);
    if (book.total.contains(allocated) && !book.free.add(book.allocated).equals(book.total)) {
      throw new Difference(`sum of ${book.id}`);
    }
  }
}
