/**
 * What this host has to offer: what the operator says, and for the rest what is found.
 * Source: mesos-kernel §6.11.
 */

import { statfs } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { OperationError, type Result } from '@dcos/base';
import { parseAttributes, parseResources } from '@dcos/resources';
import type { Attribute, Resource } from '@dcos/wire';

const MEGABYTE = 1024 * 1024;
/** What is left to the host itself, in MB: 1 GB of memory and 5 GB of disk, or half where there is little. */
const MEMORY_RESERVE = 1024;
const DISK_RESERVE = 5 * 1024;
const DEFAULT_PORTS = { begin: 31_000, end: 32_000 };

/** Parses the operator's text and adds what it does not name. Throws CONFIG_INVALID. */
export async function hostResources(options: {
  readonly text: string;
  readonly defaultRole: string;
  readonly workDir: string;
}): Promise<readonly Resource[]> {
  const given = parsed(parseResources(options.text, options.defaultRole), 'resources');
  const named = new Set(given.map((resource) => resource.name));
  const found: string[] = [];
  if (!named.has('cpus')) found.push(`cpus:${availableParallelism()}`);
  if (!named.has('mem'))
    found.push(`mem:${lessReserve(Math.floor(totalmem() / MEGABYTE), MEMORY_RESERVE)}`);
  if (!named.has('disk')) {
    const { blocks, bsize } = await statfs(options.workDir);
    found.push(`disk:${lessReserve(Math.floor((blocks * bsize) / MEGABYTE), DISK_RESERVE)}`);
  }
  if (!named.has('ports')) found.push(`ports:[${DEFAULT_PORTS.begin}-${DEFAULT_PORTS.end}]`);
  const detected = parsed(
    parseResources(found.join(';'), options.defaultRole),
    'detected resources',
  );
  return [...given, ...detected];
}

/** Parses the operator's attributes. Throws CONFIG_INVALID. */
export function hostAttributes(text: string): readonly Attribute[] {
  return parsed(parseAttributes(text), 'attributes');
}

function lessReserve(total: number, reserve: number): number {
  return total >= 2 * reserve ? total - reserve : Math.floor(total / 2);
}

function parsed<T>(result: Result<T, string>, what: string): T {
  if (!result.ok) throw new OperationError('CONFIG_INVALID', `invalid ${what}: ${result.error}`);
  return result.value;
}
