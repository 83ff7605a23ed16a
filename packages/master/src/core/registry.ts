/**
 * What outlives a master: agents, their fates, frameworks and weights. One key per object, so that no
 * value grows with the cluster. Tasks, offers and filters are not here: agents bring the tasks back.
 *
 * Keys: `master/agents/<id>`, `master/unreachable/<id>`, `master/gone/<id>`, `master/frameworks/<id>`,
 * `master/weights/<role>`, `master/quotas/<role>`, `master/policies/<agent id>`, `master/machines/<key>`,
 * `master/incidents/<number>`;
 * parts are percent-encoded.
 */

import {
  agentId,
  frameworkId,
  isJsonObject,
  unreachable,
  type AgentId,
  type FrameworkId,
  type Instant,
  type JsonObject,
  type JsonValue,
} from '@dcos/base';
import {
  AgentInfoType,
  DrainConfigType,
  FrameworkInfoType,
  fromJson,
  MachineIDType,
  quota,
  toJson,
  UnavailabilityType,
  type AgentInfo,
  type FrameworkInfo,
} from '@dcos/wire';
import type { RegistryEntry, RegistryWrite } from './effects.ts';
import { incidentKey, incidentOf, incidentRecord } from './incident-records.ts';
import type { Incident } from './incidents.ts';
import type { AgentPolicy, Machine } from './state.ts';

export const REGISTRY_PREFIX = 'master/';

/** Characters of one record's JSON; well below what the store takes for a value. */
const RECORD_LENGTH_MAX = 512 * 1024;
/** Characters of an id or a role in its key. */
const KEY_PART_LENGTH_MAX = 900;

/** Says why a text cannot name a record, or undefined. */
export function keyProblem(part: string): string | undefined {
  if (!part.isWellFormed()) return 'it is not well-formed Unicode';
  const { length } = encodeURIComponent(part);
  return length > KEY_PART_LENGTH_MAX
    ? `it has more than ${KEY_PART_LENGTH_MAX} characters when encoded`
    : undefined;
}

/** Says why a record's JSON cannot be kept, or undefined. */
export function sizeProblem(json: string): string | undefined {
  const { length } = json;
  return length > RECORD_LENGTH_MAX
    ? `The description has ${length} characters as JSON, at most ${RECORD_LENGTH_MAX} are allowed`
    : undefined;
}

export type RegistryRecord =
  | { readonly kind: 'agent'; readonly id: AgentId; readonly info: AgentInfo }
  | { readonly kind: 'unreachable'; readonly id: AgentId; readonly since: Instant }
  | { readonly kind: 'gone'; readonly id: AgentId; readonly since: Instant }
  | {
      readonly kind: 'framework';
      readonly id: FrameworkId;
      readonly info: FrameworkInfo;
      readonly registeredAt: Instant;
      /** Set when it was removed; its id may not be used again. */
      readonly completedAt?: Instant;
    }
  | { readonly kind: 'weight'; readonly role: string; readonly weight: number }
  | { readonly kind: 'quota'; readonly role: string; readonly config: quota.QuotaConfig }
  | { readonly kind: 'policy'; readonly id: AgentId; readonly policy: AgentPolicy }
  | { readonly kind: 'machine'; readonly key: string; readonly machine: Machine }
  | { readonly kind: 'incident'; readonly incident: Incident };

function keyOf(kind: string, id: string): string {
  return `${REGISTRY_PREFIX}${kind}/${encodeURIComponent(id)}`;
}

/** Writes a record. */
export function putRecord(record: RegistryRecord): RegistryWrite {
  switch (record.kind) {
    case 'agent':
      return put('agents', record.id, { info: toJson(AgentInfoType, record.info) });
    case 'unreachable':
      return put('unreachable', record.id, { since: record.since });
    case 'gone':
      return put('gone', record.id, { since: record.since });
    case 'framework':
      return put('frameworks', record.id, {
        info: toJson(FrameworkInfoType, record.info),
        registered_at: record.registeredAt,
        ...(record.completedAt !== undefined && { completed_at: record.completedAt }),
      });
    case 'weight':
      return put('weights', record.role, { weight: record.weight });
    case 'quota':
      return put('quotas', record.role, toJson(quota.QuotaConfigType, record.config));
    case 'policy':
      return put('policies', record.id, policyJson(record.policy));
    case 'machine':
      return put('machines', record.key, machineJson(record.machine));
    case 'incident':
      return put('incidents', incidentKey(record.incident.number), incidentRecord(record.incident));
    default:
      return unreachable(record);
  }
}

function put(kind: string, id: string, value: JsonValue): RegistryWrite {
  return { kind: 'put', key: keyOf(kind, id), value };
}

/** Deletes a record. */
export function deleteRecord(
  kind:
    | 'agents'
    | 'unreachable'
    | 'gone'
    | 'frameworks'
    | 'quotas'
    | 'policies'
    | 'machines'
    | 'incidents',
  id: string,
): RegistryWrite {
  return { kind: 'delete', key: keyOf(kind, id) };
}

/** Reads an entry; undefined for a key of another kind, and for an incident that cannot be read. Throws for a value that this version cannot read. */
export function readRecord(entry: RegistryEntry): RegistryRecord | undefined {
  const [kind = '', encoded = ''] = entry.key.slice(REGISTRY_PREFIX.length).split('/');
  const id = decodeURIComponent(encoded);
  if (!isJsonObject(entry.value)) throw new Error(`${entry.key} is not an object`);
  const { value } = entry;
  switch (kind) {
    case 'agents':
      return { kind: 'agent', id: agentId(id), info: fromJson(AgentInfoType, value['info']) };
    case 'unreachable':
    case 'gone':
      return { kind, id: agentId(id), since: numberOf(value, 'since', entry.key) };
    case 'frameworks':
      return {
        kind: 'framework',
        id: frameworkId(id),
        info: fromJson(FrameworkInfoType, value['info']),
        registeredAt: numberOf(value, 'registered_at', entry.key),
        ...(value['completed_at'] !== undefined && {
          completedAt: numberOf(value, 'completed_at', entry.key),
        }),
      };
    case 'weights':
      return { kind: 'weight', role: id, weight: numberOf(value, 'weight', entry.key) };
    case 'quotas':
      return { kind: 'quota', role: id, config: fromJson(quota.QuotaConfigType, value) };
    case 'policies':
      return { kind: 'policy', id: agentId(id), policy: policyOf(value, entry.key) };
    case 'machines':
      return { kind: 'machine', key: id, machine: machineOfJson(value, entry.key) };
    case 'incidents': {
      const incident = incidentOf(id, value);
      return incident && { kind: 'incident', incident };
    }
    default:
      return undefined;
  }
}

function policyJson({ drain }: AgentPolicy): JsonObject {
  if (drain === undefined) return {};
  const { state, config, startedAt } = drain;
  return { drain: { state, config: toJson(DrainConfigType, config), started_at: startedAt } };
}

function policyOf(value: JsonObject, key: string): AgentPolicy {
  const drain = value['drain'];
  if (!isJsonObject(drain)) return {};
  return {
    drain: {
      state: drain['state'] === 'DRAINED' ? 'DRAINED' : 'DRAINING',
      config: fromJson(DrainConfigType, drain['config']),
      startedAt: numberOf(drain, 'started_at', key),
    },
  };
}

function machineJson({ id, mode, unavailability, window }: Machine): JsonObject {
  return {
    id: toJson(MachineIDType, id),
    mode,
    unavailability: toJson(UnavailabilityType, unavailability),
    window,
  };
}

function machineOfJson(value: JsonObject, key: string): Machine {
  return {
    id: fromJson(MachineIDType, value['id']),
    mode: value['mode'] === 'DOWN' ? 'DOWN' : 'DRAINING',
    unavailability: fromJson(UnavailabilityType, value['unavailability']),
    window: numberOf(value, 'window', key),
  };
}

function numberOf(value: JsonObject, name: string, key: string): number {
  const number = value[name];
  if (typeof number !== 'number') throw new Error(`${key} has no number '${name}'`);
  return number;
}
