/**
 * Addresses of masters are in the settings of everything, so a master that replaces another one has its address. EC2 tells
 * no address of an instance that has ended; so the masters' security group, which outlives them, has a tag for each with
 * its address and zone.
 */

import { isLive, type Found, type FoundGroup } from './found.ts';
import { groupName } from './names.ts';
import type { Action } from './action.ts';
import type { InstancePlace, Wanted } from './wanted.ts';

const TAG = 'dcos:address:';

/** The same, with masters at the addresses that they had. */
export function withMasterAddresses(wanted: Wanted, found: Found): Wanted {
  const tags = found.groups.flatMap((group) =>
    group.name === groupName('master') ? Object.entries(group.tags) : [],
  );
  const places = new Map(
    tags.flatMap(([key, value]): readonly (readonly [string, InstancePlace])[] => {
      const [address, zone] = value.split(' ');
      if (!key.startsWith(TAG) || address === undefined || zone === undefined) return [];
      return [[key.slice(TAG.length), { address, zone }]];
    }),
  );
  const instances = wanted.instances.map((instance) => {
    const place = places.get(instance.name);
    return place === undefined ? instance : { ...instance, place };
  });
  return { ...wanted, instances };
}

/** Tags that are missing for the masters that are there. */
export function planMasterAddresses(
  found: Found,
  group: FoundGroup | undefined,
): readonly Action[] {
  if (group === undefined) return [];
  const wanted = found.instances.flatMap((instance) => {
    const { name, role, privateAddress, zone, vpcId } = instance;
    const isTold = isLive(instance) && role === 'master' && vpcId === group.vpcId;
    return isTold && privateAddress !== undefined
      ? [[`${TAG}${name}`, `${privateAddress} ${zone}`] as const]
      : [];
  });
  const missing = wanted.filter(([key, value]) => group.tags[key] !== value);
  if (missing.length === 0) return [];
  return [{ kind: 'tag', id: group.id, name: group.name, tags: Object.fromEntries(missing) }];
}
