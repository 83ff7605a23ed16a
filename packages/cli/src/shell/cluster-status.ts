/**
 * Whether clusters answer, and with which version.
 */

import { isJsonObject } from '@dcos/base';
import type { JsonObject } from '@dcos/base';
import { configValue } from '../core/config-document.ts';
import { textField } from '../core/json-field.ts';
import type { StoredCluster } from './data-directory.ts';
import { HttpClient } from './http-client.ts';
import { transportSecurity } from './session.ts';
import type { Terminal } from './terminal.ts';

export interface ClusterStatus {
  readonly cluster: StoredCluster;
  readonly status: 'AVAILABLE' | 'UNAVAILABLE';
  readonly version: string;
}

/** How long a cluster may take to say that it is there. */
export const probeTimeoutMs = 3000;

/** Asks all clusters at once; one that does not answer is a result, not an error. */
export async function probeClusters(
  terminal: Terminal,
  clusters: readonly StoredCluster[],
): Promise<readonly ClusterStatus[]> {
  return Promise.all(
    clusters.map(async (cluster): Promise<ClusterStatus> => {
      const metadata = await probeVersion(terminal, cluster);
      return metadata === undefined
        ? { cluster, status: 'UNAVAILABLE', version: 'UNKNOWN' }
        : { cluster, status: 'AVAILABLE', version: textField(metadata, 'version') ?? 'UNKNOWN' };
    }),
  );
}

/** The version document of a cluster, undefined when it cannot be had in time. */
export async function probeVersion(
  terminal: Terminal,
  cluster: StoredCluster,
): Promise<JsonObject | undefined> {
  const token = configValue(cluster.config, 'core.dcos_acs_token');
  const url = `${cluster.url.replace(/\/+$/, '')}/dcos-metadata/dcos-version.json`;
  try {
    const client = new HttpClient({
      token: typeof token === 'string' ? token : '',
      timeoutMs: probeTimeoutMs,
      security: await transportSecurity(cluster.config, terminal),
      environment: terminal.environment,
    });
    const document = await client.json(url);
    return isJsonObject(document) ? document : undefined;
  } catch (error) {
    // Not reachable is what was to be found out; the reason shows when the cluster is used.
    if (error instanceof Error) return undefined;
    throw error;
  }
}
