/**
 * Why a service is not placed, in plain words: which constraint or resource turned down how many
 * offers. Takes the server's own explanation when the queue row has one, and otherwise derives the
 * same from `rejectSummaryLastOffers` and the definition (Marathon reference §2.7, §5.3).
 */
import type { App, QueueEntry, RejectSummary } from '../api/types.ts';
import { formatMebibytes } from './format.ts';

export interface PlacementReason {
  /** Marathon's reason code, e.g. `UnfulfilledConstraint`. */
  readonly code: string;
  /** What refused: `hostname UNIQUE`, `cpus`, `role slave_public`. */
  readonly what: string;
  readonly declined: number;
  readonly processed: number;
  /** `hostname UNIQUE turned down 12 of 12 offers` */
  readonly text: string;
}

export interface Placement {
  readonly summary: string;
  readonly offersProcessed: number;
  /** What keeps the service from running comes first. */
  readonly reasons: readonly PlacementReason[];
}

/** Funnel order of Marathon's matcher, with the heading that the funnel view shows. */
export const REJECT_STAGES: readonly { readonly code: string; readonly label: string }[] = [
  { code: 'UnfulfilledRole', label: 'Role' },
  { code: 'UnfulfilledConstraint', label: 'Constraints' },
  { code: 'NoCorrespondingReservationFound', label: 'Reservation' },
  { code: 'AgentMaintenance', label: 'Maintenance' },
  { code: 'InsufficientCpus', label: 'CPU' },
  { code: 'InsufficientMemory', label: 'Memory' },
  { code: 'InsufficientDisk', label: 'Disk' },
  { code: 'InsufficientGpus', label: 'GPU' },
  { code: 'InsufficientPorts', label: 'Ports' },
  { code: 'DeclinedScarceResources', label: 'Scarce resources' },
];

/** Explains a queue row. The app gives the words for constraints and amounts. */
export function explainPlacement(entry: QueueEntry, app: App | undefined): Placement {
  const definition = app ?? entry.app;
  const given = entry.explanation;
  if (given !== undefined && given.reasons.length > 0) {
    // The server's order stands: it puts first what keeps the service from running.
    const reasons = given.reasons.map((reason) => reasonOf(reason.reason, reason.what, reason));
    return { summary: given.summary, offersProcessed: given.offersProcessed, reasons };
  }
  const rejects = (entry.processedOffersSummary?.rejectSummaryLastOffers ?? []).filter(
    (reject) => reject.declined > 0,
  );
  const reasons = rejects
    .map((reject) => reasonOf(reject.reason, subjectOf(reject.reason, definition), reject))
    .toSorted(byWeight);
  const offersProcessed = largestProcessed(entry);
  return { summary: summaryOf(reasons, offersProcessed, entry), offersProcessed, reasons };
}

function reasonOf(
  code: string,
  what: string,
  counts: { readonly declined: number; readonly processed: number },
): PlacementReason {
  const { declined, processed } = counts;
  // `cpus: wanted 8, at most 4 offered` names the resource before the colon and adds the amounts.
  const [subject = what, ...details] = what.split(': ');
  const amounts = details.length === 0 ? '' : ` (${details.join(': ')})`;
  const offers = `${declined} of ${processed} ${plural(processed, 'offer')}`;
  return { code, what, declined, processed, text: `${subject} turned down ${offers}${amounts}` };
}

/** Roles come last: agents of other roles always refuse, and hide what refuses on the right ones. */
function byWeight(left: PlacementReason, right: PlacementReason): number {
  const isRole = (reason: PlacementReason): number => Number(reason.code === 'UnfulfilledRole');
  return isRole(left) - isRole(right) || right.declined - left.declined;
}

function largestProcessed(entry: QueueEntry): number {
  const rejects: readonly RejectSummary[] =
    entry.processedOffersSummary?.rejectSummaryLastOffers ?? [];
  return rejects.reduce((most, reject) => Math.max(most, reject.processed), 0);
}

function summaryOf(
  reasons: readonly PlacementReason[],
  offersProcessed: number,
  entry: QueueEntry,
): string {
  const [worst, ...others] = reasons;
  if (worst !== undefined) {
    return others.length === 0
      ? `${worst.text}.`
      : `${worst.text}; ${others.map((reason) => reason.text).join('; ')}.`;
  }
  const waiting = `${entry.count} ${plural(entry.count, 'instance')}`;
  if (offersProcessed > 0) return `${waiting} to place; the last offers were not refused.`;
  return `${waiting} to place; no offer has arrived yet.`;
}

/** What the reason is about, in the definition's own terms. */
export function subjectOf(code: string, app: App | undefined): string {
  switch (code) {
    case 'UnfulfilledRole':
      return rolesSubject(app);
    case 'UnfulfilledConstraint':
      return constraintsSubject(app);
    case 'NoCorrespondingReservationFound':
      return 'missing reservation';
    case 'AgentMaintenance':
      return 'agent maintenance';
    case 'InsufficientCpus':
      return app === undefined ? 'cpus' : `cpus (${app.cpus} wanted)`;
    case 'InsufficientMemory':
      return app === undefined ? 'mem' : `mem (${formatMebibytes(app.mem)} wanted)`;
    case 'InsufficientDisk':
      return app === undefined ? 'disk' : `disk (${formatMebibytes(app.disk ?? 0)} wanted)`;
    case 'InsufficientGpus':
      return app === undefined ? 'gpus' : `gpus (${app.gpus ?? 0} wanted)`;
    case 'InsufficientPorts':
      return 'ports';
    case 'DeclinedScarceResources':
      return 'scarce resources (GPU agent)';
    default:
      return code;
  }
}

function rolesSubject(app: App | undefined): string {
  const roles = app?.acceptedResourceRoles ?? [];
  return roles.length === 0 ? 'resource role' : `resource role ${roles.join(', ')}`;
}

function constraintsSubject(app: App | undefined): string {
  const constraints = app?.constraints ?? [];
  if (constraints.length === 0) return 'constraint';
  return constraints.map((constraint) => constraint.join(' ')).join(' / ');
}

function plural(count: number, word: string): string {
  return count === 1 ? word : `${word}s`;
}

/** Stages that are always worth showing; the others only when they refused an offer. */
export const ORDINARY_STAGES: ReadonlySet<string> = new Set([
  'UnfulfilledRole',
  'UnfulfilledConstraint',
  'InsufficientCpus',
  'InsufficientMemory',
  'InsufficientDisk',
  'InsufficientPorts',
]);

/** One bar of the funnel: of `processed` offers that reached the stage, `matched` went on. */
export interface FunnelStage {
  readonly code: string;
  readonly label: string;
  readonly processed: number;
  readonly matched: number;
  readonly declined: number;
}

/** The funnel of the last offers, in the matcher's order; stages without news are omitted. */
export function offerFunnel(entry: QueueEntry): readonly FunnelStage[] {
  const rejects = entry.processedOffersSummary?.rejectSummaryLastOffers ?? [];
  return REJECT_STAGES.flatMap(({ code, label }) => {
    const reject = rejects.find((candidate) => candidate.reason === code);
    if (reject === undefined) return [];
    if (reject.declined === 0 && !ORDINARY_STAGES.has(code)) return [];
    const { processed, declined } = reject;
    return [{ code, label, processed, declined, matched: processed - declined }];
  });
}
