/**
 * One framework of the role `dev`, one agent, and the operations that tests do most.
 */

import { expect } from 'vitest';
import type { agentProtocol, Offer_Operation, OperationStatus, Resource } from '@dcos/wire';
import type { Effect } from '../core/index.ts';
import {
  eventsOf,
  framesOf,
  frameworkInfo,
  resources,
  World,
  type TestAgent,
  type TestFramework,
} from './world.ts';

export const AGENT = resources({ cpus: 4, mem: 4096, disk: 1000 });
export const DYNAMIC = [{ type: 'DYNAMIC', role: 'dev', principal: 'ops' }] as const;

export function reserved(amounts: Parameters<typeof resources>[0]): readonly Resource[] {
  return resources(amounts).map((resource) => ({ ...resource, reservations: DYNAMIC }));
}

export function volume(id: string, disk: number, more: Partial<Resource> = {}): Resource {
  return {
    name: 'disk',
    type: 'SCALAR',
    scalar: { value: disk },
    reservations: DYNAMIC,
    disk: {
      persistence: { id, principal: 'ops' },
      volume: { mode: 'RW', container_path: 'data' },
    },
    ...more,
  };
}

export interface Scene {
  readonly world: World;
  readonly framework: TestFramework;
  readonly agent: TestAgent;
}

export function scene(options: ConstructorParameters<typeof World>[0] = {}): Scene {
  const world = new World(options);
  const framework = world.subscribe(frameworkInfo({ roles: ['dev'], principal: 'ops' }));
  const agent = world.register({
    agent_info: { hostname: 'host', port: 5051, resources: AGENT },
  });
  world.settle();
  return { world, framework, agent };
}

export function operate(
  { world, framework }: Scene,
  operations: readonly Offer_Operation[],
): readonly Effect[] {
  const result = world.call(framework, {
    type: 'ACCEPT',
    accept: {
      offer_ids: world.offersOf(framework).map((value) => ({ value })),
      operations,
      filters: { refuse_seconds: 0 },
    },
  });
  expect(result.status).toBe(202);
  return result.effects;
}

/** Name, amount and what marks it, of everything that the agent has. */
export function totalOf({ world }: Scene): readonly string[] {
  const total = world.master.snapshot().agents[0]?.total ?? [];
  return total
    .map(({ name, scalar, reservations, disk }) => {
      const marks = [
        ...(reservations ?? []).map(({ role }) => `(${role ?? ''})`),
        ...(disk?.persistence === undefined ? [] : [`[${disk.persistence.id}]`]),
      ];
      return `${name}${marks.join('')}:${scalar?.value ?? 0}`;
    })
    .sort();
}

export function applied(
  effects: readonly Effect[],
  agent: TestAgent,
): readonly agentProtocol.ApplyOperation[] {
  return framesOf(effects, agent.connection)
    .map(({ apply_operation }) => apply_operation)
    .filter((frame) => frame !== undefined);
}

export function feedback(
  effects: readonly Effect[],
  framework: TestFramework,
): readonly OperationStatus[] {
  return eventsOf(effects, framework.streamId)
    .map(({ update_operation_status: update }) => update?.status)
    .filter((status) => status !== undefined);
}

export const RESERVE: Offer_Operation = {
  type: 'RESERVE',
  reserve: { resources: reserved({ cpus: 1, disk: 100 }) },
};
export const CREATE: Offer_Operation = { type: 'CREATE', create: { volumes: [volume('v', 60)] } };

/** What a framework hears that asks for one operation. */
export function reconciled(
  world: World,
  framework: TestFramework,
  id: string,
  agent?: string,
): OperationStatus | undefined {
  const { effects } = world.call(framework, {
    type: 'RECONCILE_OPERATIONS',
    reconcile_operations: {
      operations: [
        { operation_id: { value: id }, ...(agent !== undefined && { agent_id: { value: agent } }) },
      ],
    },
  });
  const [status, ...more] = feedback(effects, framework);
  expect(more).toEqual([]);
  return status;
}
