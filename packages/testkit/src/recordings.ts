/**
 * Recorded exchanges with the original, which lie beside a checkout and are no part of it: the request
 * as it was sent and the answer as it came, and a comparison of the shapes of JSON values. Ids, times
 * and counts differ by nature; keys and types do not. Suites that need them are skipped where they are
 * absent.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { Facility } from './facility.ts';

const ROOT = new URL('../../../../shared/captures/mesos/', import.meta.url);

/** Whether the recordings are there. */
export const recordingsFacility: Facility = existsSync(ROOT)
  ? { available: true, note: '' }
  : { available: false, note: ' (skipped: no recordings of the original beside the checkout)' };

export interface Recording {
  /** The file's name without its ending, such as `26-UPDATE_QUOTA`. */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly status: number;
  readonly contentType: string | undefined;
  readonly answerHeaders: Readonly<Record<string, string>>;
  readonly answer: string;
}

/**
 * All exchanges of a folder such as `scheduler/1-basic`, in the order of their numbers; none when absent.
 * @param ending `.stream.txt` for those that were answered by a stream.
 */
export function recordings(folder: string, ending = '.http.txt'): readonly Recording[] {
  const place = new URL(`${folder}/`, ROOT);
  if (!existsSync(place)) return [];
  return readdirSync(place)
    .filter((name) => name.endsWith(ending))
    .sort((left, right) => numberOf(left) - numberOf(right) || (left < right ? -1 : 1))
    .map((name) => parse(name, readFileSync(new URL(name, place), 'utf8')));
}

/** The number before the first dash; names without one come last. */
function numberOf(name: string): number {
  return Number(/^\d+/.exec(name)?.[0] ?? Number.MAX_SAFE_INTEGER);
}

/** The events of a recorded stream such as `scheduler/1-basic/00-SUBSCRIBE`; none when absent. */
export function recordedEvents(stream: string): readonly { readonly type: string }[] {
  const file = new URL(`${stream}.events.json`, ROOT);
  if (!existsSync(file)) return [];
  const items = JSON.parse(readFileSync(file, 'utf8')) as { event: { type: string } }[];
  return items.map(({ event }) => event);
}

/** Names of the variables that a recorded executor was given; none when absent. */
export function recordedEnvironment(): readonly string[] {
  const file = new URL('executor/environment.json', ROOT);
  if (!existsSync(file)) return [];
  return Object.keys(JSON.parse(readFileSync(file, 'utf8')) as object);
}

function parse(name: string, text: string): Recording {
  const [request = '', answer = ''] = text.replace('>>> REQUEST\n', '').split('\n<<< RESPONSE\n');
  const asked = splitHead(request);
  const answered = splitHead(answer);
  const [method = '', path = ''] = asked.first.split(' ');
  return {
    name: name.replace(/\.(http|stream)\.txt$/, ''),
    method,
    path,
    headers: asked.headers,
    body: asked.body,
    status: Number(answered.first.split(' ')[1]),
    contentType: answered.headers['content-type'],
    answerHeaders: answered.headers,
    answer: bodyOf(answered).replace(/\n$/, ''),
  };
}

interface Message {
  readonly first: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

function splitHead(text: string): Message {
  const lines = text.replaceAll('\r\n', '\n');
  const end = lines.indexOf('\n\n');
  const [first = '', ...rest] = lines.slice(0, end === -1 ? undefined : end).split('\n');
  const headers = Object.fromEntries(
    rest
      .filter((line) => line.includes(':'))
      .map((line) => [
        line.slice(0, line.indexOf(':')).toLowerCase(),
        line.slice(line.indexOf(':') + 1).trim(),
      ]),
  );
  return { first, headers, body: end === -1 ? '' : lines.slice(end + 2) };
}

/** The body without the framing of its chunks. */
function bodyOf({ headers, body }: Message): string {
  if (headers['transfer-encoding'] !== 'chunked') return body;
  let whole = '';
  let at = 0;
  for (;;) {
    const end = body.indexOf('\n', at);
    const length = Number.parseInt(body.slice(at, end), 16);
    if (end === -1 || !(length > 0)) return whole;
    whole += body.slice(end + 1, end + 1 + length);
    at = end + 1 + length + 1;
  }
}

/**
 * What of the recorded shape is absent from ours or has another type. Keys that only we have are allowed.
 * @param ignored paths such as `flags` or `slaves[].pid`, left out with all below them.
 */
export function shapeDifferences(
  recorded: unknown,
  ours: unknown,
  ignored: ReadonlySet<string>,
  path = '',
): readonly string[] {
  if (ignored.has(path)) return [];
  const expected = kindOf(recorded);
  const actual = kindOf(ours);
  if (expected !== actual) return [`${path || '(root)'}: ${expected} recorded, ${actual} ours`];
  if (Array.isArray(recorded) && Array.isArray(ours)) {
    if (recorded.length > 0 && ours.length === 0) return [`${path}: entries recorded, none ours`];
    return recorded.length === 0
      ? []
      : shapeDifferences(merged(recorded), merged(ours), ignored, `${path}[]`);
  }
  if (expected !== 'object') return [];
  const theirs = recorded as Record<string, unknown>;
  const own = ours as Record<string, unknown>;
  return Object.entries(theirs).flatMap(([key, value]) => {
    const place = path === '' ? key : `${path}.${key}`;
    if (ignored.has(place)) return [];
    return key in own
      ? shapeDifferences(value, own[key], ignored, place)
      : [`${place}: recorded, not ours`];
  });
}

/** One item with the keys of all, at every depth: lists hold things of one kind whose optional parts vary. */
function merged(items: readonly unknown[]): unknown {
  return items.reduce(mergedTwo);
}

function mergedTwo(one: unknown, other: unknown): unknown {
  if (Array.isArray(one) && Array.isArray(other)) return [...one, ...other];
  if (kindOf(one) !== 'object' || kindOf(other) !== 'object') return one;
  const result = { ...(one as Record<string, unknown>) };
  for (const [key, value] of Object.entries(other as Record<string, unknown>))
    result[key] = key in result ? mergedTwo(result[key], value) : value;
  return result;
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return value === null ? 'null' : typeof value;
}
