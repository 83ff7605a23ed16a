/**
 * What this host has to offer: what the operator says, as text or in a file, and for the rest what is found.
 * A name that the operator gives, even with nothing of it, is not looked for. Source: mesos-kernel §6.11.
 */

import { statfs } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { OperationError, type Result } from '@dcos/base';
import { parseAttributes, parseResources, Resources } from '@dcos/resources';
import { readSetting } from '@dcos/telemetry';
import type { Attribute, Resource } from '@dcos/wire';

const MEGABYTE = 1024 * 1024;
/** What is left to the host itself, in MB: 1 GB of memory and 5 GB of disk, or half where there is little. */
const MEMORY_RESERVE = 1024;
const DISK_RESERVE = 5 * 1024;
const DEFAULT_PORTS = { begin: 31_000, end: 32_000 };

/** What can be found of a host. */
export interface HostFacts {
  readonly cpus: () => number;
  readonly memoryBytes: () => number;
  /** Size of the file system that has this path. */
  readonly diskBytes: (path: string) => Promise<number>;
}

export interface HostResourcesOptions {
  /** The operator's text or JSON, or the file that has it, as `/path` or `file:///path`. */
  readonly setting: string;
  readonly defaultRole: string;
  readonly workDir: string;
  /** GPUs that were found. */
  readonly gpus: number;
  /** The machine itself unless a test says otherwise. */
  readonly host?: HostFacts;
}

const MACHINE: HostFacts = {
  cpus: availableParallelism,
  memoryBytes: totalmem,
  async diskBytes(path) {
    const { blocks, bsize } = await statfs(path);
    return blocks * bsize;
  },
};

/** Reads the operator's resources and adds what they do not name. Throws CONFIG_INVALID. */
export async function hostResources({
  setting,
  defaultRole,
  workDir,
  gpus,
  host = MACHINE,
}: HostResourcesOptions): Promise<readonly Resource[]> {
  const text = /^\s*(\/|file:\/\/)/.test(setting)
    ? readSetting('CONFIG_INVALID', setting.trim())
    : setting;
  const given = parsed(parseResources(text, defaultRole), 'resources');
  const named = new Set(given.map((resource) => resource.name));
  const found: string[] = [];
  if (!named.has('cpus')) found.push(`cpus:${host.cpus()}`);
  if (!named.has('mem')) found.push(`mem:${lessReserve(host.memoryBytes(), MEMORY_RESERVE)}`);
  if (!named.has('disk'))
    found.push(`disk:${lessReserve(await host.diskBytes(workDir), DISK_RESERVE)}`);
  if (!named.has('ports')) found.push(`ports:[${DEFAULT_PORTS.begin}-${DEFAULT_PORTS.end}]`);
  if (!named.has('gpus') && gpus > 0) found.push(`gpus:${gpus}`);
  const detected = parsed(parseResources(found.join(';'), defaultRole), 'detected resources');
  return Resources.fromWire([...given, ...detected]).toWire();
}

/** Reads the operator's attributes, or those in the file `file:///path`. Throws CONFIG_INVALID. */
export function hostAttributes(setting: string): readonly Attribute[] {
  const text = setting.startsWith('file://') ? readSetting('CONFIG_INVALID', setting) : setting;
  return parsed(parseAttributes(text.trim()), 'attributes');
}

/** In MB, of bytes and a reserve in MB. */
function lessReserve(bytes: number, reserve: number): number {
  const total = Math.floor(bytes / MEGABYTE);
  return total >= 2 * reserve ? total - reserve : Math.floor(total / 2);
}

function parsed<T>(result: Result<T, string>, what: string): T {
  if (!result.ok) throw new OperationError('CONFIG_INVALID', `invalid ${what}: ${result.error}`);
  return result.value;
}
