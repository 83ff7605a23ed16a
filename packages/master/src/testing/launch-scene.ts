/** A framework with an offer, and the ACCEPT calls that tests of launches make. */

import type { Offer_Operation } from '@dcos/wire';
import { frameworkInfo, World, type TestAgent, type TestFramework } from './world.ts';

export function offered(info = frameworkInfo()): {
  readonly world: World;
  readonly framework: TestFramework;
  readonly agent: TestAgent;
} {
  const world = new World();
  const framework = world.subscribe(info);
  const agent = world.register();
  world.settle();
  return { world, framework, agent };
}

export function operate(
  world: World,
  framework: TestFramework,
  operations: readonly Offer_Operation[],
  offers = world.offersOf(framework),
) {
  return world.call(framework, {
    type: 'ACCEPT',
    accept: {
      offer_ids: offers.map((value) => ({ value })),
      operations,
      filters: { refuse_seconds: 0 },
    },
  });
}
