/**
 * Instants as text and back: `2015-09-30T09:09:17.614Z`, always UTC, always three digits of a second.
 *
 * Pure integer arithmetic in the proleptic Gregorian calendar, counted in eras of 400 years that begin in
 * March, so that the leap day is the last of its year. The range is that of four-digit years.
 */

import { assert, type Instant } from '@dcos/base';
import type { Version } from './app-definition.ts';

const DAY_MS = 86_400_000;
const DAYS_PER_ERA = 146_097;
/** Days from 0000-03-01, where eras are counted from, to 1970-01-01. */
const EPOCH_DAY = 719_468;

/** Start of year 0 and of year 10000, in milliseconds since the epoch. */
const INSTANT_MIN = daysFromCivil(0, 1, 1) * DAY_MS;
const INSTANT_END = daysFromCivil(10_000, 1, 1) * DAY_MS;

const TIMESTAMP =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:Z|([+-])(\d{2}):?(\d{2}))$/;

/** The text of an instant; fractions of a millisecond are cut. Throws outside of the years 0 to 9999. */
export function formatTimestamp(instant: Instant): Version {
  assert(instant >= INSTANT_MIN && instant < INSTANT_END, `instant out of range: ${instant}`);
  const whole = Math.floor(instant);
  const days = Math.floor(whole / DAY_MS);
  const ofDay = whole - days * DAY_MS;
  const { year, month, day } = civilFromDays(days);
  const hour = Math.floor(ofDay / 3_600_000);
  const minute = Math.floor(ofDay / 60_000) % 60;
  const second = Math.floor(ofDay / 1000) % 60;
  const date = `${padded(year, 4)}-${padded(month, 2)}-${padded(day, 2)}`;
  const time = `${padded(hour, 2)}:${padded(minute, 2)}:${padded(second, 2)}`;
  return `${date}T${time}.${padded(ofDay % 1000, 3)}Z`;
}

/**
 * The instant of an ISO-8601 date and time, with any number of digits of a second up to nine, in UTC or with
 * an offset. Undefined for anything else, days that do not exist included.
 */
export function parseTimestamp(text: string): Instant | undefined {
  const match = TIMESTAMP.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map(Number);
  const fraction = match[7] ?? '';
  const ms = Number(fraction.slice(0, 3).padEnd(3, '0'));
  const offsetHours = Number(match[9] ?? 0);
  const offsetMinutes = Number(match[10] ?? 0);
  if (month < 1 || month > 12 || day < 1 || day > daysOfMonth(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 59 || offsetHours > 23 || offsetMinutes > 59)
    return undefined;
  const offset = (match[8] === '-' ? -1 : 1) * (offsetHours * 60 + offsetMinutes) * 60_000;
  const ofDay = hour * 3_600_000 + minute * 60_000 + second * 1000 + ms;
  const instant = daysFromCivil(year, month, day) * DAY_MS + ofDay - offset;
  return instant >= INSTANT_MIN && instant < INSTANT_END ? instant : undefined;
}

/** A version in its one written form; undefined when the text is no timestamp. */
export function parseVersion(text: string): Version | undefined {
  const instant = parseTimestamp(text);
  return instant === undefined ? undefined : formatTimestamp(instant);
}

/** A version for now that is later than another one, by a millisecond if the clock did not move on. */
export function versionAfter(now: Instant, previous: Version | undefined): Version {
  const last = previous === undefined ? undefined : parseTimestamp(previous);
  return formatTimestamp(last === undefined ? now : Math.max(Math.floor(now), last + 1));
}

function padded(value: number, width: number): string {
  return String(value).padStart(width, '0');
}

function daysOfMonth(year: number, month: number): number {
  if (month === 2) return isLeapYear(year) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** Days from 1970-01-01 to a date. */
function daysFromCivil(year: number, month: number, day: number): number {
  const shifted = month > 2 ? year : year - 1;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = dayOfShiftedYear(month) + day - 1;
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * DAYS_PER_ERA + dayOfEra - EPOCH_DAY;
}

function civilFromDays(days: number): { year: number; month: number; day: number } {
  const shifted = days + EPOCH_DAY;
  const era = Math.floor(shifted / DAYS_PER_ERA);
  const dayOfEra = shifted - era * DAYS_PER_ERA;
  // The last day of each 4, 100 and 400 years would be counted to the year after.
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const day = dayOfYear - dayOfShiftedYear(month) + 1;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

/** Days from the first of March to the first of a month. */
function dayOfShiftedYear(month: number): number {
  const monthFromMarch = month > 2 ? month - 3 : month + 9;
  return Math.floor((153 * monthFromMarch + 2) / 5);
}
