/**
 * Recorded exchanges with the original: the request as it was sent and the answer as it came, and a
 * comparison of the shapes of JSON values. Ids, times and counts differ by nature; keys and types do not.
 */

import { readdirSync, readFileSync } from 'node:fs';

const ROOT = new URL('../../testdata/mesos/', import.meta.url);

export interface Recording {
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

/** All recordings of a folder. */
export function recordings(folder: string): readonly Recording[] {
  return readdirSync(new URL(`${folder}/`, ROOT))
    .filter((name) => name.endsWith('.http.txt'))
    .sort()
    .map((name) => parse(name, readFileSync(new URL(`${folder}/${name}`, ROOT), 'utf8')));
}

/** The events of a recorded stream. */
export function recordedEvents(name: string): readonly { readonly type: string }[] {
  const text = readFileSync(new URL(`streams/${name}.events.json`, ROOT), 'utf8');
  return (JSON.parse(text) as { event: { type: string } }[]).map(({ event }) => event);
}

function parse(name: string, text: string): Recording {
  const [request = '', answer = ''] = text.replace('>>> REQUEST\n', '').split('\n<<< RESPONSE\n');
  const asked = splitHead(request);
  const answered = splitHead(answer);
  const [method = '', path = ''] = asked.first.split(' ');
  return {
    name: name.replace('.http.txt', ''),
    method,
    path,
    headers: asked.headers,
    body: asked.body,
    status: Number(answered.first.split(' ')[1]),
    contentType: answered.headers['content-type'],
    answerHeaders: answered.headers,
    answer: answered.body.replace(/\n$/, ''),
  };
}

function splitHead(text: string): {
  readonly first: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
} {
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

/** One item with the keys of all: lists hold things of one kind whose optional parts vary. */
function merged(items: readonly unknown[]): unknown {
  const [first] = items;
  if (kindOf(first) !== 'object') return first;
  return Object.assign({}, ...items.map((item) => item as object)) as unknown;
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return value === null ? 'null' : typeof value;
}
