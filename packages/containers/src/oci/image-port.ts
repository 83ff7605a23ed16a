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

export interface ImageSource {
  /** Fetches what is not there yet, and holds it for the container until it is released. */
  prepare(
    image: Image,
    options: { readonly containerId: string; readonly abort?: AbortSignal },
  ): Promise<PreparedImage>;
  /** The container needs it no more. Idempotent. */
  release(containerId: string): Promise<void>;
}
