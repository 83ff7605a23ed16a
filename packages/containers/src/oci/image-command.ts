/**
 * What a container of an image runs: the task's command and what the image says, merged as the original's
 * `docker/runtime` isolator does. Source: mesos-kernel §6.6.
 *
 * | shell | value | arguments | runs |
 * |---|---|---|---|
 * | yes | given | – | `/bin/sh -c value`; entry point and command of the image are not used |
 * | no | given | any | the program `value`; the first argument names the program |
 * | no | – | given | entry point with these arguments; without one, the first word of the image's command |
 * | no | – | – | entry point and command of the image |
 */

import { isAbsolute } from 'node:path';
import type { CommandInfo } from '@dcos/wire';
import { containerError } from '../errors.ts';
import { commandVector } from '../process/run-command.ts';
import type { ImageConfig } from './image-port.ts';

/** Search path of an image that says nothing about it. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The argument vector. Throws CONTAINER_INVALID when neither task nor image names a program. */
export function imageVector(command: CommandInfo, image: ImageConfig): readonly string[] {
  if ((command.shell ?? true) || command.value !== undefined) return commandVector(command);
  const entry = image.Entrypoint ?? [];
  const words = image.Cmd ?? [];
  const given = command.arguments ?? [];
  const vector =
    given.length === 0
      ? [...entry, ...words]
      : [...(entry.length > 0 ? entry : words.slice(0, 1)), ...given];
  const isNamed = entry.length > 0 || words.length > 0;
  if (!isNamed || vector[0] === undefined)
    throw containerError('CONTAINER_INVALID', 'neither the command nor the image names a program');
  if (vector.some((text) => text.includes('\0')))
    throw containerError('CONTAINER_INVALID', 'the command holds a NUL character');
  return vector;
}

/** Variables of the image, over them those of the task. */
export function imageEnvironment(
  image: ImageConfig,
  environment: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const all: Record<string, string> = { PATH: DEFAULT_PATH };
  for (const line of image.Env ?? []) {
    const end = line.indexOf('=');
    if (end > 0) all[line.slice(0, end)] = line.slice(end + 1);
  }
  return { ...all, ...environment };
}

/** Where the processes of an image begin: where the image says, or in the sandbox. */
export function imageDirectory(image: ImageConfig, sandboxInContainer: string): string {
  const directory = image.WorkingDir ?? '';
  return isAbsolute(directory) ? directory : sandboxInContainer;
}
