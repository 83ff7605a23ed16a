/** Operations of operators: what they may take, and the answers. */

import { describe, expect, test } from 'vitest';
import type { Resource } from '@dcos/wire';
import { applied, operate, reserved, scene, totalOf } from '../testing/operations-scene.ts';
import { eventsOf, resources, task } from '../testing/world.ts';

describe('operators', () => {
  test('reserve what is merely offered: the offer is taken back', () => {
    const set = scene();
    expect(set.world.offersOf(set.framework)).toHaveLength(1);
    const { status, effects } = set.world.operator({
      type: 'RESERVE_RESOURCES',
      reserve_resources: { agent_id: { value: set.agent.id }, resources: reserved({ cpus: 1 }) },
    });
    expect(status).toBe(202);
    expect(eventsOf(effects, set.framework.streamId).map(({ type }) => type)).toEqual(['RESCIND']);
    expect(totalOf(set)).toEqual(['cpus(dev):1', 'cpus:3', 'disk:1000', 'mem:4096']);
    expect(applied(effects, set.agent)).toHaveLength(1);
  });

  test('may not reserve what a task uses', () => {
    const set = scene();
    operate(set, [
      {
        type: 'LAUNCH',
        launch: {
          task_infos: [task('t', set.agent, { resources: resources({ cpus: 4, mem: 32 }) })],
        },
      },
    ]);
    const { status } = set.world.operator({
      type: 'RESERVE_RESOURCES',
      reserve_resources: { agent_id: { value: set.agent.id }, resources: reserved({ cpus: 1 }) },
    });
    expect(status).toBe(409);
    expect(totalOf(set)).toEqual(['cpus:4', 'disk:1000', 'mem:4096']);
  });

  test('move a reservation in one step', () => {
    const set = scene();
    const call = {
      type: 'RESERVE_RESOURCES',
      reserve_resources: { agent_id: { value: set.agent.id }, resources: reserved({ cpus: 1 }) },
    } as const;
    expect(set.world.operator(call).status).toBe(202);
    const target = resources({ cpus: 1 }).map((resource): Resource => ({
      ...resource,
      reservations: [{ type: 'DYNAMIC', role: 'ops' }],
    }));
    const moved = { ...call.reserve_resources, source: reserved({ cpus: 1 }), resources: target };
    expect(set.world.operator({ ...call, reserve_resources: moved }).status).toBe(202);
    expect(totalOf(set)).toEqual(['cpus(ops):1', 'cpus:3', 'disk:1000', 'mem:4096']);
    const more = { ...moved, source: target, resources: reserved({ cpus: 2 }) };
    const refused = set.world.operator({ ...call, reserve_resources: more });
    expect([refused.status, refused.text]).toEqual([
      400,
      expect.stringContaining('must be the same quantities'),
    ]);
  });

  test('name an agent that is not there', () => {
    const { world } = scene();
    const { status, text } = world.operator({
      type: 'UNRESERVE_RESOURCES',
      unreserve_resources: { agent_id: { value: 'nope' }, resources: reserved({ cpus: 1 }) },
    });
    expect([status, text]).toEqual([400, 'No agent found with specified ID']);
  });
});
