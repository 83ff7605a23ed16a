/**
 * Which records a task, an agent, a framework and the masters have: the grammar of the zone.
 * Source: observed behaviour of Mesos-DNS. Differing from it: labels always fit (see `mangle.ts`), and
 * the second set for an unmangled discovery name is published in lower case, where it can be asked for.
 */

import { unreachable } from '@dcos/base';
import type { DiscoveryInfo, Resource, TaskStatus } from '@dcos/wire';
import { ipFamily } from './address.ts';
import {
  agentTail,
  LABEL_BYTES_MAX,
  RFC1123,
  RFC952,
  serviceLabel,
  taskHash,
  toDomainFragment,
  toLabel,
  withSuffix,
  type LabelRules,
} from './mangle.ts';
import type { ZoneRecord } from './zone.ts';

/** Where a task's addresses may come from; the first that yields any wins. */
export type IpSource = 'host' | 'netinfo' | 'mesos' | 'docker';

export interface NamingOptions {
  /** The zone, in lower case, without a final dot. */
  readonly domain: string;
  readonly ipSources: readonly IpSource[];
  readonly enforceRfc952: boolean;
  /** SHA-1 of a text; a port, since cores have no cryptography. */
  readonly sha1: (text: string) => Uint8Array;
}

/** Ports of one task that get SRV records; a task with more keeps the first. */
export const TASK_PORTS_MAX = 1_000;

/** What of a task its records depend on. */
export interface NamedTask {
  readonly taskId: string;
  readonly name: string;
  readonly agentId: string;
  readonly discovery: DiscoveryInfo | undefined;
  readonly resources: readonly Resource[];
  /** The newest status with TASK_RUNNING. */
  readonly running: TaskStatus | undefined;
}

export function labelRules(options: NamingOptions): LabelRules {
  return options.enforceRfc952 ? RFC952 : RFC1123;
}

/** The records of a running task. */
export function taskRecords(
  task: NamedTask,
  place: { readonly frameworkName: string; readonly agentIps: readonly string[] },
  options: NamingOptions,
): readonly ZoneRecord[] {
  const rules = labelRules(options);
  const framework = toDomainFragment(place.frameworkName, rules);
  if (framework === '') return [];
  const discoveryName = task.discovery?.name ?? '';
  const label = toLabel(discoveryName === '' ? task.name : discoveryName, rules);
  const labels = new Set(label === '' ? [] : [label]);
  if (discoveryName !== '' && isPublishable(discoveryName)) labels.add(discoveryName.toLowerCase());
  const suffix = `-${taskHash(options.sha1(task.taskId))}-${agentTail(task.agentId)}`;
  const addresses = {
    task: taskIps(task, place.agentIps, options.ipSources),
    agent: place.agentIps,
  };
  const records: ZoneRecord[] = [];
  for (const each of labels) {
    const names = nameSet(each, framework, options.domain, suffix);
    pushAddresses(records, [names.plain, names.canonical], addresses.task);
    pushAddresses(records, [names.onAgent, names.canonicalOnAgent], addresses.agent);
    pushServices(records, names, task, rules);
  }
  return records;
}

interface NameSet {
  readonly plain: string;
  readonly canonical: string;
  readonly onAgent: string;
  readonly canonicalOnAgent: string;
  /** Label with its underscore, and what comes after the protocol. */
  readonly service: string;
  readonly zone: string;
  readonly agentZone: string;
}

function nameSet(label: string, framework: string, domain: string, suffix: string): NameSet {
  const zone = `${framework}.${domain}`;
  const agentZone = `${framework}.slave.${domain}`;
  const dot = label.indexOf('.');
  // An unmangled discovery name may have several labels: hash and agent belong to the last one.
  const head = label.slice(0, label.lastIndexOf('.') + 1);
  const canonical = head + withSuffix(label.slice(head.length), suffix);
  const service = dot === -1 ? serviceLabel(label) : `_${label}`;
  return {
    plain: `${label}.${zone}`,
    canonical: `${canonical}.${zone}`,
    onAgent: `${label}.${agentZone}`,
    canonicalOnAgent: `${canonical}.${agentZone}`,
    service,
    zone,
    agentZone,
  };
}

function pushServices(
  records: ZoneRecord[],
  names: NameSet,
  task: NamedTask,
  rules: LabelRules,
): void {
  const { service, zone, agentZone } = names;
  const hasDiscovery = (task.discovery?.name ?? '') !== '';
  for (const port of portsOf(task.resources)) {
    const value = `${names.canonicalOnAgent}:${port}`;
    for (const protocol of ['_tcp', '_udp']) {
      records.push({ name: `${service}.${protocol}.${agentZone}`, type: 'SRV', value });
      if (!hasDiscovery)
        records.push({ name: `${service}.${protocol}.${zone}`, type: 'SRV', value });
    }
  }
  if (!hasDiscovery) return;
  for (const port of (task.discovery?.ports?.ports ?? []).slice(0, TASK_PORTS_MAX)) {
    const value = `${names.canonical}:${port.number}`;
    const protocol = toLabel(port.protocol ?? '', rules);
    const portLabel = toLabel(port.name ?? '', rules);
    for (const each of protocol === '' ? ['_tcp', '_udp'] : [serviceLabel(protocol)]) {
      const name = `${service}.${each}.${zone}`;
      records.push({ name, type: 'SRV', value });
      if (portLabel !== '') {
        records.push({ name: `${serviceLabel(portLabel)}.${name}`, type: 'SRV', value });
      }
    }
  }
}

/** True for a name that can stand in the zone as it is, except for the case of its letters. */
function isPublishable(name: string): boolean {
  const labels = name.split('.');
  // One byte less than a label, since the service form has an underscore in front.
  return (
    name.length <= 128 &&
    labels.every((label) => {
      return label.length < LABEL_BYTES_MAX && /^[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/i.test(label);
    })
  );
}

function taskIps(
  task: NamedTask,
  agentIps: readonly string[],
  sources: readonly IpSource[],
): readonly string[] {
  for (const source of sources) {
    const found = ipsOfSource(source, task, agentIps).filter((ip) => ipFamily(ip) !== undefined);
    if (found.length > 0) return [...new Set(found)];
  }
  return [];
}

function ipsOfSource(
  source: IpSource,
  task: NamedTask,
  agentIps: readonly string[],
): readonly string[] {
  switch (source) {
    case 'host':
      return agentIps;
    case 'netinfo':
      return (task.running?.container_status?.network_infos ?? []).flatMap((network) =>
        (network.ip_addresses ?? []).flatMap(({ ip_address }) => ip_address ?? []),
      );
    case 'mesos':
      return labelValues(task.running, 'MesosContainerizer.NetworkSettings.IPAddress');
    case 'docker':
      return labelValues(task.running, 'Docker.NetworkSettings.IPAddress');
    default:
      return unreachable(source);
  }
}

function labelValues(status: TaskStatus | undefined, key: string): readonly string[] {
  return (status?.labels?.labels ?? []).flatMap((label) =>
    label.key === key ? (label.value ?? []) : [],
  );
}

/** The ports among a task's resources, one by one, up to the bound. */
export function portsOf(resources: readonly Resource[]): readonly number[] {
  const ports: number[] = [];
  for (const resource of resources) {
    if (resource.name !== 'ports') continue;
    for (const { begin, end } of resource.ranges?.range ?? []) {
      for (let port = begin; port <= end && ports.length < TASK_PORTS_MAX; port++) ports.push(port);
    }
  }
  return ports;
}

/** The records of an agent: its addresses under the name of all agents, and its port. */
export function agentRecords(
  agent: { readonly ips: readonly string[]; readonly port: number | undefined },
  domain: string,
): readonly ZoneRecord[] {
  const records: ZoneRecord[] = [];
  pushAddresses(records, [`slave.${domain}`], agent.ips);
  if (agent.port !== undefined) {
    records.push({
      name: `_slave._tcp.${domain}`,
      type: 'SRV',
      value: `slave.${domain}:${agent.port}`,
    });
  }
  return records;
}

/** The address of a framework's scheduler under the framework's name. */
export function frameworkRecords(
  framework: { readonly name: string; readonly ips: readonly string[] },
  options: NamingOptions,
): readonly ZoneRecord[] {
  const fragment = toDomainFragment(framework.name, labelRules(options));
  if (fragment === '') return [];
  const records: ZoneRecord[] = [];
  pushAddresses(records, [`${fragment}.${options.domain}`], framework.ips);
  return records;
}

export interface MasterAddress {
  readonly ip: string;
  readonly port: number;
}

/** The records of the leader and of all masters that are known. */
export function masterRecords(
  leader: MasterAddress | undefined,
  masters: readonly MasterAddress[],
  domain: string,
): readonly ZoneRecord[] {
  const records: ZoneRecord[] = [];
  if (leader !== undefined) {
    pushAddresses(records, [`leader.${domain}`, `master.${domain}`], [leader.ip]);
    for (const protocol of ['_tcp', '_udp']) {
      const value = `leader.${domain}:${leader.port}`;
      records.push({ name: `_leader.${protocol}.${domain}`, type: 'SRV', value });
    }
  }
  const listed = [...new Set(masters.map(({ ip }) => ip))];
  if (leader !== undefined && !listed.includes(leader.ip)) listed.push(leader.ip);
  for (const [index, ip] of listed.entries()) {
    const names = ip === leader?.ip ? [] : [`master.${domain}`];
    pushAddresses(records, [...names, `master${index}.${domain}`], [ip]);
  }
  return records;
}

function pushAddresses(
  records: ZoneRecord[],
  names: readonly string[],
  ips: readonly string[],
): void {
  records.push(...addressRecords(names, ips));
}

/** One record for each name and each address of either family. */
export function addressRecords(
  names: readonly string[],
  ips: readonly string[],
): readonly ZoneRecord[] {
  return ips.flatMap((ip) => {
    const family = ipFamily(ip);
    if (family === undefined) return [];
    return names.map((name) => ({ name, type: family === 4 ? 'A' : 'AAAA', value: ip }) as const);
  });
}
