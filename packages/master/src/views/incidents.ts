/**
 * Incidents as `GET /system/v1/incidents` shows them, and the sentences that people read.
 *
 * A page holds the newest first; a cursor is the number of the last one on the page before, so that pages stay
 * whole while new incidents come in. Its form is written down in the README.
 */

import { unreachable, type Instant, type JsonObject } from '@dcos/base';
import type { AffectedTask, Incident, IncidentBook } from '../core/incidents.ts';

/** Incidents of a page unless the reader says otherwise, and at most. */
export const PAGE_SIZE = 50;
export const PAGE_SIZE_MAX = 500;

export interface PageQuery {
  /** Only older ones than this number. */
  readonly before?: number;
  /** Only those that began, or were over, at this instant or later, and those that last. */
  readonly since?: Instant;
  readonly size: number;
}

/** A page of incidents. */
export function incidentsDocument({ all }: IncidentBook, query: PageQuery): JsonObject {
  const { before = Infinity, since = -Infinity, size } = query;
  const page: Incident[] = [];
  let hasMore = false;
  for (const incident of [...all.values()].reverse()) {
    if (incident.number >= before || (incident.endedAt ?? Infinity) < since) continue;
    hasMore = page.length === size;
    if (hasMore) break;
    page.push(incident);
  }
  return {
    incidents: page.map(incidentDocument),
    next: hasMore ? String(page.at(-1)?.number) : undefined,
  };
}

/** One incident. */
export function incidentDocument(incident: Incident): JsonObject {
  const { number, kind, subject, startedAt, endedAt, outcome, reason, repeats, leader } = incident;
  return {
    id: String(number),
    kind,
    subject: { ...subject },
    summary: summaryOf(incident),
    started_at: new Date(startedAt).toISOString(),
    ended_at: endedAt === undefined ? undefined : new Date(endedAt).toISOString(),
    duration_ms: endedAt === undefined ? undefined : endedAt - startedAt,
    outcome,
    reason,
    repeats,
    leader,
    agents: incident.agents && { ...incident.agents },
    tasks_affected: incident.tasksAffected,
    tasks: incident.tasks.map(({ taskId, frameworkId, agentId, state }) => ({
      id: taskId,
      framework_id: frameworkId,
      agent_id: agentId,
      state,
    })),
  };
}

/** What happened, in plain sentences. */
export function summaryOf(incident: Incident): string {
  const { repeats } = incident;
  const again = repeats === 0 ? '' : ` This happened ${repeats + 1} times.`;
  return `${firstSentence(incident)}${again}${tasksSentence(incident)}`;
}

function firstSentence({
  kind,
  subject,
  startedAt,
  endedAt,
  outcome,
  reason,
  agents,
}: Incident): string {
  const lasted = endedAt === undefined ? '' : ` for ${spoken(endedAt - startedAt)}`;
  const name = subject.name === '' ? subject.id : subject.name;
  switch (kind) {
    case 'AGENT_LOST':
    case 'FRAMEWORK_LOST': {
      const what = kind === 'AGENT_LOST' ? 'Agent' : 'Framework';
      const ended = outcome === 'RETURNED' ? ' It came back.' : ' It was removed.';
      return endedAt === undefined
        ? `${what} ${name} is away: ${reason}.`
        : `${what} ${name} was away${lasted}: ${reason}.${ended}`;
    }
    case 'AGENT_REMOVED':
      return `Agent ${name} was removed: ${reason}.`;
    case 'FRAMEWORK_REPLACED':
      return `Framework ${name} was taken over by another instance: ${reason}.`;
    case 'MASTER_ELECTED': {
      const { expected = 0, returned = 0 } = agents ?? {};
      const head = `The master on ${name} took over: ${reason}.`;
      if (endedAt === undefined) return `${head} It waits for ${counted(expected, 'agent')}.`;
      if (outcome === 'REMOVED') return `${head} It ended before all agents were back.`;
      return expected === 0
        ? head
        : `${head} ${returned} of ${counted(expected, 'agent')} came back within ${spoken(endedAt - startedAt)}.`;
    }
    default:
      return unreachable(kind);
  }
}

function tasksSentence({ tasks, tasksAffected, kind, endedAt }: Incident): string {
  if (tasksAffected === 0)
    return kind.endsWith('_LOST') && endedAt !== undefined ? ' No task was affected.' : '';
  const states = new Map<string, number>();
  for (const { state } of tasks) states.set(state, (states.get(state) ?? 0) + 1);
  const isWhole = tasks.length === tasksAffected;
  const detail = isWhole
    ? `: ${[...states].map(([state, count]) => `${count} ${state}`).join(', ')}`
    : '';
  const frameworks = new Set(tasks.map((task: AffectedTask) => task.frameworkId)).size;
  const of = isWhole && frameworks > 1 ? ` of ${frameworks} frameworks` : '';
  return ` ${counted(tasksAffected, 'task')}${of} ${tasksAffected === 1 ? 'was' : 'were'} affected${detail}.`;
}

const counted = (count: number, what: string): string =>
  `${count} ${what}${count === 1 ? '' : 's'}`;

const UNITS = [
  ['day', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** The two largest units of a length of time. */
export function spoken(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.max(0, Math.round(milliseconds))} ms`;
  let left = milliseconds;
  const parts: string[] = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) parts.push(unit === 'day' ? counted(count, unit) : `${count} ${unit}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join(' ');
}
