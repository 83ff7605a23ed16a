/** From settings, and what EC2 says about zones and images, to what the cluster should have. */

import type { Tags } from './names.ts';
import { rulesOf, type Locations } from './ports.ts';
import {
  HOST_ROLES,
  type HostRole,
  type Wanted,
  type WantedImage,
  type WantedInstance,
  type WantedKey,
  type WantedNetwork,
  type WantedVolume,
} from './wanted.ts';

/** A zone of a network of our own has this share of it: sixteen subnets fit. */
const SUBNET_BITS = 4;

/** The hosts of one role, as asked for. */
export interface RoleSettings {
  readonly count: number;
  readonly instanceType: string;
  readonly volume: WantedVolume;
  readonly isSpot: boolean;
  readonly hasElasticAddress: boolean;
}

export interface WantedInput {
  readonly cluster: string;
  readonly roles: Readonly<Record<HostRole, RoleSettings>>;
  readonly locations: Locations;
  readonly network: WantedNetwork;
  /** For each type of instance, since images are made for an architecture. */
  readonly imageOf: (instanceType: string) => WantedImage;
  readonly key: WantedKey;
  readonly hasPublicAddresses: boolean;
  readonly userData?: string;
  readonly tags: Tags;
}

/** Everything that is wanted. */
export function toWanted(input: WantedInput): Wanted {
  const { cluster, network, key, tags, locations } = input;
  return {
    cluster,
    network,
    key,
    tags,
    groups: HOST_ROLES.map((role) => ({ role, rules: rulesOf(role, locations) })),
    instances: HOST_ROLES.flatMap((role) => instancesOf(role, input)),
  };
}

/** The part of a network that one zone has. */
export function subnetPrefixBits(networkPrefixBits: number): number {
  return networkPrefixBits + SUBNET_BITS;
}

function instancesOf(role: HostRole, input: WantedInput): readonly WantedInstance[] {
  const { count, instanceType, volume, isSpot, hasElasticAddress } = input.roles[role];
  return Array.from({ length: count }, (_, index) => ({
    name: `${role}-${index + 1}`,
    role,
    instanceType,
    image: input.imageOf(instanceType),
    volume,
    isSpot,
    hasElasticAddress,
    hasPublicAddress: input.hasPublicAddresses,
    ...(input.userData !== undefined && { userData: input.userData }),
  }));
}

export interface ZoneChoice {
  /** How many, or which. */
  readonly asked: number | readonly string[];
  readonly available: readonly string[];
  /** Zones that offer every type of instance that is asked for. */
  readonly offering: ReadonlySet<string>;
  /** Zones in which the cluster is. */
  readonly used: readonly string[];
}

/** Chooses zones, those in use first, so that a run does not depend on what was added since. */
export function chooseZones({ asked, available, offering, used }: ZoneChoice): {
  readonly zones: readonly string[];
  readonly missing: readonly string[];
} {
  const able = available.filter((zone) => offering.has(zone)).toSorted();
  if (typeof asked !== 'number') {
    return { zones: asked, missing: asked.filter((zone) => !able.includes(zone)) };
  }
  const inOrder = [
    ...able.filter((zone) => used.includes(zone)),
    ...able.filter((zone) => !used.includes(zone)),
  ];
  const zones = inOrder.slice(0, asked);
  const missing = zones.length < asked ? [`${asked - zones.length} more zones`] : [];
  return { zones, missing };
}
