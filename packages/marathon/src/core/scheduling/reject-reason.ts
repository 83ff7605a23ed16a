/**
 * Why an offer was of no use to an app: the stages of matching in their order. Only the first stage that
 * turns an offer down is counted. The names are the original's, clients show them.
 */

/** The stages in the order in which an offer goes through them. */
export const REJECT_REASONS = [
  'UnfulfilledRole',
  'UnfulfilledConstraint',
  'NoCorrespondingReservationFound',
  'AgentMaintenance',
  'InsufficientCpus',
  'InsufficientMemory',
  'InsufficientDisk',
  'InsufficientGpus',
  'InsufficientPorts',
  'DeclinedScarceResources',
] as const;

export type RejectReason = (typeof REJECT_REASONS)[number];

/** One refusal. `what` names the constraint or the resource, for a person. */
export interface Refusal {
  readonly reason: RejectReason;
  /** Such as `hostname UNIQUE`, `cpus`, `ports`, `role slave_public`. */
  readonly subject: string;
  /** For a resource, how much was wanted and how much this offer had. */
  readonly quantity?: { readonly wanted: number; readonly offered: number };
}
