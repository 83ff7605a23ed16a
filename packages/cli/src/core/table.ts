/**
 * Tables for people: upper-case headings centred over their column, cells left aligned and numbers
 * right aligned, two spaces between columns, no rules, no wrapping. Lines carry no blanks at their
 * end. Source: cli output of the classic client, as the README describes.
 */

export type Alignment = 'auto' | 'left' | 'right';

export interface TableOptions {
  readonly headings: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Spaces before each line; the classic client used none for a part of its commands. */
  readonly indent?: number;
  /** `auto` puts numbers to the right and everything else to the left. */
  readonly alignment?: Alignment;
}

const gutter = '  ';
const indentDefault = 2;
const numberPattern = /^-?\d+(\.\d+)?$/;

/** Renders a table, every line ended by a newline; without rows the headings alone. */
export function renderTable(options: TableOptions): string {
  const { headings, rows, indent = indentDefault, alignment = 'auto' } = options;
  const cells = rows.map((row) => headings.map((_heading, index) => toCell(row[index] ?? '')));
  const widths = headings.map((heading, index) =>
    cells.reduce((width, row) => Math.max(width, textWidth(row[index] ?? '')), textWidth(heading)),
  );
  const lines = [headings.map((heading, index) => centre(heading, widths[index] ?? 0))];
  for (const row of cells) {
    lines.push(row.map((cell, index) => align(cell, widths[index] ?? 0, alignment)));
  }
  const margin = ' '.repeat(indent);
  return lines.map((line) => `${margin}${line.join(gutter)}`.trimEnd() + '\n').join('');
}

/** Columns that a text takes on a terminal: code points, wide East Asian ones counted twice. */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of text) width += isWide(character.codePointAt(0) ?? 0) ? 2 : 1;
  return width;
}

// A line break or a control character inside a cell would break the table, or the terminal.
function toCell(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ');
}

function isWide(code: number): boolean {
  return (
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0x1f300 && code <= 0x1faff)
  );
}

function centre(text: string, width: number): string {
  const gap = Math.max(0, width - textWidth(text));
  const left = Math.floor(gap / 2);
  return ' '.repeat(left) + text + ' '.repeat(gap - left);
}

function align(text: string, width: number, alignment: Alignment): string {
  const padding = ' '.repeat(Math.max(0, width - textWidth(text)));
  const right = alignment === 'right' || (alignment === 'auto' && numberPattern.test(text));
  return right ? padding + text : text + padding;
}
