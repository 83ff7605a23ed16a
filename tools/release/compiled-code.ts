/**
 * Part of each program of a release: keeps what Node compiles, so that the next start is quicker. Only where nobody else
 * can write: in the folder that systemd made for the unit (`CacheDirectory=`), or in the user's own. A release
 * itself is never written to. `NODE_COMPILE_CACHE` names another folder, as always.
 */

import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

export function keepCompiledCode(): void {
  const { CACHE_DIRECTORY: ofUnit, XDG_CACHE_HOME: ofUser, HOME: home } = process.env;
  const folder = ofUnit?.split(':')[0] || ofUser || (home && join(home, '.cache'));
  if (folder) enableCompileCache(join(folder, 'dcos-compiled'));
}
