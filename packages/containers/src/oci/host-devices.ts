/**
 * Finds the devices that an operator allows by the paths of their nodes. The kernel knows devices by numbers only, which
 * may be others after a restart of the host.
 */

import { stat } from 'node:fs/promises';
import type { DeviceAccess } from '@dcos/wire';
import { containerError } from '../errors.ts';
import { numbersOf, type HostDevice } from '../host-device.ts';

const PERMISSIONS = 0o777;

/** Throws CONTAINER_INVALID with the path that is none, or may not be used in any way. */
export async function findDevices(
  allowed: readonly DeviceAccess[],
): Promise<readonly HostDevice[]> {
  return await Promise.all(allowed.map(findDevice));
}

async function findDevice({ device, access }: DeviceAccess): Promise<HostDevice> {
  const { path } = device;
  if (path === undefined || !path.startsWith('/dev/') || path.split('/').includes('..'))
    throw containerError('CONTAINER_INVALID', `an allowed device needs a path below /dev: ${path}`);
  const text = [access.read && 'r', access.write && 'w', access.mknod && 'm']
    .filter((letter) => typeof letter === 'string')
    .join('');
  if (text === '')
    throw containerError('CONTAINER_INVALID', `device ${path}: allow read, write or mknod`);
  const found = await stat(path, { bigint: true }).catch((error: unknown) => {
    throw containerError('CONTAINER_INVALID', `there is no device ${path}`, error);
  });
  if (!found.isCharacterDevice() && !found.isBlockDevice())
    throw containerError('CONTAINER_INVALID', `${path} is no device`);
  return {
    path,
    type: found.isBlockDevice() ? 'b' : 'c',
    ...numbersOf(found.rdev),
    access: text,
    mode: Number(found.mode) & PERMISSIONS,
    uid: Number(found.uid),
    gid: Number(found.gid),
  };
}
