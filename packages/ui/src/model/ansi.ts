/** Terminal colours in log lines: SGR sequences become styled parts, other escapes disappear. Pure. */

export interface StyledPart {
  readonly text: string;
  /** Index 0–15 of the terminal palette, or undefined for the default colour. */
  readonly color: number | undefined;
  readonly bold: boolean;
}

const ESCAPE = String.fromCodePoint(27);
const BELL = String.fromCodePoint(7);
const ESCAPES = new RegExp(
  `${ESCAPE}\\[([0-9;]*)m|${ESCAPE}\\[[0-9;?]*[A-Za-z]|${ESCAPE}\\][^${BELL}]*(?:${BELL}|$)`,
  'g',
);

/** True when the line has no escape sequence: the common case, kept cheap. */
export function isPlain(line: string): boolean {
  return !line.includes(ESCAPE);
}

/** The line without escape sequences: what search looks at. */
export function stripAnsi(line: string): string {
  return isPlain(line) ? line : line.replace(ESCAPES, '');
}

/** Splits a line into parts of one style each. */
export function parseAnsi(line: string): readonly StyledPart[] {
  if (isPlain(line)) return [{ text: line, color: undefined, bold: false }];
  const parts: StyledPart[] = [];
  let style: { color: number | undefined; bold: boolean } = { color: undefined, bold: false };
  let last = 0;
  for (const match of line.matchAll(ESCAPES)) {
    if (match.index > last) parts.push({ text: line.slice(last, match.index), ...style });
    last = match.index + match[0].length;
    if (match[1] !== undefined) style = applyCodes(match[1], style);
  }
  if (last < line.length) parts.push({ text: line.slice(last), ...style });
  return parts;
}

function applyCodes(
  codes: string,
  before: { readonly color: number | undefined; readonly bold: boolean },
): { color: number | undefined; bold: boolean } {
  let { color, bold } = before;
  for (const text of codes.split(';')) {
    const code = Number(text === '' ? '0' : text);
    if (code === 0) {
      color = undefined;
      bold = false;
    } else if (code === 1) bold = true;
    else if (code === 22) bold = false;
    else if (code >= 30 && code <= 37) color = code - 30;
    else if (code >= 90 && code <= 97) color = code - 90 + 8;
    else if (code === 39) color = undefined;
  }
  return { color, bold };
}
