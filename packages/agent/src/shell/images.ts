/**
 * Images of the runtime `oci`: where they are kept and come from, and what is removed when the disk fills up.
 * Source: mesos-kernel §6.5 and the flags in §11.
 */

import { join } from 'node:path';
import { errorText, OperationError, type Logger } from '@dcos/base';
import { openImageStore, type ImageStore } from '@dcos/containers';
import { readSetting } from '@dcos/telemetry';
import { fromJson, ImageType, type Image } from '@dcos/wire';
import { imageGcSchema, type AgentConfig } from '../config.ts';
import { diskUsageOf } from './garbage-collector.ts';

const isPath = (text: string): boolean => /^(\/|file:\/\/)/.test(text);

/** Opens the store of images. Throws IMAGES_INVALID when a setting or a file of it cannot be used. */
export async function openImages(
  config: AgentConfig,
  workDir: string,
  logger: Logger,
): Promise<ImageStore> {
  const { dockerRegistry, insecureRegistries, registryMirrors } = config;
  const directory =
    dockerRegistry !== undefined && isPath(dockerRegistry)
      ? dockerRegistry.replace(/^file:\/\//, '')
      : undefined;
  return await openImageStore({
    root: imageStorePath(config, workDir),
    logger,
    insecureRegistries,
    registryMirrors,
    ...(directory !== undefined && { directory }),
    ...(directory === undefined &&
      dockerRegistry !== undefined && { defaultRegistry: dockerRegistry }),
    ...credentialsOf(config),
  });
}

/** Credentials of registries for all tasks. Throws IMAGES_INVALID when their file cannot be read. */
export function credentialsOf({ dockerConfig }: AgentConfig): { readonly dockerConfig?: string } {
  return dockerConfig === undefined ? {} : { dockerConfig: settingText(dockerConfig.reveal()) };
}

function imageStorePath({ dockerStoreDir }: AgentConfig, workDir: string): string {
  return dockerStoreDir ?? join(workDir, 'store', 'docker');
}

/** A setting that is a path to a file, or the text itself. */
function settingText(setting: string): string {
  return isPath(setting) ? readSetting('IMAGES_INVALID', setting) : setting;
}

export interface ImageCollector {
  close(): void;
}

/** Removes images that no container uses, each time that the disk is fuller than it may be. */
export function startImageCollector({
  images,
  config,
  workDir,
  logger,
}: {
  readonly images: ImageStore;
  readonly config: AgentConfig;
  readonly workDir: string;
  readonly logger: Logger;
}): ImageCollector {
  if (config.imageGcConfig === undefined) return { close: () => undefined };
  const { headroom, intervalMs, excluded } = imageGcOf(config.imageGcConfig);
  const path = imageStorePath(config, workDir);
  const round = async (): Promise<void> => {
    if ((await diskUsageOf(path)) <= 1 - headroom) return;
    await images.prune(excluded);
  };
  let isRunning = false;
  const timer = setInterval(() => {
    if (isRunning) return;
    isRunning = true;
    round()
      .catch((error: unknown) =>
        logger.warn({ event: 'image.gc_failed', error: errorText(error) }, 'cannot remove images'),
      )
      .finally(() => (isRunning = false));
  }, intervalMs);
  timer.unref();
  return { close: () => clearInterval(timer) };
}

interface ImageGc {
  readonly headroom: number;
  readonly intervalMs: number;
  readonly excluded: readonly Image[];
}

/** Reads `imageGcConfig`. Throws IMAGES_INVALID. */
export function imageGcOf(setting: NonNullable<AgentConfig['imageGcConfig']>): ImageGc {
  try {
    const json: unknown = typeof setting === 'string' ? JSON.parse(settingText(setting)) : setting;
    const read = imageGcSchema.parse(json);
    return {
      headroom: read.image_disk_headroom,
      intervalMs: read.image_disk_watch_interval.nanoseconds / 1e6,
      excluded: read.excluded_images.map((image) => fromJson(ImageType, image)),
    };
  } catch (error) {
    throw new OperationError('IMAGES_INVALID', `imageGcConfig: ${errorText(error)}`);
  }
}
