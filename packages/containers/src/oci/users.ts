/**
 * Which account the processes of a container have.
 *
 * A command's own user comes first, then the framework's unless that is root, then the image's. An image is never a
 * way from a lesser account of the framework to root. Names are those of the host, and of the image for its own user.
 */

import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { containerError } from '../errors.ts';
import { accountOf } from '../process/accounts.ts';
import type { ContainerSpec } from '../runtime.ts';
import type { PreparedImage } from './image-port.ts';
import type { OciUser } from './oci-spec.ts';

const run = promisify(execFile);

const ROOT: OciUser = { uid: 0, gid: 0 };
const NUMBER = /^\d{1,10}$/;
/** Of an image's account files; longer ones are cut. */
const ACCOUNT_FILE_BYTES_MAX = 1024 * 1024;

/** Resolves it. Throws CONTAINER_LAUNCH_FAILED for a name that nobody knows. */
export async function userOf(
  spec: ContainerSpec,
  image: PreparedImage | undefined,
): Promise<OciUser> {
  const asked = spec.command.user ?? (spec.user === 'root' ? undefined : spec.user);
  if (asked !== undefined) return await hostUser(asked);
  const own = image?.config.User ?? '';
  return image === undefined || own === '' ? ROOT : await imageUser(own, image);
}

/** An account of the host with all its groups. */
export async function hostUser(name: string): Promise<OciUser> {
  const account = await accountOf(name);
  if (account === undefined) return ROOT;
  const { stdout } = await run('id', ['-G', '--', name]);
  const groups = stdout.trim().split(/\s+/).map(Number);
  return { ...account, additionalGids: groups.filter((gid) => gid !== account.gid) };
}

/** `user`, `user:group`, each a name of the image or a number. */
async function imageUser(text: string, image: PreparedImage): Promise<OciUser> {
  const [user = '', group] = text.split(':');
  const found = userIn(await imageFile(image, 'etc/passwd'), user);
  if (found === undefined)
    throw containerError('CONTAINER_LAUNCH_FAILED', `the image has no account '${user}'`);
  if (group === undefined || group === '') return found;
  const gid = groupIn(await imageFile(image, 'etc/group'), group);
  if (gid === undefined)
    throw containerError('CONTAINER_LAUNCH_FAILED', `the image has no group '${group}'`);
  return { uid: found.uid, gid };
}

/** The account of a name or number in the text of a `passwd` file. A number needs no entry. */
export function userIn(passwd: string, user: string): OciUser | undefined {
  for (const line of passwd.split('\n')) {
    const [name, , uid = '', gid = ''] = line.split(':');
    if ((name === user || uid === user) && NUMBER.test(uid) && NUMBER.test(gid))
      return { uid: Number(uid), gid: Number(gid) };
  }
  return NUMBER.test(user) ? { uid: Number(user), gid: 0 } : undefined;
}

/** The same for a group. */
export function groupIn(groups: string, group: string): number | undefined {
  for (const line of groups.split('\n')) {
    const [name, , gid = ''] = line.split(':');
    if ((name === group || gid === group) && NUMBER.test(gid)) return Number(gid);
  }
  return NUMBER.test(group) ? Number(group) : undefined;
}

/** The text of a file as the highest layer has it; empty when none has. Links are not followed: they lead anywhere. */
async function imageFile(image: PreparedImage, path: string): Promise<string> {
  for (const layer of image.rootfsLayers.toReversed()) {
    try {
      const flags = constants.O_RDONLY | constants.O_NOFOLLOW;
      await using handle = await open(join(layer, path), flags);
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(ACCOUNT_FILE_BYTES_MAX));
      return buffer.toString('utf8', 0, bytesRead);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code !== 'ENOENT' && code !== 'ENOTDIR' && code !== 'ELOOP') throw error;
    }
  }
  return '';
}
