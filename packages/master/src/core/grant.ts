/**
 * What an ACCEPT works with: the resources of its offers, which shrink and change as its operations are
 * carried out one after another.
 */

import type { Resources } from '@dcos/resources';
import type { Resource } from '@dcos/wire';
import type { Agent } from './state.ts';

export interface Grant {
  readonly agent: Agent;
  readonly role: string;
  /** With allocation; what later operations may use. */
  remaining: Resources;
  /** With allocation; results that no later operation of the same call may use. */
  setAside: Resources;
}

/** A resource as allocated to the role of the offers, where the framework left that out. */
export function allocatedTo(role: string): (resource: Resource) => Resource {
  return (resource) =>
    resource.allocation_info?.role === undefined
      ? { ...resource, allocation_info: { role } }
      : resource;
}

/** A resource without the role that it is allocated to: what agents hear. */
export function withoutAllocation(resource: Resource): Resource {
  const { allocation_info: _allocation, ...rest } = resource;
  return rest;
}
