/** The Docker Engine that carries the hosts of a test, and what must be left of a test: nothing. */

import Docker from 'dockerode';

export const engine = new Docker();
/** Hosts that have more than a cluster needs; built by `tools/images/debian-image.mjs`, as that of the installer is. */
export const HOST_IMAGE = 'dcos-test-host:4';
/** Hosts as the installer makes them when no other image is named. */
export const DEMO_IMAGE = 'dcos-host:4';
/** On each container and network of a test, with the process id of the test. */
export const OWNER_LABEL = 'dcos.e2e';

/** Removes what earlier tests left whose processes are gone: a killed test cannot clean up. */
export async function removeOrphans(): Promise<void> {
  const filters = { label: [OWNER_LABEL] };
  for (const container of await engine.listContainers({ all: true, filters })) {
    if (isOrphan(container.Labels))
      await engine.getContainer(container.Id).remove({ force: true, v: true });
  }
  for (const network of await engine.listNetworks({ filters })) {
    if (isOrphan(network.Labels ?? {})) await engine.getNetwork(network.Id).remove();
  }
}

function isOrphan(labels: Readonly<Record<string, string>>): boolean {
  const pid = Number(labels[OWNER_LABEL]);
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}
