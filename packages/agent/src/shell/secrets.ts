/**
 * Gives containers the secrets that they bring: values, or references that a resolver of the operator looks up. A
 * variable gets the secret as its text, a volume is a file that holds it.
 *
 * Invariants: nothing of a secret gets into messages and logs; its file can be read by the task's account and by root
 * only, and is gone when the container is. A container with a root of its own has no account of ours: there the file
 * may be read by all inside, and on the host its directory is closed to all but root.
 *
 * What is in clear on the disk: these files, the checkpoint (mode 0600) as long as the task is, and what a runtime
 * keeps of an environment: the bundle of an OCI container (mode 0600), or the Docker engine's description.
 * Source: mesos-kernel §6.6 (volume/secret, environment_secret), §9.
 */

import { chmod, chown, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText, type Logger } from '@dcos/base';
import type { Account, ContainerSpec } from '@dcos/containers';
import type { CommandInfo, Secret, Secret_Reference, Volume } from '@dcos/wire';

/** Looks a reference up. What it rejects with is shown to the framework. */
export type SecretResolver = (reference: Secret_Reference) => Promise<Uint8Array>;

/** For agents without a store of secrets. */
export const refuseReferences: SecretResolver = async ({ name }) =>
  await Promise.reject(
    new Error(`the secret '${name}' is a reference, and this agent has no store of secrets`),
  );

export interface ContainerSecretsOptions {
  /** For files; this agent's alone. A tmpfs keeps them from the disk. */
  readonly directory: string;
  readonly resolve: SecretResolver;
  readonly logger: Logger;
}

/** All accounts in a container with a root of its own, the agent's account, or another one. */
export type SecretReader = 'container' | 'agent' | Account;

type Variables = Readonly<Record<string, string>>;

export class ContainerSecrets {
  readonly #options: ContainerSecretsOptions;

  constructor(options: ContainerSecretsOptions) {
    this.#options = options;
  }

  /**
   * The container with its secrets: in its environment, and as files in place of the volumes.
   * @param reader Who may read the files beside root.
   */
  async equip(spec: ContainerSpec, reader: SecretReader): Promise<ContainerSpec> {
    const variables = await this.variables(spec.command);
    const environment = { ...spec.environment, ...variables };
    const { container } = spec;
    if (!(container?.volumes ?? []).some(isSecret)) return { ...spec, environment };
    const volumes: Volume[] = [];
    for (const [index, volume] of (container?.volumes ?? []).entries()) {
      const secret = volume.source?.secret;
      if (!isSecret(volume) || secret === undefined) {
        volumes.push(volume);
        continue;
      }
      const bytes = await this.#valueOf(secret);
      const path = await this.#write(spec.id, String(index), bytes, reader);
      const { container_path } = volume;
      const source = { type: 'HOST_PATH', host_path: { path } } as const;
      volumes.push({ mode: 'RO', container_path, source });
    }
    return { ...spec, environment, container: { type: 'MESOS', ...container, volumes } };
  }

  /** The same of a container that runs already, for what is run beside it. What cannot be had is left out. */
  async equipAgain(spec: ContainerSpec): Promise<ContainerSpec> {
    try {
      const variables = await this.variables(spec.command);
      return { ...spec, environment: { ...spec.environment, ...variables } };
    } catch (error) {
      this.#options.logger.warn(
        { event: 'secret.unresolved', containerId: spec.id, error: errorText(error) },
        'commands beside a container that was found again go without its secrets',
      );
      return spec;
    }
  }

  /** The secrets in the environment of a command. */
  async variables(command: CommandInfo | undefined): Promise<Variables> {
    const all: Record<string, string> = {};
    for (const { name, type, secret } of command?.environment?.variables ?? []) {
      if (type !== 'SECRET') continue;
      if (secret === undefined) throw new Error(`the variable ${name} has no secret`);
      all[name] = textOf(name, await this.#valueOf(secret));
    }
    return all;
  }

  /** Deletes the files of a container. */
  async remove(id: string): Promise<void> {
    await rm(join(this.#options.directory, id), { recursive: true, force: true });
  }

  /** Deletes those of all others. */
  async keepOnly(ids: ReadonlySet<string>): Promise<void> {
    for (const id of await this.#names()) if (!ids.has(id)) await this.remove(id);
  }

  async #names(): Promise<readonly string[]> {
    try {
      return await readdir(this.#options.directory);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
      throw error;
    }
  }

  async #valueOf({ type, reference, value }: Secret): Promise<Uint8Array> {
    if (type === 'REFERENCE' && reference !== undefined)
      return await this.#options.resolve(reference);
    if (type === 'VALUE' && value !== undefined) return value.data;
    throw new Error(`a secret of the type ${type ?? 'UNKNOWN'} lacks what the type needs`);
  }

  async #write(id: string, name: string, bytes: Uint8Array, reader: SecretReader): Promise<string> {
    const { directory } = this.#options;
    await mkdir(directory, { recursive: true });
    // Who may read a file below must be able to get there, and needs to see nothing else.
    await chmod(directory, 0o711);
    const own = join(directory, id);
    await mkdir(own, { recursive: true, mode: 0o700 });
    const path = join(own, name);
    await writeFile(path, bytes, { mode: 0o400 });
    if (reader === 'container') await chmod(path, 0o444);
    else if (reader !== 'agent')
      for (const place of [path, own]) await chown(place, reader.uid, reader.gid);
    return path;
  }
}

function isSecret({ source }: Volume): boolean {
  return source?.type === 'SECRET' || source?.secret !== undefined;
}

function textOf(name: string, bytes: Uint8Array): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // The decoder's own words would help nobody.
    throw new Error(`the secret for ${name} is no text; have it as a file`);
  }
  if (text.includes('\0')) throw new Error(`the secret for ${name} holds a NUL character`);
  return text;
}
