/** What the engine says about one container, in the words of the runtime port. */

import type Docker from 'dockerode';
import type { ExitStatus, StartedContainer } from '../runtime.ts';
import { engineError, hasStatus } from './engine-errors.ts';

/** Resolves when the container has ended. */
export async function endOf(container: Docker.Container): Promise<ExitStatus> {
  await container.wait();
  const { State } = await container.inspect();
  return {
    kind: 'exited',
    code: State.ExitCode,
    ...(State.OOMKilled ? { outOfMemory: true } : {}),
  };
}

/** Pid and addresses of a container that was started. */
export function startedOf(info: Docker.ContainerInspectInfo): StartedContainer {
  const addresses = Object.values(info.NetworkSettings.Networks).flatMap((network) =>
    network.IPAddress === '' ? [] : [network.IPAddress],
  );
  return { pid: info.State.Pid, ipAddresses: addresses };
}

/** Removes it with its anonymous volumes, running or not. Idempotent. */
export async function removeContainer(container: Docker.Container): Promise<void> {
  try {
    await container.remove({ force: true, v: true });
  } catch (error) {
    // Gone, or somebody else is removing it.
    if (!hasStatus(error, 404, 409)) throw engineError('cannot remove the container', error);
  }
}
