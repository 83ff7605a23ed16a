/**
 * The root of a container with an image: the image's layers below, a directory of the container's own on top. Only
 * directories and links are made here; the mount is the OCI runtime's, see `mounts.ts`.
 */

import { mkdir, statfs, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Image } from '@dcos/wire';
import { containerError } from '../errors.ts';
import type { ContainerSpec } from '../runtime.ts';
import type { PreparedImage } from './image-port.ts';
import type { OverlayRoot } from './mounts.ts';

/** What `statfs` calls an overlay, which takes no other one's upper directory. */
const OVERLAY_MAGIC = 0x79_4c_76_30;
/** Characters with a meaning in the options of a mount. */
const SPECIAL = /[:,\\]/;

/** The image that a container asks for; undefined when it runs on the host's file system. */
function imageOf({ container }: ContainerSpec): Image | undefined {
  if (container?.mesos?.image !== undefined) return container.mesos.image;
  const { docker } = container ?? {};
  if (docker === undefined) return undefined;
  return {
    type: 'DOCKER',
    docker: { name: docker.image },
    cached: docker.force_pull_image !== true,
  };
}

/** The images that a container asks for, those of its volumes by their places. */
export function imagesOf(spec: ContainerSpec): {
  readonly root: Image | undefined;
  readonly volumes: readonly (readonly [place: number, image: Image])[];
} {
  const volumes = (spec.container?.volumes ?? []).flatMap(({ image }, place) =>
    image === undefined ? [] : [[place, image] as const],
  );
  return { root: imageOf(spec), volumes };
}

/** Makes the directories below the one that is given. Layers get short names: a mount's options are bounded. */
export async function makeOverlay(directory: string, image: PreparedImage): Promise<OverlayRoot> {
  if (SPECIAL.test(directory))
    throw containerError('CONTAINER_INVALID', `the path '${directory}' cannot hold an overlay`);
  const links = join(directory, 'l');
  const upperdir = join(directory, 'upper');
  const workdir = join(directory, 'work');
  for (const path of [links, upperdir, workdir]) await mkdir(path, { recursive: true });
  const { type } = await statfs(upperdir);
  if (type === OVERLAY_MAGIC)
    throw containerError(
      'CONTAINER_LAUNCH_FAILED',
      `images need a work directory that is no overlay itself, such as a volume: ${directory}`,
    );
  const lowerdirs: string[] = [];
  for (const [index, layer] of image.rootfsLayers.entries()) {
    const link = join(links, String(index));
    await symlink(layer, link);
    lowerdirs.unshift(link);
  }
  return { lowerdirs, upperdir, workdir };
}
