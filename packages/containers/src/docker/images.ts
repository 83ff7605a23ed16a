/** Images of the engine: looked up, and pulled when they are missing. */

import type Docker from 'dockerode';
import { helperNote, type RegistryLogin, type RegistryLogins } from '../images/docker-config.ts';
import { DEFAULT_REGISTRY, parseReference } from '../images/reference.ts';
import { engineError, hasStatus } from './engine-errors.ts';

/** True when the host has the image. */
export async function hasImage(engine: Docker, image: string): Promise<boolean> {
  try {
    await engine.getImage(image).inspect();
    return true;
  } catch (error) {
    if (hasStatus(error, 404)) return false;
    throw engineError(`cannot look up image '${image}'`, error);
  }
}

export interface PullOptions {
  /** Of all registries; the engine gets those of the image's own. */
  readonly logins: RegistryLogins;
  readonly abort: AbortSignal | undefined;
}

/** Pulls it; broken off by the signal. Throws CONTAINER_LAUNCH_FAILED. */
export async function pullImage(
  engine: Docker,
  image: string,
  { logins, abort }: PullOptions,
): Promise<void> {
  const { registry } = parseReference(image);
  const login = logins.get(registry);
  const authconfig = authOf(registry, login);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  try {
    const stream = await engine.pull(image, {
      ...(authconfig !== undefined && { authconfig }),
      ...(abort !== undefined && { abortSignal: abort }),
    });
    stream.on('error', reject);
    engine.modem.followProgress(stream, (error) => {
      if (error === null) resolve();
      else reject(error);
    });
    await promise;
  } catch (error) {
    abort?.throwIfAborted();
    throw engineError(`Failed to pull image '${image}'${helperNote(login)}`, error);
  }
}

/** What the engine is told of the registry; undefined when there is nothing to tell. */
function authOf(
  registry: string,
  login: RegistryLogin | undefined,
): Docker.AuthConfigObject | undefined {
  const serveraddress = registry === DEFAULT_REGISTRY ? 'https://index.docker.io/v1/' : registry;
  if (login?.kind === 'password')
    return { username: login.username, password: login.password, serveraddress };
  if (login?.kind === 'identity-token') return { identitytoken: login.token, serveraddress };
  return undefined;
}
