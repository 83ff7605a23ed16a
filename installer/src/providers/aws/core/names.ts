/**
 * Names, tags and client tokens of what a cluster owns in EC2. All follow from the cluster's name, a logical name and a
 * generation, so that a run after a crash finds what the former one made, and repeats its requests word by word.
 *
 * Invariant: whatever is made carries {@link TAG_CLUSTER} from its first moment; nothing without it is ever changed.
 */

import { assert } from '@dcos/base';
import type { HostRole } from './wanted.ts';

/** The ownership tag; its value is the cluster's name, unique in an account and region. */
export const TAG_CLUSTER = 'dcos:cluster';
/** The logical name within the cluster, such as `subnet-eu-west-1a` or `master-2`. */
export const TAG_RESOURCE = 'dcos:resource';
/** How often an instance of this logical name was made, from 1. */
export const TAG_GENERATION = 'dcos:generation';
/** Role of an instance. */
export const TAG_ROLE = 'dcos:role';
/** A UUID that the components know the cluster by; made once, on everything. */
export const TAG_CLUSTER_ID = 'dcos:cluster-id';
/** Fingerprint of the public key of a key pair. */
export const TAG_FINGERPRINT = 'dcos:fingerprint';

/** With the longest host name, generation and subnet id, a client token then has its 64 characters. */
export const CLUSTER_NAME_CHARACTERS_MAX = 30;
const CLIENT_TOKEN_CHARACTERS_MAX = 64;
/** Enough of the characters of an id to tell the subnets of a cluster apart. */
const SUBNET_SUFFIX_CHARACTERS = 11;
/** Replaced more often than this within the memory of EC2, an instance is a fault that a person should look at. */
export const GENERATION_MAX = 9_999;

export const VPC = 'vpc';
export const GATEWAY = 'gateway';
export const ROUTES = 'routes';
export const KEY = 'key';

export type Tags = Readonly<Record<string, string>>;

/** Whether this can name a cluster: it is part of names, tags and client tokens. */
export function isClusterName(text: string): boolean {
  return text.length <= CLUSTER_NAME_CHARACTERS_MAX && /^[a-z][a-z0-9-]*$/.test(text);
}

/** The logical name of the subnet of a zone. */
export function subnetName(zone: string): string {
  return `subnet-${zone}`;
}

/** The logical name of the security group of a role. */
export function groupName(role: HostRole): string {
  return `group-${role}`;
}

/** The logical name of an instance's elastic address. */
export function addressName(instance: string): string {
  return `address-${instance}`;
}

/** The name by which people see a resource in a console. */
export function displayName(cluster: string, resource: string): string {
  return `${cluster}-${resource}`;
}

/** All tags of one resource: those of the operator, then ours, which win. */
export function tagsOf(cluster: string, resource: string, further: Tags, own: Tags = {}): Tags {
  return {
    ...further,
    Name: displayName(cluster, resource),
    ...own,
    [TAG_CLUSTER]: cluster,
    [TAG_RESOURCE]: resource,
  };
}

/** What a token is made of: the same request has the same one, in every run. */
export interface TokenParts {
  readonly cluster: string;
  readonly instance: string;
  readonly generation: number;
  /** An instance that finds no room in one zone is asked for in another one, which is another request. */
  readonly subnetId: string;
}

/** The client token of an instance: EC2 makes one instance for it, however often it is asked. */
export function instanceToken({ cluster, instance, generation, subnetId }: TokenParts): string {
  const subnet = subnetId.slice(-SUBNET_SUFFIX_CHARACTERS);
  const token = `${cluster}.${instance}.${generation}.${subnet}`;
  assert(token.length <= CLIENT_TOKEN_CHARACTERS_MAX, `the client token ${token} is too long`);
  return token;
}
