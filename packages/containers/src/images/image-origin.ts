/** Where images come from: what a registry or an archive has, in the same words. */

import type { ImageDocument } from './manifest.ts';
import type { RegistryLogins } from './docker-config.ts';
import type { ImageReference } from './reference.ts';

export interface OriginOptions {
  readonly logins: RegistryLogins;
  readonly signal: AbortSignal;
  /** Makes paths below a directory that is emptied at the start. */
  readonly temporaryPath: () => string;
}

/** An image that was found; nothing of its layers was fetched yet. */
export interface FoundImage {
  /** Digest of the manifest, or of what takes its place: two images with one digest are the same. */
  readonly digest: string;
  /** What the image says about itself. Asked for only when the image is not known yet. */
  document(signal: AbortSignal): Promise<ImageDocument>;
  /** Writes a layer, packed or not, into a file that does not exist yet. */
  layer(index: number, path: string, signal: AbortSignal): Promise<void>;
  /** Nothing of it is needed any more. */
  close(): Promise<void>;
}

export interface ImageOrigin {
  /** Throws CONTAINER_LAUNCH_FAILED when there is no such image. */
  find(reference: ImageReference, options: OriginOptions): Promise<FoundImage>;
}
