/**
 * The image that hosts are made from: built from `infra/docker` by the engine where it is missing, so that a deployment
 * needs nothing but an engine. One that an operator has named has to be there.
 */

import { join } from 'node:path';
import type Docker from 'dockerode';
import { errorText, OperationError } from '@dcos/base';
import { HOST_IMAGE } from '../../config/schema.ts';
import type { Progress } from '../provider.ts';

const FOLDER = join(import.meta.dirname, '..', '..', '..', '..', 'infra', 'docker');
const FILES = ['Dockerfile', 'host-init.sh'];
/** The part of the file that is for hosts. */
const TARGET = 'host';
const NOT_FOUND = 404;
/** Lines of a failed build that are told. */
const LAST_LINES = 15;

export interface HostImageSettings {
  readonly image: string;
  /** What it is built from. */
  readonly baseImage: string;
}

/** What the engine tells of a build, of what is of use here. */
interface BuildMessage {
  readonly stream?: string;
  readonly error?: string;
}

/**
 * Resolves when it is there.
 * @throws OperationError `DOCKER_IMAGE_MISSING`, `DOCKER_IMAGE_UNBUILT`.
 */
export async function ensureHostImage(
  engine: Docker,
  { image, baseImage }: HostImageSettings,
  progress: Progress,
): Promise<void> {
  if (await isThere(engine, image)) return;
  if (image !== HOST_IMAGE)
    throw new OperationError(
      'DOCKER_IMAGE_MISSING',
      `there is no image ${image}, which docker.image names; build or load it, or leave the key out: ${HOST_IMAGE} is built where it is missing`,
    );
  progress(`image ${image}: build from ${baseImage}, which may take some minutes`);
  const said: string[] = [];
  try {
    await build(engine, { image, baseImage }, ({ stream = '' }) => {
      const lines = stream.split('\n').filter((line) => line.trim() !== '');
      said.push(...lines);
      said.splice(0, Math.max(0, said.length - LAST_LINES));
      for (const line of lines) if (/^Step \d/.test(line)) progress(`image ${image}: ${line}`);
    });
    if (!(await isThere(engine, image))) throw new Error('the engine ended in the middle of it');
  } catch (error) {
    throw new OperationError(
      'DOCKER_IMAGE_UNBUILT',
      `the image ${image} for hosts cannot be built from ${baseImage}: ${errorText(error)}\n${said.join('\n')}\n` +
        `It needs ${baseImage}, from its registry or loaded into the engine, and Debian's packages. Without a registry, on Debian: ` +
        `node tools/images/debian-image.mjs host=${image}`,
      { cause: error },
    );
  }
}

async function isThere(engine: Docker, image: string): Promise<boolean> {
  try {
    await engine.getImage(image).inspect();
    return true;
  } catch (error) {
    if ((error as { readonly statusCode?: number }).statusCode === NOT_FOUND) return false;
    throw error;
  }
}

async function build(
  engine: Docker,
  { image, baseImage }: HostImageSettings,
  told: (message: BuildMessage) => void,
): Promise<void> {
  const stream = await engine.buildImage(
    { context: FOLDER, src: FILES },
    { t: image, target: TARGET, buildargs: { BASE: baseImage }, forcerm: true },
  );
  await new Promise<void>((resolve, reject) => {
    let failure: string | undefined;
    engine.modem.followProgress(
      stream,
      (error) => {
        const reason = error?.message ?? failure;
        if (reason === undefined) resolve();
        else reject(new Error(reason));
      },
      (message: BuildMessage) => {
        failure ??= message.error;
        told(message);
      },
    );
  });
}
