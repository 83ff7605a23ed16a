/** Resources that an agent lends for a while: who is offered them, and which offers a new estimate withdraws. */

import { createAllocator } from '@dcos/allocator';
import { seededRandom } from '@dcos/base';
import type { Resource } from '@dcos/wire';
import { expect, test } from 'vitest';
import { eventsOf, frameworkInfo, resources, World, type TestFramework } from '../testing/world.ts';
import type { Effect } from './effects.ts';

const INTERVAL_MS = 1000;

const lent = (value: number): Resource => ({
  name: 'cpus',
  type: 'SCALAR',
  scalar: { value },
  revocable: {},
});

const offered = (effects: readonly Effect[], { streamId }: TestFramework): readonly string[] =>
  eventsOf(effects, streamId)
    .flatMap(({ offers }) => offers?.offers ?? [])
    .flatMap((offer) => offer.resources ?? [])
    .filter(({ name }) => name === 'cpus')
    .map(({ scalar, revocable }) => `${scalar?.value}${revocable === undefined ? '' : ' lent'}`);

const rescinded = (effects: readonly Effect[], { streamId }: TestFramework): number =>
  eventsOf(effects, streamId).filter(({ type }) => type === 'RESCIND').length;

test('lent resources go to who takes them, and their estimate leaves other offers alone', () => {
  const world = new World({
    allocationIntervalMs: INTERVAL_MS,
    allocator: createAllocator({ random: seededRandom(1), allocationIntervalMs: INTERVAL_MS }),
  });
  const owner = world.subscribe();
  const agent = world.register();
  const firm = resources({ cpus: 4, mem: 4096 });
  const tell = (total_resources: readonly Resource[]): readonly Effect[] => [
    ...world.frame(agent.connection, {
      type: 'RESOURCES_CHANGED',
      resources_changed: { total_resources },
    }),
    ...world.advance(INTERVAL_MS),
  ];
  tell(firm);
  const guest = world.subscribe(
    frameworkInfo({
      name: 'guest',
      capabilities: [{ type: 'MULTI_ROLE' }, { type: 'REVOCABLE_RESOURCES' }],
    }),
  );
  const first = tell([...firm, lent(1)]);
  expect(rescinded(first, owner)).toBe(0);
  expect([offered(first, owner), offered(first, guest)]).toEqual([[], ['1 lent']]);

  const second = tell([...firm, lent(2)]);
  expect([rescinded(second, owner), rescinded(second, guest)]).toEqual([0, 1]);
  expect(offered(second, guest)).toEqual(['2 lent']);

  const third = tell([...resources({ cpus: 3, mem: 4096 }), lent(2)]);
  expect([rescinded(third, owner), rescinded(third, guest)]).toEqual([1, 1]);
});
