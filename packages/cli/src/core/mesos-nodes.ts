/**
 * Nodes of the cluster: agents from the master's state documents, masters from the name service.
 */

import { compareText } from '@dcos/base';
import type { JsonObject, JsonValue } from '@dcos/base';
import { notAvailable } from './format.ts';
import {
  booleanField,
  numberField,
  objectField,
  objectsField,
  textField,
  textsField,
  valueAtPath,
} from './json-field.ts';

export interface NodeDocuments {
  readonly state: JsonObject;
  readonly summary: JsonObject;
  /** `/net/v1/nodes`; empty where the cluster has no such service. */
  readonly network: readonly JsonObject[];
  /** Addresses of `master.mesos`. */
  readonly masters: readonly JsonObject[];
}

const counters = [
  'TASK_STAGING',
  'TASK_STARTING',
  'TASK_RUNNING',
  'TASK_KILLING',
  'TASK_FINISHED',
  'TASK_KILLED',
  'TASK_FAILED',
  'TASK_LOST',
  'TASK_ERROR',
  'TASK_UNREACHABLE',
];

const agentFields = [
  'active',
  'attributes',
  'capabilities',
  'domain',
  'hostname',
  'id',
  'pid',
  'port',
  'registered_time',
  'resources',
  'used_resources',
  'offered_resources',
  'reserved_resources',
  'unreserved_resources',
  'version',
];

/** The documents of `node list --json`: agents by hostname and id, then masters. */
export function nodeDocuments(documents: NodeDocuments): readonly JsonObject[] {
  const summaries = new Map(
    objectsField(documents.summary, 'slaves').map(
      (agent) => [textField(agent, 'id') ?? '', agent] as const,
    ),
  );
  const publicIps = new Map(
    documents.network.map(
      (node) => [textField(node, 'private_ip') ?? '', textsField(node, 'public_ips')] as const,
    ),
  );
  const agents = objectsField(documents.state, 'slaves')
    .map((agent) => toAgent(agent, summaries.get(textField(agent, 'id') ?? ''), publicIps))
    .toSorted(byHostnameAndId);
  const masters = documents.masters.map((master) => toMaster(master, documents.state, publicIps));
  return [...agents, ...masters];
}

export const nodeHeadings: readonly string[] = [
  'HOSTNAME',
  'IP',
  'PUBLIC IP(S)',
  'ID',
  'TYPE',
  'STATUS',
  'REGION',
  'ZONE',
];

/** Rows of `node list`, with one more cell for each field asked for by its path. */
export function nodeRows(
  nodes: readonly JsonObject[],
  fields: readonly string[],
): readonly (readonly string[])[] {
  return nodes.map((node) => [
    textField(node, 'hostname') ?? textField(node, 'host') ?? notAvailable,
    textField(node, 'ip') ?? addressOf(textField(node, 'pid')) ?? notAvailable,
    textsField(node, 'public_ips').join(', ') || notAvailable,
    textField(node, 'id') ?? notAvailable,
    textField(node, 'type') ?? '',
    textField(node, 'status') ?? notAvailable,
    textField(node, 'region') ?? notAvailable,
    textField(node, 'zone') ?? notAvailable,
    ...fields.map((field) => toCell(valueAtPath(node, field))),
  ]);
}

/** The IP address in a process id such as `slave(1)@10.0.0.7:5051`. */
export function addressOf(pid: string | undefined): string | undefined {
  const match = /@(.+):\d+$/.exec(pid ?? '');
  return match?.[1]?.replace(/^\[(.*)\]$/, '$1');
}

function toAgent(
  agent: JsonObject,
  summary: JsonObject | undefined,
  publicIps: ReadonlyMap<string, readonly string[]>,
): JsonObject {
  const ip = addressOf(textField(agent, 'pid'));
  const mark = objectField(agent, 'attributes')?.['public_ip'];
  const isPublic = mark === 'true' || mark === true;
  return {
    ...Object.fromEntries(counters.map((name) => [name, numberField(summary, name) ?? 0])),
    ...Object.fromEntries(agentFields.map((name) => [name, agent[name] ?? null])),
    ...place(agent),
    framework_ids: textsField(summary, 'framework_ids'),
    ip: ip ?? null,
    public_ips: publicIps.get(ip ?? '') ?? [],
    type: isPublic ? 'agent (public)' : 'agent',
    status: agentStatus(agent),
  };
}

function agentStatus(agent: JsonObject): string {
  const drain = objectField(agent, 'drain_info');
  const state = textField(drain, 'state');
  if (state === 'DRAINING' || state === 'DRAINED') return state;
  return booleanField(agent, 'deactivated') === true ? 'DEACTIVATED' : 'ACTIVE';
}

function toMaster(
  master: JsonObject,
  state: JsonObject,
  publicIps: ReadonlyMap<string, readonly string[]>,
): JsonObject {
  const ip = textField(master, 'ip') ?? '';
  const leaderIp = addressOf(textField(state, 'leader')) ?? addressOf(textField(state, 'pid'));
  const leads = ip !== '' && (ip === textField(state, 'hostname') || ip === leaderIp);
  const common = {
    host: textField(master, 'host') ?? '',
    ip,
    public_ips: publicIps.get(ip) ?? [],
    type: leads ? 'master (leader)' : 'master (standby)',
  };
  if (!leads) return common;
  return {
    ...common,
    ...place(state),
    id: state['id'] ?? null,
    pid: state['pid'] ?? null,
    version: state['version'] ?? null,
  };
}

function place(document: JsonObject): { readonly region?: string; readonly zone?: string } {
  const fault = objectField(objectField(document, 'domain'), 'fault_domain');
  const region = textField(objectField(fault, 'region'), 'name');
  const zone = textField(objectField(fault, 'zone'), 'name');
  return { ...(region === undefined ? {} : { region }), ...(zone === undefined ? {} : { zone }) };
}

function byHostnameAndId(left: JsonObject, right: JsonObject): number {
  return (
    compareText(textField(left, 'hostname') ?? '', textField(right, 'hostname') ?? '') ||
    compareText(textField(left, 'id') ?? '', textField(right, 'id') ?? '')
  );
}

function toCell(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return notAvailable;
  return typeof value === 'string' ? value : JSON.stringify(value);
}
