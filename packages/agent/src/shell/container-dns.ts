/** Name servers of containers by network, as the operator's setting says in the original's JSON. */

import { errorText, OperationError } from '@dcos/base';
import type { DnsDefault } from '@dcos/containers';
import { textOfSetting } from '@dcos/telemetry';
import { containerDnsSchema, type AgentConfig } from '../config.ts';

/** Those of the runtime `oci` (`mesos`) and of the Docker engine. */
export interface ContainerDns {
  readonly mesos: readonly DnsDefault[];
  readonly docker: readonly DnsDefault[];
}

/** Reads the setting, or the file that it names. Throws CONFIG_INVALID. */
export function containerDnsOf(setting: AgentConfig['defaultContainerDns']): ContainerDns {
  if (setting === undefined) return { mesos: [], docker: [] };
  try {
    const json: unknown =
      typeof setting === 'string' ? JSON.parse(textOfSetting('CONFIG_INVALID', setting)) : setting;
    const { mesos, docker } = containerDnsSchema.parse(json);
    return { mesos: defaultsOf(mesos), docker: defaultsOf(docker) };
  } catch (error) {
    throw new OperationError('CONFIG_INVALID', `defaultContainerDns: ${errorText(error)}`);
  }
}

interface Entry {
  readonly network_mode: DnsDefault['mode'];
  readonly network_name?: string | undefined;
  readonly dns: DnsDefault['dns'];
}

function defaultsOf(entries: readonly Entry[]): readonly DnsDefault[] {
  const keys = new Set<string>();
  return entries.map(({ network_mode: mode, network_name: network, dns }) => {
    const key = `${mode}${network === undefined ? '' : ` ${network}`}`;
    if (keys.has(key)) throw new Error(`there are several entries for ${key}`);
    keys.add(key);
    return { mode, network, dns };
  });
}
