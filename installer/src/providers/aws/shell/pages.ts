/** Lists of EC2 come in pages, of any length, empty ones too; the end is where no token is given. */

import { assert } from '@dcos/base';

/** A list that is longer is a fault: no cluster has that many of anything. */
const PAGES_MAX = 10_000;

interface Page<T> {
  readonly items: readonly T[] | undefined;
  readonly next: string | undefined;
}

/** All items of all pages. */
export async function allPages<T>(
  page: (token: { readonly NextToken?: string }) => Promise<Page<T>>,
): Promise<readonly T[]> {
  const all: T[] = [];
  let token: string | undefined;
  for (let count = 0; count < PAGES_MAX; count++) {
    const { items = [], next } = await page(token === undefined ? {} : { NextToken: token });
    all.push(...items);
    if (next === undefined || next === '') return all;
    assert(next !== token, 'EC2 gives the same page again and again');
    token = next;
  }
  throw new Error(`EC2 gives more than ${PAGES_MAX} pages`);
}
