/**
 * Reads parsed JSON into typed values, and notes every place that is wrong with the token that clients of
 * the original know.
 *
 * Invariants: reading goes on after a violation, so that an answer names all places at once; a value that
 * was read while violations were noted is never used. Unknown fields are ignored, null counts as absent.
 * Source: tokens and paths of Marathon's request parser, as observed.
 */

import { err, isJsonObject, ok, type JsonObject, type JsonValue, type Result } from '@dcos/base';
import { emptyBody, invalidJson, wrongTypes, type Problem, type Violation } from './problem.ts';

const INT32_MAX = 2_147_483_647;

/** Where violations are noted while reading goes on. */
export type Violations = Violation[];

/** Reads one value at one place. */
export type Read<T> = (value: JsonValue, path: string, violations: Violations) => T;

/** Notes that something is wrong at a place. */
export function noteViolation(path: string, error: string, violations: Violations): void {
  violations.push({ path: path === '' ? '/' : path, error });
}

/**
 * Notes that a value could not be read, and stands for it. The type fits everywhere, which is safe since
 * what is read while a violation is noted is never used.
 */
export function unread(path: string, error: string, violations: Violations): never {
  noteViolation(path, error, violations);
  return undefined as never;
}

/** Parses a body and reads it. */
export function readBody<T>(body: string, read: Read<T>): Result<T, Problem> {
  if (body.trim() === '') return err(emptyBody());
  let parsed: JsonValue;
  try {
    parsed = JSON.parse(body) as JsonValue;
  } catch (error) {
    return err(invalidJson(error instanceof Error ? error.message : String(error)));
  }
  const violations: Violations = [];
  const value = read(parsed, '', violations);
  return violations.length > 0 ? err(wrongTypes(violations)) : ok(value);
}

/** Access to the fields of one object. */
export interface Fields {
  required<T>(name: string, read: Read<T>): T;
  optional<T>(name: string, read: Read<T>): T | undefined;
  withDefault<T>(name: string, read: Read<T>, fallback: T): T;
  has(name: string): boolean;
}

/** Reads an object through its fields. */
export function readObject<T>(build: (fields: Fields, at: ObjectPlace) => T): Read<T> {
  return (value, path, violations) => {
    if (!isJsonObject(value)) return unread(path, 'error.expected.jsobject', violations);
    return build(fieldsOf(value, path, violations), { path, violations });
  };
}

/** Where an object is, for violations that are not about one field. */
export interface ObjectPlace {
  readonly path: string;
  readonly violations: Violations;
}

function fieldsOf(object: JsonObject, path: string, violations: Violations): Fields {
  // A name such as `constructor` must not find what every object inherits.
  const member = (name: string): JsonValue | undefined =>
    Object.hasOwn(object, name) ? object[name] : undefined;
  const optional = <T>(name: string, read: Read<T>): T | undefined => {
    const value = member(name);
    return value === undefined || value === null
      ? undefined
      : read(value, `${path}/${name}`, violations);
  };
  return {
    optional,
    required: (name, read) => {
      const value = member(name);
      if (value === undefined) {
        return unread(`${path}/${name}`, 'error.path.missing', violations);
      }
      return read(value, `${path}/${name}`, violations);
    },
    withDefault: (name, read, fallback) => optional(name, read) ?? fallback,
    has: (name) => {
      const value = member(name);
      return value !== undefined && value !== null;
    },
  };
}

export interface TextBounds {
  readonly lengthMin?: number;
  readonly lengthMax?: number;
  readonly pattern?: RegExp;
}

export function readText(bounds: TextBounds = {}): Read<string> {
  return (value, path, violations) => {
    if (typeof value !== 'string') return unread(path, 'error.expected.jsstring', violations);
    if (value.length < (bounds.lengthMin ?? 0)) return unread(path, 'error.minLength', violations);
    if (value.length > (bounds.lengthMax ?? Number.POSITIVE_INFINITY)) {
      return unread(path, 'error.maxLength', violations);
    }
    if (bounds.pattern !== undefined && !bounds.pattern.test(value)) {
      return unread(path, 'error.pattern', violations);
    }
    return value;
  };
}

export interface NumberBounds {
  readonly min?: number;
  readonly max?: number;
}

export function readNumber(bounds: NumberBounds = {}): Read<number> {
  return (value, path, violations) => {
    // A literal such as 1e999 is parsed as infinity, which JSON cannot say again.
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      return unread(path, 'error.expected.jsnumber', violations);
    }
    if (value < (bounds.min ?? Number.NEGATIVE_INFINITY)) {
      return unread(path, 'error.min', violations);
    }
    if (value > (bounds.max ?? Number.POSITIVE_INFINITY)) {
      return unread(path, 'error.max', violations);
    }
    return value;
  };
}

export function readInteger(bounds: NumberBounds = {}): Read<number> {
  const number = readNumber(bounds);
  return (value, path, violations) => {
    if (typeof value === 'number' && (!Number.isInteger(value) || Math.abs(value) > INT32_MAX)) {
      return unread(path, 'error.expected.int', violations);
    }
    return number(value, path, violations);
  };
}

export const readBoolean: Read<boolean> = (value, path, violations) =>
  typeof value === 'boolean' ? value : unread(path, 'error.expected.jsboolean', violations);

export function readEnum<const T extends string>(literals: readonly T[]): Read<T> {
  return (value, path, violations) => {
    if (typeof value !== 'string') return unread(path, 'error.expected.jsstring', violations);
    const literal = literals.find((candidate) => candidate === value);
    return literal ?? unread(path, 'error.unknown.enum.literal', violations);
  };
}

export function readList<T>(read: Read<T>): Read<readonly T[]> {
  return (value, path, violations) => {
    if (!Array.isArray(value)) return unread(path, 'error.expected.jsarray', violations);
    return (value as readonly JsonValue[]).map((element, index) =>
      read(element, `${path}(${index})`, violations),
    );
  };
}

export function readMap<T>(read: Read<T>): Read<Readonly<Record<string, T>>> {
  return (value, path, violations) => {
    if (!isJsonObject(value)) return unread(path, 'error.expected.jsobject', violations);
    const entries = Object.entries(value).map(
      ([key, member]) => [key, read(member ?? null, `${path}/${key}`, violations)] as const,
    );
    return Object.fromEntries(entries);
  };
}

/** A value that may have one of two forms; `isFirst` tells them apart. */
export function readEither<A, B>(
  isFirst: (value: JsonValue) => boolean,
  first: Read<A>,
  second: Read<B>,
): Read<A | B> {
  return (value, path, violations) => (isFirst(value) ? first : second)(value, path, violations);
}
