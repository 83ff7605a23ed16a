/**
 * The schema for another library, protobufjs, made from the tables themselves rather than from what our
 * codecs are generated into. For tests only.
 */

import { readFileSync } from 'node:fs';
import protobufjs from 'protobufjs';

interface SchemaField {
  readonly name: string;
  readonly number: number;
  readonly type: string;
  readonly label: 'required' | 'optional' | 'repeated' | 'map';
  readonly kind: string;
  readonly resolved?: string;
}

interface SchemaFile {
  readonly packages: Readonly<
    Record<
      string,
      {
        readonly messages: readonly {
          readonly name: string;
          readonly fields: readonly SchemaField[];
        }[];
        readonly enums: readonly {
          readonly name: string;
          readonly values: Record<string, number>;
        }[];
      }
    >
  >;
}

interface Namespace {
  nested?: Record<string, Namespace>;
  fields?: Record<string, object>;
  values?: Record<string, number>;
}

/** The node of a dotted name, made when it is not there. */
function nodeOf(root: Namespace, name: string): Namespace {
  let node = root;
  for (const part of name.split('.')) {
    node.nested ??= {};
    node = node.nested[part] ??= {};
  }
  return node;
}

function fieldOf({ number: id, type, label, resolved }: SchemaField): object {
  // A leading dot: the name is complete.
  const full = resolved ?? type;
  if (label === 'map') {
    const value = /^map<string,(.*)>$/.exec(full)?.[1] ?? '';
    return { id, keyType: 'string', type: value.includes('.') ? `.${value}` : value };
  }
  const rule = label === 'optional' ? {} : { rule: label };
  return { id, type: resolved === undefined ? type : `.${resolved}`, ...rule };
}

/** The types of both schema files. */
export function loadRoot(): protobufjs.Root {
  const root: Namespace = {};
  for (const file of ['mesos-v1', 'dcos-agent']) {
    const url = new URL(`../../schema/${file}.json`, import.meta.url);
    const { packages } = JSON.parse(readFileSync(url, 'utf8')) as SchemaFile;
    for (const [name, { messages, enums }] of Object.entries(packages)) {
      for (const message of messages) {
        nodeOf(root, `${name}.${message.name}`).fields = Object.fromEntries(
          message.fields.map((field) => [field.name, fieldOf(field)]),
        );
      }
      for (const { name: own, values } of enums) nodeOf(root, `${name}.${own}`).values = values;
    }
  }
  return protobufjs.Root.fromJSON(root);
}
