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

/** The JSON text of a document, piece by piece. */
export function* pieces(document: Document): Generator<string, void> {
  if (document instanceof Fragment) {
    yield document.text();
  } else if (isList(document)) {
    let separator = '[';
    for (const item of document) {
      yield separator;
      yield* pieces(item);
      separator = ',';
    }
    yield separator === '[' ? '[]' : ']';
  } else if (typeof document === 'object' && document !== null) {
    let separator = '{';
    for (const [key, value] of Object.entries(document)) {
      if (value === undefined) continue;
      yield `${separator}${JSON.stringify(key)}:`;
      yield* pieces(value);
      separator = ',';
    }
    yield separator === '{' ? '{}' : '}';
  } else {
    yield JSON.stringify(document);
  }
}

function isList(document: Document): document is readonly Document[] {
  return Array.isArray(document);
}
