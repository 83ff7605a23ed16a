/**
 * Who owns a sandbox, and from when on. What is fetched is written with the agent's rights: until it is there nobody else
 * may come in, since another task of the same account could put links in the way of what is being written.
 */

import { execFile } from 'node:child_process';
import { chmod, chown } from 'node:fs/promises';
import { getuid } from 'node:process';
import { promisify } from 'node:util';
import type { Account } from '@dcos/containers';

const run = promisify(execFile);
const CLOSED = 0o700;
const OPEN = 0o755;

/** Whose a sandbox becomes. */
export interface SandboxOwner {
  /** Absent: whoever the agent runs as. */
  readonly account: Account | undefined;
  /** Whether something is fetched first. */
  readonly isFetched: boolean;
}

function isClosed({ account, isFetched }: SandboxOwner): boolean {
  return account !== undefined && isFetched && getuid?.() === 0;
}

/** Gives a directory that was just made to its owner, or closes it for the time being. */
export async function ownSandbox(path: string, owner: SandboxOwner): Promise<void> {
  const { account } = owner;
  if (isClosed(owner)) await chmod(path, CLOSED);
  else if (account !== undefined) await chown(path, account.uid, account.gid);
}

/** Gives a closed one to its owner, with all that is in it by then. */
export async function openSandbox(path: string, owner: SandboxOwner): Promise<void> {
  const { account } = owner;
  if (account === undefined || !isClosed(owner)) return;
  // The directory itself comes last, and links are not followed.
  await run('chown', ['-R', '--', `${account.uid}:${account.gid}`, path]);
  await chmod(path, OPEN);
}
