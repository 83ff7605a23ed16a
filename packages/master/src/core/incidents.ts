/**
 * The fault report: what this cluster lost and got back, for an operator who asks in the morning what happened at
 * three. Who, when, for how long, why, and which tasks it cost. Beyond the original.
 *
 * Invariants: an incident is durable as soon as it is told; the newest `incidentsMax` are kept, in the registry too;
 * the same thing that happens again within a minute is one incident with a count, so that what flaps does not push
 * everything else out; every list and text in one is bounded.
 */

import type { Instant } from '@dcos/base';
import type { TaskState } from '@dcos/wire';
import type { Context } from './context.ts';
import type { RegistryWrite } from './effects.ts';
import { incidentKey } from './incident-records.ts';
import { deleteRecord, putRecord } from './registry.ts';

export const INCIDENT_KINDS = [
  /** An agent was away, or is. */
  'AGENT_LOST',
  /** An agent that had tasks was removed for good. */
  'AGENT_REMOVED',
  /** A scheduler was away, or is. */
  'FRAMEWORK_LOST',
  /** Another instance of a scheduler took its place. */
  'FRAMEWORK_REPLACED',
  /** A master took over what another one left. */
  'MASTER_ELECTED',
] as const;
export type IncidentKind = (typeof INCIDENT_KINDS)[number];

export const INCIDENT_OUTCOMES = ['RETURNED', 'REMOVED', 'DONE'] as const;
export type IncidentOutcome = (typeof INCIDENT_OUTCOMES)[number];

/** A task whose state an incident changed. */
export interface AffectedTask {
  readonly taskId: string;
  readonly frameworkId: string;
  readonly agentId: string;
  /** What became of it. */
  readonly state: TaskState;
}

export interface Incident {
  /** Counts up over all masters of the cluster. */
  readonly number: number;
  readonly kind: IncidentKind;
  /** Whom it happened to: id and host name of an agent or a master, id and name of a framework. */
  readonly subject: { readonly id: string; readonly name: string };
  readonly startedAt: Instant;
  /** Absent while it lasts. */
  readonly endedAt?: Instant;
  readonly outcome?: IncidentOutcome;
  /** What was seen first; a part of a sentence. */
  readonly reason: string;
  /** The first of them. */
  readonly tasks: readonly AffectedTask[];
  readonly tasksAffected: number;
  /** How often it happened again before it was over for a minute. */
  readonly repeats: number;
  /** The master that saw it begin. */
  readonly leader: string;
  /** Of MASTER_ELECTED: agents that the registry held, and how many came back. */
  readonly agents?: { readonly expected: number; readonly returned: number };
}

/** What the master remembers of them. */
export interface IncidentBook {
  /** Oldest first, bounded. */
  readonly all: Map<number, Incident>;
  /** The newest of a kind and subject. */
  readonly newest: Map<string, number>;
  next: number;
}

/** Tasks that are listed in one. */
const TASKS_MAX = 50;
/** Characters of a reason or a name. */
const TEXT_LENGTH_MAX = 256;
/** The same thing again this soon is the same incident. */
const REPEAT_MS = 60_000;

export const emptyBook = (): IncidentBook => ({ all: new Map(), newest: new Map(), next: 1 });

/** Elections follow one another: a master that ends again and again is one incident. */
const keyOf = (kind: IncidentKind, id: string): string =>
  kind === 'MASTER_ELECTED' ? kind : `${kind}/${id}`;

/** The one that lasts. */
export function openIncident(
  { state }: Context,
  kind: IncidentKind,
  id: string,
): Incident | undefined {
  const incident = newestOf(state.incidents, kind, id);
  return incident?.endedAt === undefined ? incident : undefined;
}

function newestOf(book: IncidentBook, kind: IncidentKind, id: string): Incident | undefined {
  const number = book.newest.get(keyOf(kind, id));
  return number === undefined ? undefined : book.all.get(number);
}

/** What is seen of an incident; times default to now. */
export interface Sighting {
  readonly kind: IncidentKind;
  readonly subject: { readonly id: string; readonly name: string };
  readonly startedAt?: Instant;
  readonly reason: string;
  readonly tasks?: readonly AffectedTask[];
  readonly outcome?: IncidentOutcome;
  readonly agents?: Incident['agents'];
}

/** Begins an incident, or goes on with one; with an outcome it is over. */
export function sight(context: Context, sighting: Sighting): void {
  const { now, masterId, state } = context;
  const { kind, subject, tasks = [], outcome, agents } = sighting;
  const before = newestOf(state.incidents, kind, subject.id);
  const lasts = before !== undefined && before.endedAt === undefined;
  const isRepeated = before?.endedAt !== undefined && now - before.endedAt < REPEAT_MS;
  const known: Incident =
    before !== undefined && (lasts || isRepeated)
      ? before
      : {
          number: state.incidents.next++,
          kind,
          subject,
          startedAt: Math.min(sighting.startedAt ?? now, now),
          reason: '',
          tasks: [],
          tasksAffected: 0,
          repeats: 0,
          leader: masterId,
        };
  const { endedAt: _, outcome: __, ...lasting } = known;
  keep(context, {
    ...lasting,
    subject: { id: subject.id, name: subject.name.slice(0, TEXT_LENGTH_MAX) },
    // What was seen first says why; what is seen later says how it went on.
    reason: (lasts ? known.reason : sighting.reason).slice(0, TEXT_LENGTH_MAX),
    tasks: [...known.tasks, ...tasks].slice(0, TASKS_MAX),
    tasksAffected: known.tasksAffected + tasks.length,
    repeats: known.repeats + (isRepeated ? 1 : 0),
    ...(agents !== undefined && { agents }),
    ...(outcome !== undefined && { endedAt: now, outcome }),
  });
}

/** Ends the incident that lasts, if there is one; false when there is none. */
export function endIncident(
  context: Context,
  kind: IncidentKind,
  id: string,
  end: { readonly outcome: IncidentOutcome; readonly tasks?: readonly AffectedTask[] },
): boolean {
  const open = openIncident(context, kind, id);
  if (open === undefined) return false;
  sight(context, { kind, subject: open.subject, reason: open.reason, ...end });
  return true;
}

function keep(context: Context, incident: Incident): void {
  const { incidents } = context.state;
  incidents.all.set(incident.number, incident);
  incidents.newest.set(keyOf(incident.kind, incident.subject.id), incident.number);
  const writes: RegistryWrite[] = [putRecord({ kind: 'incident', incident })];
  for (const [number, old] of incidents.all) {
    if (incidents.all.size <= context.options.incidentsMax) break;
    forget(incidents, old);
    writes.push(deleteRecord('incidents', incidentKey(number)));
  }
  context.emit({ kind: 'persist', writes });
  context.emit({ kind: 'incident', incident });
}

function forget({ all, newest }: IncidentBook, { number, kind, subject }: Incident): void {
  all.delete(number);
  const key = keyOf(kind, subject.id);
  if (newest.get(key) === number) newest.delete(key);
}

/** Takes over one of the registry; they come in the order of their numbers. */
export function loadIncident({ state }: Context, incident: Incident): void {
  const { incidents } = state;
  incidents.all.set(incident.number, incident);
  incidents.newest.set(keyOf(incident.kind, incident.subject.id), incident.number);
  incidents.next = Math.max(incidents.next, incident.number + 1);
}
