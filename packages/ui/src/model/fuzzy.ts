/**
 * Fuzzy matching for search boxes and the command palette: all characters of the needle occur in
 * order; runs, word starts and early matches score higher. Pure and linear in the haystack.
 */

/** Score of a match, or undefined when the needle does not occur. An empty needle matches with 0. */
export function fuzzyScore(needle: string, haystack: string): number | undefined {
  const wanted = needle.toLowerCase();
  const text = haystack.toLowerCase();
  if (wanted === '') return 0;
  const at = text.indexOf(wanted);
  if (at >= 0) return 1_000 - at + (isWordStart(text, at) ? 100 : 0) - text.length / 1_000;
  return subsequenceScore(wanted, text);
}

function subsequenceScore(wanted: string, text: string): number | undefined {
  let score = 0;
  let position = 0;
  let previous = -2;
  for (const character of wanted) {
    const found = text.indexOf(character, position);
    if (found < 0) return undefined;
    if (found === previous + 1) score += 12;
    if (isWordStart(text, found)) score += 8;
    score -= Math.min(6, found - position);
    previous = found;
    position = found + 1;
  }
  return score - text.length / 1_000;
}

function isWordStart(text: string, index: number): boolean {
  return index === 0 || /[^a-z0-9]/.test(text.charAt(index - 1));
}

/** The items that match, best first; ties keep their order. */
export function fuzzySort<T>(
  needle: string,
  items: readonly T[],
  textOf: (item: T) => string,
): readonly T[] {
  if (needle.trim() === '') return items;
  return items
    .flatMap((item, index) => {
      const score = fuzzyScore(needle.trim(), textOf(item));
      return score === undefined ? [] : [{ item, index, score }];
    })
    .sort((left, right) => right.score - left.score || left.index - right.index)
    .map(({ item }) => item);
}
