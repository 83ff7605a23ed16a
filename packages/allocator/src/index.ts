export { createAllocator } from './allocator.ts';
export { MIN_ALLOCATABLE_DEFAULT } from './min-allocatable.ts';
export { FILTERS_PER_PAIR_MAX } from './offer-filters.ts';
export { isChoppable } from './quota-book.ts';
export type {
  AgentDescription,
  Allocation,
  Allocator,
  AllocatorOptions,
  AgentFilter,
  AllocatorSnapshot,
  InverseAllocation,
  InverseOfferAnswer,
  FrameworkDescription,
  FrameworkExplanation,
  MinAllocatable,
  OfferRefusal,
  Quantities,
  Quota,
  RoleExplanation,
  SorterKind,
} from './types.ts';
