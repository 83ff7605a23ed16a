export { Resources, type ResourceSummary } from './resources.ts';
export {
  milliOf,
  scalarEntry as scalarEntryOf,
  type Entry,
  type Nature,
  type ValueKind,
} from './entry.ts';
export {
  conversionOf,
  mapOperationResources,
  resourcesOfOperation,
  type Conversion,
} from './conversions.ts';
export { resourcesText } from './resource-text.ts';
export { ResourceError } from './resource-error.ts';
export { RANGES_MAX, RESOURCES_MAX, validateResources } from './validation.ts';
export { parseAttributes, parseResources, TEXT_LENGTH_MAX } from './text.ts';
export {
  reservationRole,
  reservationsOf,
  toEndpointResources,
  toPreRefinement,
} from './reservations.ts';
export {
  addRanges,
  containsRanges,
  countOfRanges,
  equalRanges,
  formatRanges,
  normaliseRanges,
  parseRanges,
  subtractRanges,
  type Range,
} from './ranges.ts';
export {
  ancestorsOfRole,
  isAncestorRole,
  topLevelRole,
  isValidRole,
  UNRESERVED_ROLE,
} from './roles.ts';
export { fromMilli, SCALAR_MAX, toMilli } from './scalar.ts';
