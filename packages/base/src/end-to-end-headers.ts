/**
 * HTTP headers that concern both ends of a way, not one connection of it.
 * Source: RFC 9110 §7.6.1 (hop-by-hop).
 */

/** Headers as they came: name, value, name, value. */
export type RawHeaders = readonly string[];

const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  // Answered by each server itself.
  'expect',
]);

/** Names and values of the headers that a proxy passes on. */
export function endToEndHeaders(
  headers: RawHeaders,
): readonly (readonly [name: string, value: string])[] {
  const all: (readonly [string, string])[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    all.push([headers[index] ?? '', headers[index + 1] ?? '']);
  }
  const named = connectionNames(all);
  return all.filter(([name]) => {
    const lower = name.toLowerCase();
    return !HOP_BY_HOP.has(lower) && !named.has(lower);
  });
}

function connectionNames(all: readonly (readonly [string, string])[]): ReadonlySet<string> {
  return new Set(
    all
      .filter(([name]) => name.toLowerCase() === 'connection')
      .flatMap(([, value]) => value.split(',').map((part) => part.trim().toLowerCase())),
  );
}
