/**
 * Access control lists: JSON to rules. Everything in the text must be understood, since a rule that is
 * silently skipped would open what somebody meant to close.
 */

import { isJsonObject, type JsonValue } from '@dcos/base';
import type { Action } from '../core/authorization.ts';
import { ACL_LISTS, type AclList, type ObjectKind } from './acl-lists.ts';

/** Whom or what one side of a rule is about. */
export type Entity =
  | { readonly type: 'ANY' | 'NONE' }
  | {
      readonly type: 'SOME';
      readonly values: ReadonlySet<string>;
      /** `eng/` for the pattern `eng/%`. */
      readonly prefixes: readonly string[];
    };

export interface Rule {
  readonly subjects: Entity;
  readonly objects: Entity;
}

export interface Acls {
  /** Whether that which no rule matches is allowed. */
  readonly permissive: boolean;
  readonly rules: ReadonlyMap<Action, readonly Rule[]>;
  /** Names of the lists that were read and that agents enforce, not the master. */
  readonly ofAgents: readonly string[];
}

/** A text that is no access control list; the message says where and why. */
export class AclError extends Error {
  override readonly name = 'AclError';
}

/** Rules of one list; each is looked at for each request. */
const RULES_PER_LIST_MAX = 10_000;
const RECURSIVE = '/%';

/** Reads the JSON of the flag `acls`. Throws `AclError`. */
export function parseAcls(text: string): Acls {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new AclError(`ACLs are not JSON: ${error instanceof Error ? error.message : ''}`, {
      cause: error,
    });
  }
  if (!isJsonObject(json)) throw new AclError('ACLs: expecting a JSON object');
  const { permissive = true, ...lists } = json;
  if (typeof permissive !== 'boolean')
    throw new AclError("ACLs: 'permissive' must be true or false");
  const rules = new Map<Action, readonly Rule[]>();
  const ofAgents: string[] = [];
  for (const [name, value] of Object.entries(lists)) {
    const list = ACL_LISTS.get(name);
    if (list === undefined) throw new AclError(`ACLs: '${name}' is not a list of access control`);
    const parsed = parseRules(name, list, value);
    if (list.action === undefined) ofAgents.push(name);
    else rules.set(list.action, parsed);
  }
  return { permissive, rules, ofAgents };
}

function parseRules(name: string, list: AclList, value: JsonValue | undefined): readonly Rule[] {
  if (!Array.isArray(value)) throw new AclError(`ACLs: '${name}' must be an array`);
  if (value.length > RULES_PER_LIST_MAX)
    throw new AclError(`ACLs: '${name}' has more than ${RULES_PER_LIST_MAX} rules`);
  return value.map((item: JsonValue, index) => {
    const where = `${name}[${index}]`;
    if (!isJsonObject(item)) throw new AclError(`ACLs: '${where}' must be an object`);
    const stray = Object.keys(item).find((key) => key !== 'principals' && key !== list.field);
    if (stray !== undefined)
      throw new AclError(
        `ACLs: '${where}' has '${stray}', expecting 'principals' and '${list.field}'`,
      );
    return {
      subjects: parseEntity(`${where}.principals`, item['principals'], 'names'),
      objects: parseEntity(`${where}.${list.field}`, item[list.field], list.objects),
    };
  });
}

function parseEntity(where: string, json: JsonValue | undefined, kind: ObjectKind): Entity {
  if (!isJsonObject(json)) throw new AclError(`ACLs: '${where}' must be an object`);
  const { type = 'SOME', values = [], ...stray } = json;
  const [unknown] = Object.keys(stray);
  if (unknown !== undefined) throw new AclError(`ACLs: '${where}' has an unknown '${unknown}'`);
  if (type !== 'ANY' && type !== 'NONE' && type !== 'SOME')
    throw new AclError(`ACLs: '${where}.type' must be ANY, NONE or SOME`);
  if (!Array.isArray(values) || !values.every((value) => typeof value === 'string'))
    throw new AclError(`ACLs: '${where}.values' must be an array of strings`);
  if (type !== 'SOME') {
    if (values.length > 0)
      throw new AclError(`ACLs: '${where}' is ${type} and so must have no values`);
    return { type };
  }
  if (kind === 'all') throw new AclError(`ACLs: '${where}' must be ANY or NONE`);
  const recursive = kind === 'roles' ? values.filter((value) => value.endsWith(RECURSIVE)) : [];
  return {
    type,
    values: new Set(values.filter((value) => !recursive.includes(value))),
    prefixes: recursive.map((value) => value.slice(0, -1)),
  };
}
