/**
 * Documents that are too big to be made at once: a tree whose leaves may be fragments, texts that are
 * made when they are written and cached with the immutable message they show. Making the tree is cheap
 * and fixes what is shown; writing it can pause at any piece without showing a mixture of two states.
 */

import type { JsonValue } from '@dcos/base';

/** A piece of JSON text that is made when it is needed. */
export class Fragment {
  readonly #make: () => string;

  constructor(make: () => string) {
    this.#make = make;
  }

  text(): string {
    return this.#make();
  }
}

export type Document =
  | JsonValue
  | Fragment
  | readonly Document[]
  | { readonly [key: string]: Document | undefined };

/** A function that makes the text of a message once. Messages are immutable, so the text stays right. */
export function cachedText<T extends object>(
  make: (message: T) => JsonValue,
): (message: T) => Fragment {
  const texts = new WeakMap<T, string>();
  return (message) =>
    new Fragment(() => {
      const known = texts.get(message);
      if (known !== undefined) return known;
      const text = JSON.stringify(make(message));
      texts.set(message, text);
      return text;
    });
}

/** Characters that are joined before they are handed on; keeps the number of small writes down. */
const CHUNK_LENGTH = 64 * 1024;

/** The JSON text of a document in chunks, with something before and behind it. */
export function* chunks(document: Document, before = '', behind = ''): Generator<string, void> {
  const out = { text: before };
  yield* write(out, document);
  out.text += behind;
  if (out.text !== '') yield out.text;
}

interface Out {
  text: string;
}

function* write(out: Out, document: Document): Generator<string, void> {
  if (isBranch(document)) {
    if (isList(document)) yield* writeList(out, document);
    else yield* writeObject(out, document);
  } else {
    out.text += leaf(document);
    if (out.text.length >= CHUNK_LENGTH) yield taken(out);
  }
}

function* writeList(out: Out, list: readonly Document[]): Generator<string, void> {
  let separator = '[';
  for (const item of list) {
    out.text += separator;
    separator = ',';
    // Lists of leaves are the long ones: they are written without a generator for each.
    if (isBranch(item)) yield* write(out, item);
    else {
      out.text += leaf(item);
      if (out.text.length >= CHUNK_LENGTH) yield taken(out);
    }
  }
  out.text += separator === '[' ? '[]' : ']';
}

function* writeObject(
  out: Out,
  object: { readonly [key: string]: Document | undefined },
): Generator<string, void> {
  let separator = '{';
  for (const [key, value] of Object.entries(object)) {
    if (value === undefined) continue;
    out.text += `${separator}${JSON.stringify(key)}:`;
    separator = ',';
    yield* write(out, value);
  }
  out.text += separator === '{' ? '{}' : '}';
}

function leaf(document: Leaf): string {
  return document instanceof Fragment ? document.text() : JSON.stringify(document);
}

function taken(out: Out): string {
  const { text } = out;
  out.text = '';
  return text;
}

type Leaf = Fragment | string | number | boolean | null;

function isBranch(document: Document): document is Exclude<Document, Leaf> {
  return typeof document === 'object' && document !== null && !(document instanceof Fragment);
}

function isList(document: Document): document is readonly Document[] {
  return Array.isArray(document);
}
