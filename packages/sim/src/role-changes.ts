/** A framework of the world that takes on a second role now and then, and gives it up again. */

import type { FrameworkConnection } from './framework-connection.ts';
import type { World } from './world.ts';

/** Mean time between two changes. */
const CHANGE_EVERY_MS = 15_000;
const SECOND_ROLE = 'guest';

/** Changes the roles for ever; only to the first one once `wanted` says no. */
export function changeRoles(
  world: World,
  connection: FrameworkConnection,
  plan: { readonly name: string; readonly role: string },
  wanted: () => boolean,
): void {
  let hasSecond = false;
  function change(): void {
    world.after(world.between(1, 2 * CHANGE_EVERY_MS), `${plan.name}: roles`, () => {
      hasSecond = !hasSecond && wanted();
      const roles = hasSecond ? [plan.role, SECOND_ROLE] : [plan.role];
      if (connection.link() !== undefined) connection.update({ roles });
      change();
    });
  }
  change();
}
