/** Accounts of the host by name, as `id` knows them: local files and whatever directory service there is. */

import { execFile } from 'node:child_process';
import { getuid } from 'node:process';
import { promisify } from 'node:util';
import { assert } from '@dcos/base';
import { containerError } from '../errors.ts';

const run = promisify(execFile);

/** For how long an answer is believed: a burst of tasks asks once, a changed account is seen soon. */
const ANSWER_AGE_MS = 10_000;
/** Names that are remembered. */
const ANSWERS_MAX = 1_000;

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

const answers = new Map<string, { readonly at: number; readonly account: Promise<Account> }>();

/**
 * The account to switch to for this user; undefined when nothing is to be switched. Without root nothing can
 * be, so that any name means ourselves. Throws CONTAINER_LAUNCH_FAILED for an unknown name.
 */
export async function accountOf(user: string): Promise<Account | undefined> {
  if (getuid?.() !== 0) return undefined;
  const account = await lookUp(user);
  return account.uid === 0 ? undefined : account;
}

async function lookUp(user: string): Promise<Account> {
  const now = performance.now();
  const known = answers.get(user);
  if (known !== undefined && now - known.at < ANSWER_AGE_MS) return await known.account;
  if (answers.size >= ANSWERS_MAX) answers.clear();
  const account = ask(user);
  answers.set(user, { at: now, account });
  return await account;
}

async function ask(user: string): Promise<Account> {
  try {
    const [uid, gid] = await Promise.all(
      ['-u', '-g'].map(async (flag) => Number((await run('id', [flag, '--', user])).stdout)),
    );
    assert(uid !== undefined && gid !== undefined, 'id prints a number');
    return { uid, gid };
  } catch (error) {
    throw containerError('CONTAINER_LAUNCH_FAILED', `Failed to get user '${user}'`, error);
  }
}
