/** What frameworks do, as commands of random histories. For tests only. */

import fc from 'fast-check';
import type { AgentId } from '@dcos/base';
import type { Resources } from '@dcos/resources';
import type { AgentFilter, MinAllocatable } from '../types.ts';
import {
  anyAgent,
  anyFramework,
  anyRole,
  command,
  knows,
  ROLES,
  TASK,
  type Command,
  type Model,
} from './model.ts';
import { freeOf } from './specification-state.ts';

const someRoles = fc.uniqueArray(anyRole, { maxLength: 2 });

const CAPABILITIES = [
  'MULTI_ROLE',
  'GPU_RESOURCES',
  'REVOCABLE_RESOURCES',
  'RESERVATION_REFINEMENT',
  'SHARED_RESOURCES',
  'REGION_AWARE',
];

const description = fc.record(
  {
    roles: fc.uniqueArray(anyRole, { minLength: 1, maxLength: 3 }),
    suppressedRoles: someRoles,
    capabilities: fc
      .oneof({ weight: 2, arbitrary: fc.constant(CAPABILITIES) }, fc.subarray(CAPABILITIES))
      .map((names) => new Set(names)),
    minAllocatable: fc
      .tuple(
        anyRole,
        fc.constantFrom<MinAllocatable>([], [new Map([['cpus', 1500]])], [new Map([['disk', 1]])]),
      )
      .map((entry) => new Map([entry])),
    agentFilters: fc
      .tuple(anyRole, fc.constantFrom('a1', 'a2'))
      .map(([role, host]) => new Map<string, AgentFilter>([[role, excludes(host)]])),
  },
  { requiredKeys: ['roles', 'suppressedRoles', 'capabilities'] },
);

/** Offer constraints that exclude one host. */
function excludes(host: string): AgentFilter {
  const filter: AgentFilter = ({ hostname }) => hostname !== host;
  return Object.assign(filter, { toString: () => `not ${host}` });
}

export function frameworkCommands(): fc.Arbitrary<Command>[] {
  return [
    add(),
    add(),
    fc.tuple(anyFramework, description).map(([id, details]) =>
      command(`update ${id} ${fc.stringify(details)}`, knows(id), (model, allocator) => {
        allocator.updateFramework(id, details);
        model.specification.updateFramework(id, details);
      }),
    ),
    fc
      .tuple(
        anyFramework,
        fc.constantFrom('activateFramework', 'deactivateFramework', 'removeFramework'),
      )
      .map(([id, what]) =>
        command(`${what} ${id}`, knows(id), (model, allocator) => {
          allocator[what](id);
          model.specification[what](id);
        }),
      ),
    fc
      .tuple(
        anyFramework,
        fc.subarray(ROLES, { maxLength: 2 }),
        fc.constantFrom('suppress', 'revive'),
      )
      .map(([id, named, what]) =>
        command(`${what} ${id} ${named.join()}`, knows(id), (model, allocator) => {
          allocator[what](id, named);
          model.specification[what](id, named);
        }),
      ),
  ];
}

/** Some come with a task on an agent that is there already. */
function add(): fc.Arbitrary<Command> {
  return fc
    .tuple(anyFramework, description, fc.boolean(), fc.option(fc.tuple(anyAgent, anyRole)))
    .map(([id, details, active, task]) =>
      command(
        `add ${id} ${fc.stringify({ details, active, task })}`,
        (model) => !knows(id)(model),
        (model, allocator) => {
          const used = new Map<AgentId, Resources>();
          if (task !== null && canRun(model, task[0])) used.set(task[0], TASK.allocate(task[1]));
          allocator.addFramework(id, { ...details, active }, used);
          model.specification.addFramework(id, { ...details, active }, used);
        },
      ),
    );
}

function canRun({ specification: { state } }: Model, agent: AgentId): boolean {
  return state.agents.has(agent) && freeOf(state, agent).contains(TASK);
}
