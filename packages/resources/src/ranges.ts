/**
 * Sets of whole numbers as lists of inclusive ranges.
 *
 * Normal form: sorted, not empty, neither overlapping nor adjacent. Every function here takes and gives
 * normal form, except `normaliseRanges`, which makes it.
 */

import { err, ok, type Result } from '@dcos/base';

/** Both ends belong to the range; `begin <= end`. */
export interface Range {
  readonly begin: number;
  readonly end: number;
}

/** The normal form of ranges in any order. Each must have `begin <= end`. */
export function normaliseRanges(ranges: readonly Range[]): readonly Range[] {
  if (isNormal(ranges)) return ranges;
  const sorted = [...ranges].sort((left, right) => left.begin - right.begin);
  const merged: { begin: number; end: number }[] = [];
  for (const { begin, end } of sorted) {
    const last = merged.at(-1);
    if (last === undefined || begin > last.end + 1) merged.push({ begin, end });
    else if (end > last.end) last.end = end;
  }
  return merged;
}

function isNormal(ranges: readonly Range[]): boolean {
  for (let index = 1; index < ranges.length; index++) {
    if ((ranges[index] as Range).begin <= (ranges[index - 1] as Range).end + 1) return false;
  }
  return true;
}

/** Numbers in either. */
export function addRanges(left: readonly Range[], right: readonly Range[]): readonly Range[] {
  if (left.length === 0) return right;
  if (right.length === 0) return left;
  return normaliseRanges([...left, ...right]);
}

/** Numbers in `left` that are not in `right`. */
export function subtractRanges(left: readonly Range[], right: readonly Range[]): readonly Range[] {
  const rest: Range[] = [];
  let next = 0;
  for (const { begin, end } of left) {
    let from = begin;
    while (next < right.length && (right[next] as Range).end < from) next += 1;
    for (let index = next; index < right.length && from <= end; index++) {
      const taken = right[index] as Range;
      if (taken.begin > end) break;
      if (taken.begin > from) rest.push({ begin: from, end: taken.begin - 1 });
      from = taken.end + 1;
    }
    if (from <= end) rest.push({ begin: from, end });
  }
  return rest;
}

/** Whether every number of `right` is in `left`. */
export function containsRanges(left: readonly Range[], right: readonly Range[]): boolean {
  let at = 0;
  for (const { begin, end } of right) {
    while (at < left.length && (left[at] as Range).end < begin) at += 1;
    const holder = left[at];
    if (holder === undefined || holder.begin > begin || holder.end < end) return false;
  }
  return true;
}

/** Whether both hold the same numbers. */
export function equalRanges(left: readonly Range[], right: readonly Range[]): boolean {
  return (
    left === right ||
    (left.length === right.length &&
      left.every(({ begin, end }, at) => right[at]?.begin === begin && right[at].end === end))
  );
}

/** How many numbers there are. */
export function countOfRanges(ranges: readonly Range[]): number {
  let count = 0;
  for (const { begin, end } of ranges) count += end - begin + 1;
  return count;
}

/** The text of the JSON documents, such as `[31000-31010, 31012-31020]`. */
export function formatRanges(ranges: readonly Range[]): string {
  return `[${ranges.map(({ begin, end }) => `${begin}-${end}`).join(', ')}]`;
}

/** Reads `[a-b,c-d]`; spaces do not matter, the result is in normal form. */
export function parseRanges(text: string): Result<readonly Range[], string> {
  const trimmed = text.trim();
  if (!trimmed.startsWith('[') || !trimmed.endsWith(']')) {
    return err(`ranges must stand in brackets, got '${trimmed}'`);
  }
  const body = trimmed.slice(1, -1).trim();
  if (body === '') return ok([]);
  const ranges: Range[] = [];
  for (const part of body.split(',')) {
    const match = /^\s*(\d+)\s*-\s*(\d+)\s*$/.exec(part);
    if (match === null) return err(`expecting a range such as '31000-32000', got '${part.trim()}'`);
    const begin = Number(match[1]);
    const end = Number(match[2]);
    if (!Number.isSafeInteger(end)) return err(`the range '${part.trim()}' is out of bounds`);
    if (begin > end) return err(`the range '${part.trim()}' ends before it begins`);
    ranges.push({ begin, end });
  }
  return ok(normaliseRanges(ranges));
}
