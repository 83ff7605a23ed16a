/**
 * Where a text stops being JSON, and what was expected there. The runtime's own parser names the
 * place for some errors only. A pushdown automaton over tokens; linear, no recursion.
 */

export interface JsonSyntaxError {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly column: number;
  readonly expected: string;
  /** The character or word that stands there instead. */
  readonly found: string;
}

type Expectation =
  | 'value'
  | 'valueOrEnd'
  | 'name'
  | 'nameOrEnd'
  | 'colon'
  | 'commaOrEnd'
  | 'endOfText';

const tokenPattern =
  /[\t\n\r ]*(?:([{}[\],:])|("(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|(?:true|false|null)(?!\w)))/uy;
const blankPattern = /[\t\n\r ]*/y;
const wordPattern = /[\w.+-]+|[^]/uy;
const foundLengthMax = 20;

const descriptions: Readonly<Record<Expectation, string>> = {
  value: 'a value',
  valueOrEnd: 'a value or "]"',
  name: 'a name in double quotes',
  nameOrEnd: 'a name in double quotes or "}"',
  colon: '":"',
  commaOrEnd: '"," or the end of the object or list',
  endOfText: 'the end',
};

/** The first error of a text, undefined when it is valid JSON. */
export function findJsonError(text: string): JsonSyntaxError | undefined {
  const open: ('{' | '[')[] = [];
  let expectation: Expectation = 'value';
  let at = 0;
  for (;;) {
    tokenPattern.lastIndex = at;
    const match = tokenPattern.exec(text);
    blankPattern.lastIndex = at;
    const start = at + (blankPattern.exec(text)?.[0].length ?? 0);
    if (expectation === 'endOfText' && start === text.length) return undefined;
    const token = match?.[1] ?? (match?.[2] === undefined ? match?.[3] : '"');
    const next: Expectation | undefined =
      token === undefined ? undefined : advance(expectation, token, open);
    if (next === undefined) return describe(text, start, expectation);
    expectation = next;
    at = tokenPattern.lastIndex;
  }
}

// What is expected after a token, undefined when the token itself was not expected. Keeps `open`.
function advance(
  expectation: Expectation,
  token: string,
  open: ('{' | '[')[],
): Expectation | undefined {
  const afterValue = (): Expectation => (open.length === 0 ? 'endOfText' : 'commaOrEnd');
  const inside = open.at(-1);
  switch (expectation) {
    case 'value':
    case 'valueOrEnd':
      if (token === '{' || token === '[') {
        open.push(token);
        return token === '{' ? 'nameOrEnd' : 'valueOrEnd';
      }
      if (token === ']' && expectation === 'valueOrEnd') {
        open.pop();
        return afterValue();
      }
      return /^[\]},:]$/.test(token) ? undefined : afterValue();
    case 'name':
    case 'nameOrEnd':
      if (token === '"') return 'colon';
      if (token !== '}' || expectation === 'name') return undefined;
      open.pop();
      return afterValue();
    case 'colon':
      return token === ':' ? 'value' : undefined;
    case 'commaOrEnd':
      if (token === ',') return inside === '{' ? 'name' : 'value';
      if (token !== (inside === '{' ? '}' : ']')) return undefined;
      open.pop();
      return afterValue();
    case 'endOfText':
      break;
  }
  return undefined;
}

function describe(text: string, offset: number, expectation: Expectation): JsonSyntaxError {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  wordPattern.lastIndex = offset;
  const word = wordPattern.exec(text)?.[0];
  return {
    line: before.split('\n').length,
    column: offset - lineStart + 1,
    expected: descriptions[expectation],
    found: foundText(word),
  };
}

function foundText(word: string | undefined): string {
  if (word === undefined) return 'the end';
  if (word === '"') return 'a text that is not closed on its line, or has a wrong escape';
  return `"${word.slice(0, foundLengthMax)}"`;
}
