/**
 * What the `oci` runtime needs from whatever provides images: layers as directories, and what the image says about
 * running it. Names of the configuration are those of the image format.
 */

import type { Image } from '@dcos/wire';

export interface ImageConfig {
  readonly Entrypoint?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly Env?: readonly string[] | null;
  readonly WorkingDir?: string;
  readonly User?: string;
}

export interface PreparedImage {
  /** Directories, the lowest layer first. They must not change while a container uses them. */
  readonly rootfsLayers: readonly string[];
  readonly config: ImageConfig;
}

/** The images of one container. */
export interface ContainerImages {
  /** Absent on the host's file system. */
  readonly root?: PreparedImage;
  /** Those of volumes, by the place of the volume in the description. */
  readonly volumes: ReadonlyMap<number, PreparedImage>;
}

/** For whom an image is prepared. */
export interface ImagePurpose {
  readonly containerId: string;
  /** Where a task may have brought credentials of its own, as `.docker/config.json` or `.dockercfg`. */
  readonly sandboxPath?: string;
  readonly abort?: AbortSignal;
}

export interface ImageSource {
  /** Fetches what is not there yet, and holds it for the container until it is released; adds to what it holds. */
  prepare(image: Image, purpose: ImagePurpose): Promise<PreparedImage>;
  /** The container needs nothing any more. Idempotent. */
  release(containerId: string): Promise<void>;
  /** After a restart: no other containers are there. */
  keepOnly(containerIds: ReadonlySet<string>): Promise<void>;
}
