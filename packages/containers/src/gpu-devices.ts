/**
 * Device nodes of NVIDIA's driver: one for each GPU, and those through which all of them are driven.
 * Source: mesos-kernel §6.6, isolator `gpu/nvidia`.
 */

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText } from '@dcos/base';
import { containerError } from './errors.ts';
import { numbersOf, type HostDevice } from './host-device.ts';

/** Nodes that a container with any GPU needs; the last one is there with newer drivers only. */
const CONTROL_NODES = ['nvidiactl', 'nvidia-uvm'] as const;
const OPTIONAL_NODE = 'nvidia-uvm-tools';
const DEVICES = '/dev';
/** For everybody, as NVIDIA's are. */
const MODE = 0o666;

/** Paths of the nodes of GPUs with these minor numbers, without the optional one. */
export function gpuPaths(gpus: readonly number[], directory: string = DEVICES): readonly string[] {
  if (gpus.length === 0) return [];
  return [...CONTROL_NODES, ...gpus.map((minor) => `nvidia${minor}`)].map((name) =>
    join(directory, name),
  );
}

/** The nodes with their numbers. Throws CONTAINER_LAUNCH_FAILED for one that is not there. */
export async function gpuDevices(
  gpus: readonly number[],
  directory: string = DEVICES,
): Promise<readonly HostDevice[]> {
  const paths = gpuPaths(gpus, directory);
  if (paths.length === 0) return [];
  const devices = await Promise.all(paths.map(deviceAt));
  const optional = await deviceAt(join(directory, OPTIONAL_NODE)).catch(() => undefined);
  return optional === undefined ? devices : [...devices, optional];
}

async function deviceAt(path: string): Promise<HostDevice> {
  const found = await stat(path, { bigint: true }).catch((error: unknown) => {
    throw containerError(
      'CONTAINER_LAUNCH_FAILED',
      `the device of a GPU is not there: ${errorText(error)}; nvidia-modprobe makes missing ones`,
    );
  });
  if (!found.isCharacterDevice())
    throw containerError('CONTAINER_LAUNCH_FAILED', `${path} is not the device of a GPU`);
  return { path, type: 'c', ...numbersOf(found.rdev), access: 'rwm', mode: MODE, uid: 0, gid: 0 };
}
