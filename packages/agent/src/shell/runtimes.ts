/** The container runtimes of an agent, as its settings say. */

import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '@dcos/base';
import {
  createDockerRuntime,
  createOciRuntime,
  createProcessRuntime,
  type ContainerRuntime,
  type ImageStore,
} from '@dcos/containers';
import type { AgentConfig } from '../config.ts';
import type { RuntimeName } from '../core/index.ts';
import { allowedDevicesOf } from './allowed-devices.ts';
import { containerDnsOf } from './container-dns.ts';
import { credentialsOf, openImages } from './images.ts';
import { runtimeStatePath } from './sandbox-paths.ts';

export interface Runtimes {
  readonly runtimes: ReadonlyMap<RuntimeName, ContainerRuntime>;
  /** Those of the runtime `oci`; undefined where it is off. */
  readonly images: ImageStore | undefined;
}

export interface RuntimeSurroundings {
  readonly workDir: string;
  /** Directory of the nodes of GPUs. */
  readonly devicesPath: string;
  readonly logger: Logger;
}

/** Makes the runtimes that are on. One that does not work on this host is there all the same. */
export async function openRuntimes(
  config: AgentConfig,
  { workDir, devicesPath, logger }: RuntimeSurroundings,
): Promise<Runtimes> {
  const names = new Set(config.runtimes.split(','));
  // Tasks of other accounts come through to what is theirs; earlier versions closed it.
  const states = join(workDir, 'run');
  await mkdir(states, { recursive: true });
  await chmod(states, 0o755);
  const images = names.has('oci') ? await openImages(config, workDir, logger) : undefined;
  const runtimes = new Map<RuntimeName, ContainerRuntime>();
  for (const name of names) {
    const runtime = createRuntime(name, config, { workDir, devicesPath, images, logger });
    const problem = await runtime.unavailable();
    // An engine that is down is no reason not to run anything: its tasks fail with this reason.
    if (problem !== undefined) {
      logger.warn({ event: 'runtime.unavailable', runtime: runtime.name, problem }, problem);
    }
    runtimes.set(runtime.name, runtime);
  }
  return { runtimes, images };
}

function createRuntime(
  name: string,
  config: AgentConfig,
  {
    workDir,
    devicesPath,
    images,
    logger,
  }: RuntimeSurroundings & { readonly images: ImageStore | undefined },
): ContainerRuntime {
  const dns = containerDnsOf(config.defaultContainerDns);
  switch (name) {
    case 'docker':
      return createDockerRuntime({
        socketPath: config.dockerSocket,
        stateRoot: join(workDir, 'run', 'docker'),
        owner: workDir,
        hostIp: config.ip,
        dns: dns.docker,
        ...credentialsOf(config),
        logger,
      });
    case 'oci':
      return createOciRuntime({
        stateRoot: join(workDir, 'run', 'oci'),
        runtime: config.ociRuntime,
        cgroups: {
          hasCpuQuota: config.cgroupsEnableCfs,
          hasSwapLimit: config.cgroupsLimitSwap,
          pidsMax: config.pidsMax,
        },
        allowedDevices: allowedDevicesOf(config.allowedDevices),
        cni: {
          configDir: config.networkCniConfigDir,
          pluginsDir: config.networkCniPluginsDir,
          hostIp: config.ip,
          dns: dns.mesos,
        },
        ...(images !== undefined && { images }),
        devicesPath,
        logger,
      });
    default:
      return createProcessRuntime({ stateRoot: runtimeStatePath(workDir), logger });
  }
}
