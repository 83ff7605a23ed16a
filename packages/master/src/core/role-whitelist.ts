/**
 * The deprecated list of roles that may be used; `*` always may. Without the list all roles may be used.
 * Source: the original's `--roles`.
 */

import type { MasterOptions } from './options.ts';

/** The first of the roles that is not on the list. */
export function unlistedRole(
  { roles: list }: MasterOptions,
  roles: readonly string[],
): string | undefined {
  return list && roles.find((role) => role !== '*' && !list.has(role));
}
