/** The master's JSON endpoints and the agents' sandboxes, below the router's `/mesos` and `/agent`. */
import { requestJson } from './http.ts';
import type { MetricsSnapshot, SandboxFile, StateSummary } from './types.ts';

/** Largest part of a file that an agent gives in one answer, in bytes. */
export const FILE_PAGE_BYTES = 65_536;

export async function readStateSummary(signal?: AbortSignal): Promise<StateSummary> {
  return await requestJson('/mesos/state-summary', signal ? { signal } : {});
}

export async function readMetrics(signal?: AbortSignal): Promise<MetricsSnapshot> {
  return await requestJson('/mesos/metrics/snapshot', signal ? { signal } : {});
}

export interface ClusterMetadata {
  readonly CLUSTER_ID?: string;
  readonly PUBLIC_IPV4?: string;
}

export async function readClusterMetadata(signal?: AbortSignal): Promise<ClusterMetadata> {
  return await requestJson('/metadata', signal ? { signal } : {});
}

export interface ProductVersion {
  readonly version?: string;
  readonly 'dcos-image-commit'?: string;
}

export async function readProductVersion(signal?: AbortSignal): Promise<ProductVersion> {
  return await requestJson('/dcos-metadata/dcos-version.json', signal ? { signal } : {});
}

export async function readMesosVersion(
  signal?: AbortSignal,
): Promise<{ readonly version: string }> {
  return await requestJson('/mesos/version', signal ? { signal } : {});
}

interface HealthReport {
  readonly units?: readonly { readonly health: number; readonly output?: string }[];
}

/** What the router finds wrong with the parts of the cluster that it can see, one phrase each. */
export async function readFaults(signal?: AbortSignal): Promise<readonly string[]> {
  const path = '/system/health/v1';
  const report = await requestJson<HealthReport>(path, signal ? { signal } : {});
  const sick = (report.units ?? []).filter(({ health }) => health !== 0);
  return sick.flatMap(({ output = '' }) => (output === '' ? [] : [output]));
}

/** Where a task's sandbox is found: command tasks have an executor of their own, named like the task. */
export interface SandboxAddress {
  readonly agentId: string;
  readonly frameworkId: string;
  readonly executorId: string;
}

/** The agent's virtual path of a sandbox, or of a file in it. */
export function sandboxPath(address: SandboxAddress, file = ''): string {
  const root = `/frameworks/${address.frameworkId}/executors/${address.executorId}/runs/latest`;
  return file === '' ? root : `${root}/${file}`;
}

function filesUrl(agentId: string, operation: string, parameters: Record<string, string>): string {
  return `/agent/${encodeURIComponent(agentId)}/files/${operation}?${new URLSearchParams(parameters).toString()}`;
}

export async function browseFiles(
  agentId: string,
  path: string,
  signal?: AbortSignal,
): Promise<readonly SandboxFile[]> {
  return await requestJson(filesUrl(agentId, 'browse', { path }), signal ? { signal } : {});
}

export interface FilePart {
  readonly data: string;
  readonly offset: number;
}

/** Reads up to a page from `offset` bytes; offset -1 gives the size and no data. */
export async function readFilePart(
  agentId: string,
  path: string,
  offset: number,
  signal?: AbortSignal,
): Promise<FilePart> {
  const parameters: Record<string, string> = { path, offset: String(offset) };
  if (offset >= 0) parameters['length'] = String(FILE_PAGE_BYTES);
  return await requestJson(filesUrl(agentId, 'read', parameters), signal ? { signal } : {});
}

/** The address from which the browser saves the file. */
export function downloadUrl(agentId: string, path: string): string {
  return filesUrl(agentId, 'download', { path });
}
