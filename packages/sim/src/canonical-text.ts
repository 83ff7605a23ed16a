/**
 * One text for one state: maps, sets, messages and the cores' own objects, with everything left out that
 * does not decide what happens next (instants, counters). Ids stay as they are; `withoutNames` replaces them
 * by the order of their appearance, so that two states which differ in ids only have the same text.
 */

import { fromBase64, toBase64, uuidText } from '@dcos/base';
import { Resources } from '@dcos/resources';

/** Fields that only count or tell the time. */
const IGNORED: ReadonlySet<string> = new Set([
  'counters',
  'nextFramework',
  'nextAgent',
  'nextOffer',
  'allocations',
  'share',
  'startedAt',
  'registeredAt',
  'reregisteredAt',
  'timestamp',
]);
/** Numbers beyond this are instants. */
const INSTANT_LEAST = 1e9;
/** Fields with numbers that only distinguish. */
const NUMBERS: ReadonlySet<string> = new Set(['connection', 'request', 'pid']);
const UUID_BYTES = 16;
/** A UUID in a record on a disk. */
const UUID_BASE64 = /^[A-Za-z0-9+/]{22}==$/;

/** The text of any value that the cores and the world are made of. */
export function canonicalText(value: unknown): string {
  const seen = new Map<object, number>();
  let text = '';

  function write(part: unknown): void {
    if (typeof part === 'number') text += part > INSTANT_LEAST ? 'instant' : part;
    else if (typeof part === 'string')
      text += UUID_BASE64.test(part)
        ? uuidText(fromBase64(part) ?? new Uint8Array(UUID_BYTES))
        : part;
    else if (typeof part !== 'object' || part === null) text += String(part);
    else if (part instanceof Uint8Array)
      text += part.length === UUID_BYTES ? uuidText(part) : `bytes:${toBase64(part)}`;
    else if (part instanceof Resources) writeAll('R', part.toWire());
    else writeObject(part);
  }

  function writeAll(kind: string, parts: Iterable<unknown>): void {
    text += `${kind}(`;
    for (const part of parts) {
      write(part);
      text += ',';
    }
    text += ')';
  }

  function writeObject(part: object): void {
    // What is met again (records refer to each other) is named by when it was met first.
    const known = seen.get(part);
    if (known !== undefined) {
      text += `@${known}`;
      return;
    }
    seen.set(part, seen.size);
    if (Array.isArray(part)) writeAll('A', part);
    else if (part instanceof Map) writeAll('M', part);
    else if (part instanceof Set) writeAll('S', part);
    else if ('entries' in part && typeof part.entries === 'function') write(part.entries());
    else writeFields(part);
  }

  function writeFields(part: object): void {
    text += '{';
    for (const [key, value] of Object.entries(part)) {
      if (IGNORED.has(key) || value === undefined || typeof value === 'function') continue;
      text += `${key}:`;
      if (NUMBERS.has(key) && typeof value === 'number') text += `#${value}`;
      else if (key === 'connections' && value instanceof Map)
        writeAll(
          'C',
          Array.from(value, ([number, id]) => [`#${number}`, id]),
        );
      else write(value);
      text += ',';
    }
    text += '}';
  }

  write(value);
  return text;
}

/** Ids: UUIDs with what follows them, and numbers of connections and calls. */
const NAMES = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?:-[OS]?\d+)?|#\d+/g;

/** Replaces ids by the order in which they appear. */
export function withoutNames(text: string): string {
  const names = new Map<string, string>();
  return text.replace(NAMES, (name) => {
    const known = names.get(name) ?? `<${names.size}>`;
    names.set(name, known);
    return known;
  });
}
