/**
 * `GET /system/v1/incidents`: what failed, and what became of it; beyond the original. JSON by pages (`cursor`, `limit`,
 * `since`), or with `Accept: text/event-stream` each incident as it begins, goes on and ends.
 *
 * The operator API's own event stream knows no such event, and clients with generated code would stumble over one.
 */

import { startSse, type FastifyInstance, type FastifyReply, type FastifyRequest } from '@dcos/http';
import type { Incident } from '../core/incidents.ts';
import {
  incidentDocument,
  incidentsDocument,
  PAGE_SIZE,
  PAGE_SIZE_MAX,
  type PageQuery,
} from '../views/incidents.ts';
import { queryOf, refuse, refuseMethod, refuseNotTaken } from './answers.ts';
import type { MasterShell } from './master-shell.ts';

const ROUTE = '/system/v1/incidents';
/** Readers of the stream at once. */
const STREAMS_MAX = 1_000;

type SseStream = ReturnType<typeof startSse>;

/** Those who follow the incidents. */
export class IncidentStreams {
  readonly #streams = new Set<SseStream>();

  get isFull(): boolean {
    return this.#streams.size >= STREAMS_MAX;
  }

  /** Opens a stream: those that are given, and from then on each change. */
  open(reply: FastifyReply, missed: readonly Incident[]): void {
    const stream = startSse(reply, { onClose: () => void this.#streams.delete(stream) });
    this.#streams.add(stream);
    for (const incident of missed) stream.send(eventOf(incident));
  }

  send(incident: Incident): void {
    if (this.#streams.size === 0) return;
    const event = eventOf(incident);
    for (const stream of this.#streams) stream.send(event);
  }

  /** Keeps the streams alive through proxies. */
  beat(): void {
    for (const stream of this.#streams) stream.comment();
  }

  closeAll(): void {
    for (const stream of this.#streams) stream.close();
  }
}

function eventOf(incident: Incident): { event: string; id: string; data: string } {
  return {
    event: 'incident',
    id: String(incident.number),
    data: JSON.stringify(incidentDocument(incident)),
  };
}

/** Adds the route below a prefix. */
export function addIncidentRoutes(app: FastifyInstance, shell: MasterShell, prefix: string): void {
  app.all(`${prefix}${ROUTE}`, (request, reply) => onIncidents(shell, request, reply));
}

function onIncidents(shell: MasterShell, request: FastifyRequest, reply: FastifyReply): void {
  if (request.method !== 'GET') {
    refuseMethod(request, reply, ['GET']);
    return;
  }
  const book = shell.leadership?.core.state.incidents;
  if (book === undefined) {
    refuseNotTaken(reply);
    return;
  }
  const query = pageQueryOf(queryOf(request));
  if (typeof query === 'string') {
    refuse(reply, 400, query);
    return;
  }
  if (request.headers.accept?.includes('text/event-stream') !== true) {
    void reply.send(incidentsDocument(book, query));
    return;
  }
  if (shell.incidentStreams.isFull) {
    refuse(reply, 503, `${STREAMS_MAX} readers follow the incidents already`);
    return;
  }
  // A reader that was cut off has seen this one, perhaps not its end.
  const last = Number(request.headers['last-event-id'] ?? NaN);
  const { since } = query;
  const missed = [...book.all.values()].filter(
    ({ number, endedAt = Infinity }) =>
      number >= last || (Number.isNaN(last) && since !== undefined && endedAt >= since),
  );
  shell.incidentStreams.open(reply, missed);
}

/** The query, or what is wrong with it. */
function pageQueryOf(query: { readonly [name: string]: string | undefined }): PageQuery | string {
  const { cursor, limit = String(PAGE_SIZE), since } = query;
  const before = cursor === undefined ? undefined : wholeOf(cursor);
  const size = wholeOf(limit);
  const instant = since === undefined ? undefined : instantOf(since);
  if (cursor !== undefined && before === undefined)
    return `Expecting 'cursor' to be the 'next' of a page, not '${cursor}'`;
  if (size === undefined || size < 1 || size > PAGE_SIZE_MAX)
    return `Expecting 'limit' to be a whole number from 1 to ${PAGE_SIZE_MAX}, not '${limit}'`;
  if (since !== undefined && instant === undefined)
    return `Expecting 'since' to be a time as in 2026-11-27T03:00:00Z or seconds since 1970, not '${since}'`;
  return {
    size,
    ...(before !== undefined && { before }),
    ...(instant !== undefined && { since: instant }),
  };
}

const wholeOf = (text: string): number | undefined =>
  /^\d{1,15}$/.test(text) ? Number(text) : undefined;

function instantOf(text: string): number | undefined {
  if (/^\d{1,12}(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const instant = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(instant) ? undefined : instant;
}
