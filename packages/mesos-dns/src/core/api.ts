/**
 * The JSON documents of the HTTP interface, made from the zone.
 * Source: observed behaviour of Mesos-DNS, its empty-string answer for unknown names included.
 */

import type { JsonValue } from '@dcos/base';
import type { Cluster } from './cluster.ts';
import type { Zone, ZoneName } from './zone.ts';

function lookUp(
  zone: Zone,
  name: string,
): { readonly name: string; readonly held: ZoneName | undefined } {
  const bare = name.toLowerCase().replace(/\.$/, '');
  return { name: bare, held: zone.get(bare) };
}

/** `/v1/hosts/{name}`: addresses, IPv4 before IPv6. */
export function hostsDocument(zone: Zone, asked: string): JsonValue {
  const { name, held } = lookUp(zone, asked);
  const hosts = [...(held?.A ?? []), ...(held?.AAAA ?? [])].map((ip) => ({ host: `${name}.`, ip }));
  return hosts.length === 0 ? [{ host: '', ip: '' }] : hosts;
}

/** `/v1/services/{name}`: one entry per target and address. */
export function servicesDocument(zone: Zone, asked: string): JsonValue {
  const { held } = lookUp(zone, asked);
  const services = (held?.SRV ?? []).flatMap(({ target, port }) => {
    const addresses = zone.get(target);
    const ips = [addresses?.A[0], addresses?.AAAA[0]].filter((ip) => ip !== undefined);
    const base = { service: asked, host: `${target}.`, port: String(port) };
    return (ips.length === 0 ? [''] : ips).map((ip) => ({ ...base, ip }));
  });
  return services.length === 0 ? [{ service: '', host: '', ip: '', port: '' }] : services;
}

/** `/v1/enumerate`: frameworks, their running tasks, and the records of each, every record once. */
export function enumerateDocument(cluster: Cluster): JsonValue {
  const seen = new Set<string>();
  const frameworks = [...cluster.listing()].map(({ framework, tasks }) => ({
    name: framework,
    tasks: tasks.map(({ name, id, records }) => ({
      name,
      id,
      records: records.flatMap((record) => {
        const key = `${record.type} ${record.name} ${record.value}`;
        if (seen.has(key)) return [];
        seen.add(key);
        return [
          {
            name: `${record.name}.`,
            host: hostText(record.type, record.value),
            rtype: record.type,
          },
        ];
      }),
    })),
  }));
  return { frameworks };
}

function hostText(type: string, value: string): string {
  if (type !== 'SRV') return value;
  const colon = value.lastIndexOf(':');
  return `${value.slice(0, colon)}.${value.slice(colon)}`;
}

export interface TransferHead {
  readonly ttlSeconds: number;
  readonly serial: number;
  readonly refreshSeconds: number;
  readonly mname: string;
  readonly rname: string;
  readonly domain: string;
}

/** `/v1/axfr`: the whole zone. */
export function transferDocument(zone: Zone, head: TransferHead): JsonValue {
  const As: Record<string, JsonValue> = {};
  const AAAAs: Record<string, JsonValue> = {};
  const SRVs: Record<string, JsonValue> = {};
  for (const [name, held] of zone.entries()) {
    if (held.A.length > 0) As[`${name}.`] = [...held.A];
    if (held.AAAA.length > 0) AAAAs[`${name}.`] = [...held.AAAA];
    if (held.SRV.length > 0)
      SRVs[`${name}.`] = held.SRV.map(({ target, port }) => `${target}.:${port}`);
  }
  return {
    TTL: head.ttlSeconds,
    Serial: head.serial,
    RefreshSeconds: head.refreshSeconds,
    Mname: `${head.mname}.`,
    Rname: `${head.rname}.`,
    Domain: head.domain,
    Records: { As, AAAAs, SRVs },
  };
}
