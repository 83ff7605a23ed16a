/** Resources as the JSON endpoints list them in full: both reservation formats where both exist. */

import type { JsonValue } from '@dcos/base';
import { ResourceType, toJson, type Resource } from '@dcos/wire';
import { withBothFormats } from './reservation.ts';

/** The JSON of each resource. */
export function toEndpointResources(resources: readonly Resource[]): readonly JsonValue[] {
  return resources.map((resource) => toJson(ResourceType, withBothFormats(resource)));
}
