/**
 * Credentials that a task brought along: `.docker/config.json` or `.dockercfg` in its sandbox, usually out of an archive
 * among its URIs. A link there could lead to the agent's own credentials, so none is followed.
 * Source: marathon.md, private registries; `docker pull` with the sandbox as home directory.
 */

import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { containerError } from '../errors.ts';
import { parseDockerConfig, type RegistryLogins } from './docker-config.ts';

const FILES = ['.docker/config.json', '.dockercfg'];
const FILE_BYTES_MAX = 1024 * 1024;

/**
 * Those of the task, and those of the agent for registries that the task brought none for. Throws CONTAINER_INVALID when
 * the task's cannot be read.
 */
export async function taskLogins(
  agent: RegistryLogins,
  sandboxPath: string | undefined,
): Promise<RegistryLogins> {
  if (sandboxPath === undefined) return agent;
  for (const name of FILES) {
    const text = await textOf(sandboxPath, name);
    if (text !== undefined) return new Map([...agent, ...parseDockerConfig(text)]);
  }
  return agent;
}

async function textOf(sandboxPath: string, name: string): Promise<string | undefined> {
  const path = join(sandboxPath, name);
  try {
    if ((await realpath(path)) !== join(await realpath(sandboxPath), name))
      throw containerError('CONTAINER_INVALID', `'${name}' in the sandbox is a link`);
    // A pipe would never end.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const file = await open(path, flags);
    try {
      const { size } = await file.stat();
      if (size > FILE_BYTES_MAX)
        throw containerError('CONTAINER_INVALID', `'${name}' in the sandbox is too long`);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, 0);
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
