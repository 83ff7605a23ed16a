/**
 * Small formats of the command's output: JSON, booleans, amounts, calendar dates, cut texts.
 * Instants are UTC, since a core knows no time zone.
 */

import type { Instant, JsonValue } from '@dcos/base';

/** What stands where the server had nothing to say. */
export const notAvailable = 'N/A';

/** JSON for output: indented, ended by a newline. Native commands use 4 spaces, delegated ones 2. */
export function toJsonOutput(value: JsonValue | undefined, indent: 2 | 4 = 4): string {
  return `${JSON.stringify(value ?? null, undefined, indent)}\n`;
}

/** `True` or `False`, as tables have them. */
export function toTrueFalse(value: boolean): string {
  return value ? 'True' : 'False';
}

/** A number without needless digits: `0.5`, `128`; binary noise beyond six digits is dropped. */
export function formatAmount(value: number | undefined): string {
  return value === undefined ? notAvailable : String(Number(value.toFixed(6)));
}

/** A number with exactly one decimal. */
export function formatOneDecimal(value: number | undefined): string {
  return (value ?? 0).toFixed(1);
}

/** A text of at most `lengthMax` characters; a cut one ends in three dots. */
export function truncateText(text: string, lengthMax: number): string {
  const characters = Array.from(text);
  if (characters.length <= lengthMax) return text;
  return `${characters.slice(0, Math.max(0, lengthMax - 3)).join('')}...`;
}

/** One item as it is, several as `(a, b)`, none as `empty`. */
export function formatSeveral(items: readonly string[], empty: string): string {
  const [first] = items;
  if (first === undefined) return empty;
  return items.length === 1 ? first : `(${items.join(', ')})`;
}

export interface CalendarTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

const dayMs = 86_400_000;

/** The proleptic Gregorian calendar time in UTC. */
export function toCalendarTime(instant: Instant): CalendarTime {
  const days = Math.floor(instant / dayMs);
  const secondsOfDay = Math.floor((instant - days * dayMs) / 1000);
  // Counts years from March, so that the leap day is the last one of a year.
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1,
    hour: Math.floor(secondsOfDay / 3600),
    minute: Math.floor((secondsOfDay % 3600) / 60),
    second: secondsOfDay % 60,
  };
}

const monthNames = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** `Nov 20 14:01`, as a directory listing shows times. */
export function formatListingTime(instant: Instant): string {
  const time = toCalendarTime(instant);
  const clock = `${twoDigits(time.hour)}:${twoDigits(time.minute)}`;
  return `${monthNames[time.month - 1] ?? ''} ${twoDigits(time.day)} ${clock}`;
}

/** `2026-11-20 14:01:07`. */
export function formatTimestamp(instant: Instant): string {
  const time = toCalendarTime(instant);
  const date = `${time.year}-${twoDigits(time.month)}-${twoDigits(time.day)}`;
  return `${date} ${twoDigits(time.hour)}:${twoDigits(time.minute)}:${twoDigits(time.second)}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
