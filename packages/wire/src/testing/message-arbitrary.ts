/**
 * Random messages of any type, made from the tables that drive the codecs. For tests only.
 */

import fc from 'fast-check';
import type { MessageType } from '../message-type.ts';
import { enumSchema, isMessageName, messageSchema, type FieldRow } from '../schema.ts';

export interface ArbitraryOptions {
  /** Levels below which only required fields are there. */
  readonly depthMax?: number;
  /** Texts beside random ones: ids that exist, say. */
  readonly texts?: readonly string[];
  /** Numbers that JSON cannot carry exactly or at all. */
  readonly oddNumbers?: boolean;
}

/** Messages with every field now and then, all of them valid by the schema. */
export function messageArbitrary<T>(
  type: MessageType<T>,
  options: ArbitraryOptions = {},
): fc.Arbitrary<T> {
  return messageOf(type.name, options.depthMax ?? 4, options) as fc.Arbitrary<T>;
}

type Fields = Record<string, unknown>;

function messageOf(name: string, depth: number, options: ArbitraryOptions): fc.Arbitrary<Fields> {
  const fields = messageSchema(name).fields.filter(
    (field) => depth > 0 || field.label === 'required',
  );
  const arbitraries = fields.map((field) => fieldOf(field, depth, options));
  return fc
    .tuple(...arbitraries)
    .map((values) =>
      Object.fromEntries(
        fields
          .map((field, index) => [field.name, values[index]] as const)
          .filter(([, value]) => value !== undefined),
      ),
    );
}

function fieldOf(field: FieldRow, depth: number, options: ArbitraryOptions): fc.Arbitrary<unknown> {
  const isMessage = field.kind === 'message' || (field.kind === 'map' && isMessageName(field.type));
  // Chosen when it is needed: the tree of all messages is deep.
  const single = isMessage
    ? fc.constant(undefined).chain(() => messageOf(field.type, depth - 1, options))
    : field.kind === 'enum'
      ? fc.constantFrom(...enumSchema(field.type).toNumber.keys())
      : scalarOf(field.type, options);
  if (field.label === 'required') return single;
  const present =
    field.label === 'repeated'
      ? fc.array(single, { minLength: 1, maxLength: 2 })
      : field.label === 'map'
        ? fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), single, {
            minKeys: 1,
            maxKeys: 2,
            noNullPrototype: true,
          })
        : single;
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: present },
  );
}

function scalarOf(
  type: string,
  { texts = [], oddNumbers = false }: ArbitraryOptions,
): fc.Arbitrary<unknown> {
  switch (type) {
    case 'string':
      return texts.length === 0
        ? fc.string({ maxLength: 12 })
        : fc.oneof(fc.constantFrom(...texts), fc.string({ maxLength: 12 }));
    case 'bytes':
      return fc.uint8Array({ maxLength: 16 });
    case 'bool':
      return fc.boolean();
    case 'double':
      return oddNumbers
        ? fc.oneof(fc.double(), fc.integer({ min: -2, max: 70_000 }))
        : fc.double({ noNaN: true, noDefaultInfinity: true });
    case 'int32':
      return fc.integer();
    case 'uint32':
      return fc.integer({ min: 0, max: 2 ** 32 - 1 });
    case 'int64':
      return fc.maxSafeInteger();
    default:
      return fc.maxSafeNat();
  }
}
