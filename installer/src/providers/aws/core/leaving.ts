/** Agents that are more than is asked for. They run tasks, so they end when they are told to, not when a plan finds them. */

import { isLive, type Found } from './found.ts';
import { addressName } from './names.ts';
import { planRemoval } from './plan-removal.ts';
import type { Action } from './action.ts';
import type { Wanted, WantedInstance } from './wanted.ts';

/** The same, with agents that are there beside it. Masters are not among them: fewer of those is a fault. */
export function withLeaving(wanted: Wanted, found: Found): Wanted {
  const names = new Set(wanted.instances.map(({ name }) => name));
  const addresses = new Set(found.addresses.map(({ name }) => name));
  const leaving = found.instances.flatMap((instance): readonly WantedInstance[] => {
    const { name, role, instanceType } = instance;
    if (!isLive(instance) || role === undefined || role === 'master' || names.has(name)) return [];
    names.add(name);
    return [
      {
        name,
        role,
        instanceType,
        image: { id: '', rootDevice: '' },
        volume: { sizeGib: 0, type: '', isEncrypted: true },
        isSpot: false,
        hasElasticAddress: addresses.has(addressName(name)),
        hasPublicAddress: false,
        isLeaving: true,
      },
    ];
  });
  return { ...wanted, instances: [...wanted.instances, ...leaving] };
}

/**
 * Stages that end hosts with what they leave behind.
 * @param keptAddresses names of hosts whose elastic address goes to the one that follows.
 */
export function planEnd(
  found: Found,
  names: ReadonlySet<string>,
  keptAddresses: ReadonlySet<string>,
): readonly (readonly Action[])[] {
  const addresses = new Set(
    [...names].filter((name) => !keptAddresses.has(name)).map((name) => addressName(name)),
  );
  return planRemoval(found, ({ name }) => names.has(name) || addresses.has(name));
}
