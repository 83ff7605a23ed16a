/** The runtimes that containers are measured with, and whether this machine has what they need. */

import { createOciRuntime } from '@dcos/containers';
import { silentLogger } from '@dcos/base';
import { dockerImage } from '@dcos/testkit';
import type { ContainerInfo } from '@dcos/wire';

export const RUNTIMES = ['process', 'oci', 'docker'] as const;
export type RuntimeName = (typeof RUNTIMES)[number];

/** An image that is there; nothing is pulled. */
export const DOCKER_IMAGE = 'python:3';

/** Why containers of a runtime cannot be run here; undefined when they can. */
export async function obstacleOf(runtime: RuntimeName): Promise<string | undefined> {
  switch (runtime) {
    case 'process':
      return undefined;
    case 'oci':
      return await createOciRuntime({ stateRoot: '/none', logger: silentLogger }).unavailable();
    case 'docker':
      return dockerImage(DOCKER_IMAGE).available
        ? undefined
        : `there is no Docker engine, or it has no image ${DOCKER_IMAGE}`;
    default:
      return runtime satisfies never;
  }
}

/** What a task says of its container for a runtime; undefined for one on the host's file system. */
export function containerOf(runtime: RuntimeName): ContainerInfo | undefined {
  if (runtime !== 'docker') return undefined;
  return { type: 'DOCKER', docker: { image: DOCKER_IMAGE, network: 'HOST' } };
}
