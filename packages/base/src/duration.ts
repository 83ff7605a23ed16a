/** Durations in the original's spelling: a number and a unit, such as `15secs`. */

const UNITS: Readonly<Record<string, number>> = {
  weeks: 604_800_000,
  days: 86_400_000,
  hrs: 3_600_000,
  mins: 60_000,
  secs: 1_000,
  ms: 1,
  us: 1e-3,
  ns: 1e-6,
};

/** A duration in the largest unit that divides it. */
export function durationText(milliseconds: number): string {
  if (milliseconds === 0) return '0ns';
  const fitting = Object.entries(UNITS).find(
    ([, size]) => milliseconds >= size && milliseconds % size === 0,
  );
  const [unit, size] = fitting ?? ['ms', 1];
  return `${milliseconds / size}${unit}`;
}

/** Milliseconds of such a text; undefined when it is none. */
export function parseDurationMs(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([a-z]+)$/.exec(text);
  const size = UNITS[match?.[2] ?? ''];
  return match === null || size === undefined ? undefined : Number(match[1]) * size;
}
