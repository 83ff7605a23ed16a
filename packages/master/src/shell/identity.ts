/**
 * What this build calls itself, and what a master tells of itself.
 */

import { errorText, OperationError, type JsonValue } from '@dcos/base';
import { textOfSetting } from '@dcos/telemetry';
import { DomainInfoType, fromJson, type DomainInfo, type MasterInfo } from '@dcos/wire';
import { masterPid } from '../core/names.ts';
import type { BuildInfo, MasterIdentity } from '../views/v0-state.ts';

/** The version of the original whose interfaces are spoken: clients compare it to know what they may use. */
export const BUILD: BuildInfo = {
  version: '1.12.0',
  build_date: '2026-11-20 00:00:00 UTC',
  build_time: 1_795_132_800,
  build_user: 'dcos',
};

/** An IPv4 address in network byte order, read as a little-endian number: what old clients expect. */
function addressNumber(ip: string): number {
  return ip.split('.').reduceRight((sum, part) => sum * 256 + Number(part), 0);
}

/** What frameworks and agents are told of the master. */
export function masterInfoOf({
  id,
  ip,
  port,
  hostname,
  build,
  domain,
}: Omit<MasterIdentity, 'electedTime'>): MasterInfo {
  return {
    id,
    ip: addressNumber(ip),
    port,
    pid: masterPid(ip, port),
    hostname,
    version: build.version,
    address: { hostname, ip, port },
    ...(domain !== undefined && { domain }),
    capabilities: [{ type: 'AGENT_UPDATE' }, { type: 'AGENT_DRAINING' }, { type: 'QUOTA_V2' }],
  };
}

/** The fault domain of a setting. Throws `DOMAIN_*`. */
export function domainOf(setting: string): DomainInfo {
  const text = textOfSetting('DOMAIN_UNREADABLE', setting);
  try {
    const domain = fromJson(DomainInfoType, JSON.parse(text) as JsonValue);
    if (domain.fault_domain === undefined) throw new Error("it has no 'fault_domain'");
    return domain;
  } catch (error) {
    throw new OperationError('DOMAIN_INVALID', `the domain is not valid: ${errorText(error)}`, {
      cause: error,
    });
  }
}
