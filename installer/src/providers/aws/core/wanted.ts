/** What a cluster should have in EC2: made of the settings and of what EC2 was asked for (zones, image), with no ids. */

import type { Rule } from './ports.ts';
import type { Tags } from './names.ts';

/** Private agents run tasks, public ones those that the world may reach. */
export type HostRole = 'master' | 'private' | 'public';

/** In the order in which hosts are listed. */
export const HOST_ROLES: readonly HostRole[] = ['master', 'private', 'public'];

export interface WantedVolume {
  readonly sizeGib: number;
  readonly type: string;
  readonly isEncrypted: boolean;
  readonly kmsKeyId?: string;
}

export interface WantedImage {
  readonly id: string;
  /** Name of the device that the image's root volume has. */
  readonly rootDevice: string;
}

/** Where an instance has to be. */
export interface InstancePlace {
  readonly address: string;
  readonly zone: string;
}

export interface WantedInstance {
  /** Logical name, such as `private-2`; ordinals begin with 1 in each role. */
  readonly name: string;
  readonly role: HostRole;
  readonly instanceType: string;
  readonly image: WantedImage;
  readonly volume: WantedVolume;
  readonly isSpot: boolean;
  /** An address of its own that outlives a stop. */
  readonly hasElasticAddress: boolean;
  readonly hasPublicAddress: boolean;
  readonly userData?: string;
  /** Of the one that it replaces; wherever there is room when absent. */
  readonly place?: InstancePlace;
  /** It is more than is asked for, and stays until its tasks are elsewhere: it is never made or mended. */
  readonly isLeaving?: true;
}

export type WantedNetwork =
  | {
      readonly kind: 'own';
      readonly cidr: string;
      /** Size of the subnet of each zone. */
      readonly subnetPrefixBits: number;
      readonly zones: readonly string[];
    }
  | {
      /** Of somebody else: nothing of it is changed, hosts and groups are put into it. */
      readonly kind: 'existing';
      readonly vpcId: string;
      readonly subnets: readonly { readonly id: string; readonly zone: string }[];
    };

export type WantedKey =
  | { readonly kind: 'made'; readonly publicKey: string; readonly fingerprint: string }
  | { readonly kind: 'existing'; readonly keyName: string };

export interface Wanted {
  readonly cluster: string;
  readonly network: WantedNetwork;
  readonly groups: readonly { readonly role: HostRole; readonly rules: readonly Rule[] }[];
  readonly key: WantedKey;
  readonly instances: readonly WantedInstance[];
  /** Of the operator, for everything that is made. */
  readonly tags: Tags;
}
