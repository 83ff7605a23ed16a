/**
 * Reads single fields of JSON documents that a server sent. Every reader answers `undefined` (or an
 * empty list) for a field that is absent or of another type, so that one odd document from a server
 * of another version costs one cell of a table and not the whole command.
 */

import { isJsonObject } from '@dcos/base';
import type { JsonObject, JsonValue } from '@dcos/base';

/** The field when it is a string. */
export function textField(object: JsonObject | undefined, name: string): string | undefined {
  const value = object?.[name];
  return typeof value === 'string' ? value : undefined;
}

/** The field when it is a finite number. */
export function numberField(object: JsonObject | undefined, name: string): number | undefined {
  const value = object?.[name];
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** The field when it is a boolean. */
export function booleanField(object: JsonObject | undefined, name: string): boolean | undefined {
  const value = object?.[name];
  return typeof value === 'boolean' ? value : undefined;
}

/** The field when it is an object. */
export function objectField(object: JsonObject | undefined, name: string): JsonObject | undefined {
  const value = object?.[name];
  return isJsonObject(value) ? value : undefined;
}

/** The elements of an array field; empty when it is no array. */
export function listField(object: JsonObject | undefined, name: string): readonly JsonValue[] {
  const value = object?.[name];
  return Array.isArray(value) ? value : [];
}

/** The objects among the elements of an array field. */
export function objectsField(object: JsonObject | undefined, name: string): readonly JsonObject[] {
  return objectsOf(object?.[name]);
}

/** The objects among the elements of a value that should be an array. */
export function objectsOf(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

/** The strings among the elements of an array field. */
export function textsField(object: JsonObject | undefined, name: string): readonly string[] {
  return listField(object, name).filter((item) => typeof item === 'string');
}

/** The value at a dotted path such as `attributes.rack`. */
export function valueAtPath(root: JsonValue | undefined, path: string): JsonValue | undefined {
  let value: JsonValue | undefined = root;
  for (const name of path.split('.')) {
    if (!isJsonObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}
