/**
 * Documents that are too big to be made at once: a tree whose leaves may be fragments, texts that are
 * made when they are written and cached with the immutable message they show. Making the tree is cheap
 * and fixes what is shown; writing it can pause at any piece without showing a mixture of two states.
 *
 * What is written are byte texts as in `LargeMessage`: a character is a byte of the UTF-8 encoding. They are
 * kept flat, so that joining them again and again is cheap.
 */

import type { JsonValue } from '@dcos/base';
import { byteText } from '@dcos/wire';

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

/** A long list of messages, each shown by a piece of text that is made when it is needed. */
export class FragmentList {
  readonly length: number;
  readonly #textAt: (index: number) => string;

  private constructor(length: number, textAt: (index: number) => string) {
    this.length = length;
    this.#textAt = textAt;
  }

  /** The messages as they are now; `textOf` is usually a {@link cachedText}. */
  static of<T>(messages: Iterable<T>, textOf: (message: T) => string): FragmentList {
    const kept = [...messages];
    return new FragmentList(kept.length, (index) => textOf(kept[index] as T));
  }

  text(index: number): string {
    return this.#textAt(index);
  }
}

export type Document =
  | JsonValue
  | Fragment
  | FragmentList
  | readonly Document[]
  | { readonly [key: string]: Document | undefined };

/** A function that writes a message once. Messages are immutable, so the text stays right. */
export function cachedText<T extends object>(
  write: (message: T) => string,
): (message: T) => string {
  const texts = new WeakMap<T, string>();
  return (message) => {
    const known = texts.get(message);
    if (known !== undefined) return known;
    const text = byteText(write(message));
    texts.set(message, text);
    return text;
  };
}

/** Characters that are joined before they are handed on; keeps the number of small writes down. */
const CHUNK_LENGTH = 64 * 1024;

/** The byte text of a document in chunks, with something in ASCII before and behind it. */
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
    if (document instanceof FragmentList) yield* writeFragments(out, document);
    else if (isList(document)) yield* writeList(out, document);
    else yield* writeObject(out, document);
  } else {
    out.text += leaf(document);
    if (out.text.length >= CHUNK_LENGTH) yield taken(out);
  }
}

function* writeFragments(out: Out, list: FragmentList): Generator<string, void> {
  out.text += '[';
  for (let index = 0; index < list.length; index++) {
    if (index > 0) out.text += ',';
    out.text += list.text(index);
    if (out.text.length >= CHUNK_LENGTH) yield taken(out);
  }
  out.text += ']';
}

function* writeList(out: Out, list: readonly Document[]): Generator<string, void> {
  let separator = '[';
  for (const item of list) {
    out.text += separator;
    separator = ',';
    yield* write(out, item);
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
    out.text += byteText(`${separator}${JSON.stringify(key)}:`);
    separator = ',';
    yield* write(out, value);
  }
  out.text += separator === '{' ? '{}' : '}';
}

function leaf(document: Leaf): string {
  return byteText(document instanceof Fragment ? document.text() : JSON.stringify(document));
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
