/** Incidents as the master tells them at `/system/v1/incidents`, and how the console shows them. Pure. */
import { formatDuration, formatTimestamp } from './format.ts';
import type { Tone } from './service-status.ts';

export interface IncidentTask {
  readonly id: string;
  readonly framework_id: string;
  readonly agent_id: string;
  readonly state: string;
}

export interface Incident {
  readonly id: string;
  readonly kind: string;
  readonly subject: { readonly id: string; readonly name: string };
  /** Plain sentences: what happened, to whom, and what it cost. */
  readonly summary: string;
  readonly started_at: string;
  /** Absent while it lasts. */
  readonly ended_at?: string;
  readonly duration_ms?: number;
  readonly outcome?: string;
  readonly tasks_affected: number;
  /** The first of them. */
  readonly tasks: readonly IncidentTask[];
}

export interface IncidentPage {
  readonly incidents: readonly Incident[];
  /** Cursor of the next page, absent on the last. */
  readonly next?: string;
}

/** Periods that can be chosen, by their value in the address. */
export const INCIDENT_PERIODS = [
  { id: undefined, label: 'All', ms: undefined },
  { id: 'day', label: 'Last day', ms: 86_400_000 },
  { id: 'hour', label: 'Last hour', ms: 3_600_000 },
] as const;

/** The query of a page. */
export function incidentQuery(
  period: string | undefined,
  cursor: string | undefined,
  nowMs: number,
): string {
  const ms = INCIDENT_PERIODS.find(({ id }) => id === period)?.ms;
  const query = new URLSearchParams({ limit: '50' });
  if (cursor !== undefined) query.set('cursor', cursor);
  if (ms !== undefined) query.set('since', new Date(nowMs - ms).toISOString());
  return query.toString();
}

/** Red while something is lost, amber when it was lost for good, green when it is back. */
export function incidentTone({ kind, ended_at, outcome }: Incident): Tone {
  if (ended_at === undefined) return kind === 'MASTER_ELECTED' ? 'busy' : 'bad';
  if (outcome === 'REMOVED' || kind === 'AGENT_REMOVED') return 'warn';
  return outcome === 'RETURNED' ? 'good' : 'idle';
}

const STATES: Readonly<Record<Tone, string>> = {
  bad: 'Going on',
  busy: 'Going on',
  warn: 'Lost',
  good: 'Over',
  idle: 'Over',
};

/** The state in a word. */
export function incidentState(incident: Incident): string {
  return STATES[incidentTone(incident)];
}

/** When it was: `2026-11-27 03:02:11, for 8 min`. */
export function incidentTime({ started_at, duration_ms }: Incident): string {
  const start = formatTimestamp(Date.parse(started_at));
  return duration_ms === undefined || duration_ms < 1000
    ? start
    : `${start}, for ${formatDuration(duration_ms / 1000)}`;
}

/** How many of the affected tasks are not listed. */
export function unlistedTasks({ tasks, tasks_affected }: Incident): number {
  return Math.max(0, tasks_affected - tasks.length);
}
