/** A line diff of two documents, for comparing versions before one is applied. Pure. */

export interface DiffLine {
  readonly kind: 'same' | 'add' | 'remove';
  readonly text: string;
}

/** Unchanged lines kept around a change. */
const CONTEXT_LINES = 3;

export type DiffBlock =
  | { readonly kind: 'lines'; readonly lines: readonly DiffLine[] }
  | { readonly kind: 'hidden'; readonly count: number };

/** The diff with long unchanged stretches folded to their count. */
export function foldDiff(lines: readonly DiffLine[]): readonly DiffBlock[] {
  const isNear = lines.map((_, index) =>
    lines
      .slice(Math.max(0, index - CONTEXT_LINES), index + CONTEXT_LINES + 1)
      .some((line) => line.kind !== 'same'),
  );
  const blocks: DiffBlock[] = [];
  let start = 0;
  while (start < lines.length) {
    let end = start;
    while (end < lines.length && isNear[end] === isNear[start]) end += 1;
    blocks.push(
      isNear[start] === true
        ? { kind: 'lines', lines: lines.slice(start, end) }
        : { kind: 'hidden', count: end - start },
    );
    start = end;
  }
  return blocks;
}

/** Above this product of line counts the middle is shown as replaced, not compared line by line. */
const CELLS_MAX = 4_000_000;

/** Lines that lead from `before` to `after`; the longest common subsequence stays. */
export function diffLines(before: string, after: string): readonly DiffLine[] {
  const left = before.split('\n');
  const right = after.split('\n');
  let start = 0;
  while (start < left.length && start < right.length && left[start] === right[start]) start += 1;
  let end = 0;
  while (
    end < left.length - start &&
    end < right.length - start &&
    left[left.length - 1 - end] === right[right.length - 1 - end]
  ) {
    end += 1;
  }
  const middle = diffMiddle(
    left.slice(start, left.length - end),
    right.slice(start, right.length - end),
  );
  return [...left.slice(0, start).map(same), ...middle, ...left.slice(left.length - end).map(same)];
}

function same(text: string): DiffLine {
  return { kind: 'same', text };
}

function diffMiddle(left: readonly string[], right: readonly string[]): readonly DiffLine[] {
  if (left.length * right.length > CELLS_MAX) {
    return [
      ...left.map((text): DiffLine => ({ kind: 'remove', text })),
      ...right.map((text): DiffLine => ({ kind: 'add', text })),
    ];
  }
  const width = right.length + 1;
  const lengths = new Uint32Array((left.length + 1) * width);
  const at = (row: number, column: number): number => lengths[row * width + column] ?? 0;
  for (let row = left.length - 1; row >= 0; row -= 1) {
    for (let column = right.length - 1; column >= 0; column -= 1) {
      lengths[row * width + column] =
        left[row] === right[column]
          ? at(row + 1, column + 1) + 1
          : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const lines: DiffLine[] = [];
  let row = 0;
  let column = 0;
  while (row < left.length || column < right.length) {
    const leftText = left[row];
    const rightText = right[column];
    if (leftText !== undefined && leftText === rightText) {
      lines.push(same(leftText));
      row += 1;
      column += 1;
    } else if (
      leftText !== undefined &&
      (rightText === undefined || at(row + 1, column) >= at(row, column + 1))
    ) {
      lines.push({ kind: 'remove', text: leftText });
      row += 1;
    } else if (rightText !== undefined) {
      lines.push({ kind: 'add', text: rightText });
      column += 1;
    }
  }
  return lines;
}
