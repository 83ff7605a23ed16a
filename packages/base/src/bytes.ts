/** Sizes in the original's spelling: a whole number and a unit, such as `4KB`, of 1024 each. */

const UNITS: Readonly<Record<string, number>> = {
  TB: 1024 ** 4,
  GB: 1024 ** 3,
  MB: 1024 ** 2,
  KB: 1024,
  B: 1,
};

/** Bytes of such a text; undefined when it is none. */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d+)([A-Z]+)$/.exec(text);
  const size = UNITS[match?.[2] ?? ''];
  return match === null || size === undefined ? undefined : Number(match[1]) * size;
}

/** A size in the largest unit that says it without a fraction. */
export function bytesText(bytes: number): string {
  const fitting = Object.entries(UNITS).find(([, size]) => bytes >= size && bytes % size === 0);
  const [unit, size] = fitting ?? ['B', 1];
  return `${bytes / size}${unit}`;
}
