/**
 * Label selectors: `a, b==x, c!=y, d in (x,y), e notin (z)`, joined by AND.
 * A backslash takes the next character as it is; blanks between words do not matter.
 * Source: grammar of Marathon's label selectors as documented.
 */

import { err, ok, type Result } from '@dcos/base';

/** One condition on the labels of an app. */
export type LabelTerm =
  | { readonly kind: 'exists'; readonly name: string }
  | { readonly kind: 'equals' | 'differs'; readonly name: string; readonly value: string }
  | { readonly kind: 'in' | 'notIn'; readonly name: string; readonly values: readonly string[] };

/** Characters of a selector at most. */
export const SELECTOR_LENGTH_MAX = 4096;

type Token =
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'sign'; readonly text: string };

/** Reads a selector; the error says what was expected and where. */
export function parseLabelSelector(text: string): Result<readonly LabelTerm[], string> {
  if (text.length > SELECTOR_LENGTH_MAX)
    return err(`label selector is longer than ${SELECTOR_LENGTH_MAX} characters`);
  const tokens = tokensOf(text);
  if (tokens === undefined) return err(`invalid character in label selector '${text}'`);
  const terms: LabelTerm[] = [];
  let index = 0;
  const isSign = (sign: string): boolean =>
    tokens[index]?.kind === 'sign' && tokens[index]?.text === sign;
  const word = (): string | undefined => {
    const token = tokens[index];
    if (token?.kind !== 'word') return undefined;
    index += 1;
    return token.text;
  };
  const fail = (expected: string): Result<readonly LabelTerm[], string> =>
    err(`label selector '${text}': ${expected} expected at part ${index + 1}`);
  for (;;) {
    const name = word();
    if (name === undefined) return fail('a label name');
    if (isSign('==') || isSign('!=')) {
      const kind = isSign('==') ? 'equals' : 'differs';
      index += 1;
      const value = word();
      if (value === undefined) return fail('a value');
      terms.push({ kind, name, value });
    } else if (tokens[index]?.kind === 'word') {
      const operator = word();
      if (operator !== 'in' && operator !== 'notin') return fail("'in' or 'notin'");
      if (!isSign('(')) return fail("'('");
      const values: string[] = [];
      do {
        index += 1;
        const value = word();
        if (value === undefined) return fail('a value');
        values.push(value);
      } while (isSign(','));
      if (!isSign(')')) return fail("')'");
      index += 1;
      terms.push({ kind: operator === 'in' ? 'in' : 'notIn', name, values });
    } else terms.push({ kind: 'exists', name });
    if (index === tokens.length) return ok(terms);
    if (!isSign(',')) return fail("','");
    index += 1;
  }
}

/** True when labels satisfy all terms. A label that is absent satisfies none. */
export function matchesLabels(
  terms: readonly LabelTerm[],
  labels: Readonly<Record<string, string>>,
): boolean {
  return terms.every((term) => {
    const value = Object.hasOwn(labels, term.name) ? labels[term.name] : undefined;
    if (value === undefined) return false;
    switch (term.kind) {
      case 'equals':
        return value === term.value;
      case 'differs':
        return value !== term.value;
      case 'in':
        return term.values.includes(value);
      case 'notIn':
        return !term.values.includes(value);
      default:
        return true;
    }
  });
}

function tokensOf(text: string): Token[] | undefined {
  const tokens: Token[] = [];
  const pattern = /\s+|(==|!=|[(),])|((?:[-A-Za-z0-9_.]|\\[\s\S])+)/y;
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text);
    if (match === null) return undefined;
    if (match[1] !== undefined) tokens.push({ kind: 'sign', text: match[1] });
    if (match[2] !== undefined)
      tokens.push({ kind: 'word', text: match[2].replaceAll(/\\([\s\S])/g, '$1') });
  }
  return tokens;
}
