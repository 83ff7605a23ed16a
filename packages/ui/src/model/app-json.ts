/**
 * The one document that form and JSON editor share. Form fields are lenses on the JSON: reading
 * tolerates any shape, writing changes its own member only, so that unknown members survive and keep
 * their place. Source of the fields and defaults: Marathon reference §2.
 */
import { isJsonObject } from '@dcos/base';
import type { JsonObject, JsonValue } from '@dcos/base';

export type JsonPath = readonly (string | number)[];

/** The value at the path, or undefined where the document has another shape. */
export function getIn(document: JsonValue | undefined, path: JsonPath): JsonValue | undefined {
  let value: JsonValue | undefined = document;
  for (const key of path) {
    if (typeof key === 'number')
      value = Array.isArray(value) ? (value as readonly JsonValue[])[key] : undefined;
    else value = isJsonObject(value) ? value[key] : undefined;
  }
  return value;
}

/**
 * A copy with the value at the path replaced; undefined removes the member. Containers that are
 * missing are made, containers that become empty by a removal are removed too, except the root.
 */
export function setIn(
  document: JsonObject,
  path: JsonPath,
  value: JsonValue | undefined,
): JsonObject {
  const result = replace(document, path, value);
  return isJsonObject(result) ? result : {};
}

function replace(
  current: JsonValue | undefined,
  path: JsonPath,
  value: JsonValue | undefined,
): JsonValue | undefined {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (typeof key === 'number') {
    const items: JsonValue[] = Array.isArray(current) ? [...(current as readonly JsonValue[])] : [];
    const next = replace(items[key], rest, value);
    if (next === undefined) items.splice(key, 1);
    else items[key] = next;
    return items;
  }
  const members: Record<string, JsonValue | undefined> = isJsonObject(current)
    ? { ...current }
    : {};
  const before = members[key];
  const next = replace(before, rest, value);
  const emptied = rest.length > 0 && value === undefined && isJsonObject(next) && isEmpty(next);
  if (next === undefined || emptied) delete members[key];
  else members[key] = next;
  return members;
}

function isEmpty(value: JsonObject): boolean {
  return Object.keys(value).length === 0;
}

export function textAt(document: JsonObject, path: JsonPath): string {
  const value = getIn(document, path);
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}

export function numberAt(document: JsonObject, path: JsonPath): number | undefined {
  const value = getIn(document, path);
  return typeof value === 'number' ? value : undefined;
}

export function booleanAt(document: JsonObject, path: JsonPath): boolean {
  return getIn(document, path) === true;
}

export function listAt(document: JsonObject, path: JsonPath): readonly JsonValue[] {
  const value = getIn(document, path);
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [];
}

/** The object at the path, empty where there is none. */
export function objectAt(document: JsonObject, path: JsonPath): JsonObject {
  const value = getIn(document, path);
  return isJsonObject(value) ? value : {};
}

/** A name with a value: one row of environment or labels. */
export interface MapRow {
  readonly name: string;
  readonly value: JsonValue;
}

export function rowsAt(document: JsonObject, path: JsonPath): readonly MapRow[] {
  const value = getIn(document, path);
  if (!isJsonObject(value)) return [];
  return Object.entries(value).map(([name, entry]) => ({ name, value: entry ?? null }));
}

/** Rows as an object; rows without a name are left out, the last of two equal names wins. */
export function objectOfRows(rows: readonly MapRow[]): JsonObject | undefined {
  const named = rows.filter((row) => row.name !== '');
  if (named.length === 0) return undefined;
  return Object.fromEntries(named.map((row) => [row.name, row.value]));
}

export type ParsedJson =
  | { readonly ok: true; readonly value: JsonObject }
  | { readonly ok: false; readonly message: string };

/** Parses the editor's text; only an object is a definition. */
export function parseDefinition(text: string): ParsedJson {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
  if (!isJsonObject(value)) return { ok: false, message: 'An app definition is a JSON object.' };
  return { ok: true, value };
}

export function formatDefinition(definition: JsonObject): string {
  return JSON.stringify(definition, undefined, 2);
}

/** True when two documents have the same content in the same order. */
export function sameDocument(left: JsonValue | undefined, right: JsonValue | undefined): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

/** Members that the server adds to an app and refuses or ignores in a definition. */
const READ_ONLY_MEMBERS: readonly string[] = [
  'version',
  'versionInfo',
  'tasksStaged',
  'tasksRunning',
  'tasksHealthy',
  'tasksUnhealthy',
  'deployments',
  'readinessCheckResults',
  'tasks',
  'lastTaskFailure',
  'taskStats',
  'tasksStats',
  'uris',
  'ports',
  'fetchErrors',
];

/** The definition behind an app that was read: without the members that only answers have. */
export function editableDefinition(app: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(app).filter(
      ([name, value]) => !READ_ONLY_MEMBERS.includes(name) && value !== undefined && value !== null,
    ),
  );
}

/** What the form starts with. `group` is where the service is to live. */
export function newDefinition(group: string): JsonObject {
  return {
    id: group === '/' ? '/' : `${group}/`,
    cmd: '',
    cpus: 0.1,
    mem: 128,
    instances: 1,
  };
}

/** Members that are empty texts are left out of what is sent, as an untouched form field means nothing. */
export function submittableDefinition(definition: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(definition).filter(([name, value]) => !(name === 'cmd' && value === '')),
  );
}

export type NetworkMode = 'host' | 'bridge' | 'container';

/** Network mode of a definition of either notation (`networks` or `container.docker.network`). */
export function networkModeOf(definition: JsonObject): NetworkMode {
  const mode = getIn(definition, ['networks', 0, 'mode']);
  if (mode === 'container/bridge') return 'bridge';
  if (mode === 'container') return 'container';
  const legacy = textAt(definition, ['container', 'docker', 'network']).toUpperCase();
  if (legacy === 'BRIDGE') return 'bridge';
  if (legacy === 'USER') return 'container';
  return 'host';
}

/** Where the ports of the definition stand, depending on network mode and notation. */
export function portsPath(definition: JsonObject): JsonPath {
  if (networkModeOf(definition) === 'host') return ['portDefinitions'];
  if (getIn(definition, ['container', 'docker', 'portMappings']) !== undefined) {
    return ['container', 'docker', 'portMappings'];
  }
  return ['container', 'portMappings'];
}

/** Changes the network mode and moves the ports to the place where that mode has them. */
export function withNetworkMode(definition: JsonObject, mode: NetworkMode): JsonObject {
  const oldPath = portsPath(definition);
  const ports = listAt(definition, oldPath);
  let next = setIn(definition, oldPath, undefined);
  next = setIn(next, ['container', 'docker', 'network'], undefined);
  const name = getIn(definition, ['networks', 0, 'name']);
  const network: JsonObject =
    mode === 'container'
      ? { mode: 'container', ...(name === undefined ? {} : { name }) }
      : { mode: mode === 'bridge' ? 'container/bridge' : 'host' };
  next = setIn(next, ['networks'], [network]);
  if (ports.length === 0) return next;
  const moved = ports.map((port) => (isJsonObject(port) ? movePort(port, mode) : port));
  return setIn(next, portsPath(next), moved);
}

function movePort(port: JsonObject, mode: NetworkMode): JsonObject {
  const { port: hostNumber, containerPort, ...rest } = port;
  if (mode === 'host') {
    const { hostPort: _hostPort, servicePort: _servicePort, ...kept } = rest;
    return { port: hostNumber ?? 0, ...kept };
  }
  const mapped = { containerPort: containerPort ?? hostNumber ?? 0, ...rest };
  return mode === 'bridge' && !('hostPort' in mapped) ? { ...mapped, hostPort: 0 } : mapped;
}
