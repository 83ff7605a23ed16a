/** The launch queue of the fixture cluster, in the shape of `/v2/queue?embed=lastUnusedOffers`. */
import { agentId, hostname } from './fixture-names.ts';

const MINUTE_MS = 60_000;

export interface QueueSource {
  readonly startedMs: number;
  readonly find: (id: string) => unknown;
}

function has(source: QueueSource, id: string): boolean {
  return source.find(id) !== undefined;
}

/** Rows for what waits: by constraint, by resource, and in backoff after failures. */
export function queueRows(source: QueueSource): readonly unknown[] {
  const rows: unknown[] = [];
  const since = new Date(source.startedMs - 2 * MINUTE_MS).toISOString();
  if (has(source, '/webserver')) {
    rows.push({
      ...queueRow(source, '/webserver', 1, since, [
        { reason: 'UnfulfilledRole', declined: 0, processed: 12 },
        { reason: 'UnfulfilledConstraint', declined: 12, processed: 12 },
        { reason: 'InsufficientCpus', declined: 0, processed: 0 },
        { reason: 'InsufficientMemory', declined: 0, processed: 0 },
        { reason: 'InsufficientPorts', declined: 0, processed: 0 },
      ]),
      explanation: {
        summary: 'hostname UNIQUE turned down 12 of 12 offers.',
        offersProcessed: 12,
        reasons: [
          {
            reason: 'UnfulfilledConstraint',
            what: 'hostname UNIQUE',
            declined: 12,
            processed: 12,
          },
        ],
      },
    });
  }
  if (has(source, '/training')) {
    rows.push(
      queueRow(source, '/training', 2, since, [
        { reason: 'UnfulfilledRole', declined: 2, processed: 12 },
        { reason: 'UnfulfilledConstraint', declined: 0, processed: 10 },
        { reason: 'InsufficientCpus', declined: 7, processed: 10 },
        { reason: 'InsufficientMemory', declined: 3, processed: 3 },
        { reason: 'InsufficientDisk', declined: 0, processed: 0 },
      ]),
    );
  }
  if (has(source, '/importer')) {
    rows.push({
      ...queueRow(source, '/importer', 2, since, []),
      delay: { timeLeftSeconds: 42, overdue: false },
    });
  }
  return rows;
}

function queueRow(
  source: QueueSource,
  id: string,
  count: number,
  since: string,
  rejects: readonly { reason: string; declined: number; processed: number }[],
): Record<string, unknown> {
  const reasons = rejects.filter((reject) => reject.declined > 0);
  return {
    count,
    role: '*',
    since,
    delay: { timeLeftSeconds: 0, overdue: true },
    processedOffersSummary: {
      processedOffersCount: 120,
      unusedOffersCount: 118,
      rejectSummaryLastOffers: rejects,
      rejectSummaryLaunchAttempt: rejects,
    },
    lastUnusedOffers: reasons.flatMap((reject) =>
      Array.from({ length: Math.min(6, reject.declined) }, (_, index) => ({
        offer: {
          id: `o-${reject.reason}-${index}`,
          hostname: hostname(index),
          agentId: agentId(index),
        },
        reason: [reject.reason],
        timestamp: new Date(source.startedMs - 20_000).toISOString(),
      })),
    ),
    app: source.find(id),
  };
}
