/** Reads a configuration: text to document to what the rest of the installer works with, or all its faults. */

import { err, ok, type Result } from '@dcos/base';
import { parseDocument } from 'yaml';
import type { ClusterSettings } from '../core/cluster.ts';
import { crossChecks } from './cross-checks.ts';
import { faultsOf, type Fault } from './faults.ts';
import { namedFileFaults } from './named-files.ts';
import {
  clusterSchema,
  dockerDefaults,
  speaksTls,
  type ClusterDocument,
  type DockerDocument,
} from './schema.ts';

export interface Configuration {
  readonly provider: ClusterDocument['provider'];
  readonly docker: DockerDocument;
  readonly settings: ClusterSettings;
  /** As it was given, with defaults: what is kept of it. */
  readonly document: ClusterDocument;
}

const GROUPS = ['docker', 'ssh', 'hosts', 'aws'];
/** Bytes of a configuration file. */
const TEXT_LENGTH_MAX = 1024 * 1024;
/** What a container that is one of many on a machine offers: found out, each would offer the whole machine. */
const DOCKER_RESOURCES = 'cpus:4;mem:4096;disk:8192';

/** Ports as in the original: private agents leave out those of the cluster's own programs. */
const PRIVATE_PORTS = '[1025-2180,2182-3887,3889-5049,5052-8079,8082-8180,8182-32000]';
const PUBLIC_PORTS = '[1-21,23-5050,5052-32000]';

/** @param exists whether a file that the configuration names is there; not asked where nobody can say. */
export function parseConfiguration(
  text: string,
  exists: (path: string) => boolean = () => true,
): Result<Configuration, readonly Fault[]> {
  if (text.length > TEXT_LENGTH_MAX)
    return err([
      { key: '', reason: 'the file is larger than 1 MiB', remedy: 'is it the right one?' },
    ]);
  const yaml = parseDocument(text, { prettyErrors: true });
  if (yaml.errors.length > 0) {
    return err(
      yaml.errors.map(({ message }) => ({
        key: '',
        reason: `it is no YAML: ${message.split('\n')[0] ?? ''}`,
        remedy: 'mend that line',
      })),
    );
  }
  const document: unknown = yaml.toJS({ maxAliasCount: 100 }) ?? {};
  const read = readDocument(document);
  const faults = [...(read.ok ? [] : read.error), ...namedFileFaults(document, exists)];
  return faults.length === 0 ? read : err(faults);
}

/** Reads a document that has been parsed already. */
export function readDocument(document: unknown): Result<Configuration, readonly Fault[]> {
  const parsed = clusterSchema.safeParse(document, { reportInput: true });
  const isGroup = typeof document === 'object' && document !== null && !Array.isArray(document);
  const between = isGroup ? crossChecks(document as Readonly<Record<string, unknown>>) : [];
  const single = parsed.success ? [] : faultsOf(parsed.error, keysAt);
  // What is wrong within a group does not matter where the whole group is.
  const isWithin = ({ key }: Fault): boolean =>
    between.some((fault) => key.startsWith(`${fault.key}.`) && GROUPS.includes(fault.key));
  const faults = [...single.filter((fault) => !isWithin(fault)), ...between];
  if (!parsed.success || faults.length > 0) return err(faults);
  const { data } = parsed;
  return ok({
    provider: data.provider,
    docker: data.docker ?? dockerDefaults(),
    settings: settingsOf(data),
    document: data,
  });
}

function settingsOf(data: ClusterDocument): ClusterSettings {
  const found = data.provider === 'docker' ? `${DOCKER_RESOURCES};` : '';
  return {
    name: data.name,
    resolvers: data.resolvers,
    dnsTtlSeconds: data.dnsTtlSeconds,
    zooKeeperSessionTimeoutMs: data.zooKeeperSessionTimeoutMs,
    privateAgentResources: data.privateAgentResources ?? `${found}ports:${PRIVATE_PORTS}`,
    tls: speaksTls(data),
    publicAgentResources: data.publicAgentResources ?? `${found}ports:${PUBLIC_PORTS}`,
  };
}

/** The keys that the schema has at a place. */
function keysAt(path: readonly PropertyKey[]): readonly string[] {
  const [first] = path;
  if (first === undefined) return Object.keys(clusterSchema.shape);
  const group = clusterSchema.shape[first as keyof typeof clusterSchema.shape];
  const inner = 'unwrap' in group ? group.unwrap() : group;
  return typeof inner === 'object' && 'shape' in inner ? Object.keys(inner.shape) : [];
}
