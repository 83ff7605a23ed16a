/**
 * The form of the generated message tables, and look-ups in them. Every codec is driven by these
 * tables, so that JSON and protobuf can never disagree about a field.
 */

import { present } from '@dcos/base';
import { schemaTable } from './generated/schema-table.ts';

export interface FieldRow {
  readonly number: number;
  /** The name on the wire, snake_case. */
  readonly name: string;
  readonly kind: 'scalar' | 'message' | 'enum' | 'map';
  readonly label: 'required' | 'optional' | 'repeated' | 'map';
  /** Scalar type, fully qualified message or enum name, or the value type of a map keyed by string. */
  readonly type: string;
  readonly default?: string | number | boolean;
  readonly deprecated?: boolean;
}

export interface SchemaTable {
  readonly messages: { readonly [name: string]: readonly FieldRow[] };
  readonly enums: { readonly [name: string]: { readonly [value: string]: number } };
}

export interface MessageSchema {
  readonly name: string;
  readonly fields: readonly FieldRow[];
  readonly byName: ReadonlyMap<string, FieldRow>;
  readonly byNumber: ReadonlyMap<number, FieldRow>;
}

export interface EnumSchema {
  readonly toNumber: ReadonlyMap<string, number>;
  readonly toName: ReadonlyMap<number, string>;
}

const messages = new Map<string, MessageSchema>();
const enums = new Map<string, EnumSchema>();

/** The fields of a message by its full name; look-ups are cached. */
export function messageSchema(name: string): MessageSchema {
  let schema = messages.get(name);
  if (schema === undefined) {
    const fields = present(schemaTable.messages[name], `message ${name}`);
    schema = {
      name,
      fields,
      byName: new Map(fields.map((field) => [field.name, field])),
      byNumber: new Map(fields.map((field) => [field.number, field])),
    };
    messages.set(name, schema);
  }
  return schema;
}

/** The names and numbers of an enum by its full name; look-ups are cached. */
export function enumSchema(name: string): EnumSchema {
  let schema = enums.get(name);
  if (schema === undefined) {
    const values = Object.entries(present(schemaTable.enums[name], `enum ${name}`));
    schema = {
      toNumber: new Map(values),
      toName: new Map(values.map(([text, number]) => [number, text])),
    };
    enums.set(name, schema);
  }
  return schema;
}

/** True when a map's value type names a message rather than a scalar. */
export function isMessageName(type: string): boolean {
  return type.includes('.');
}
