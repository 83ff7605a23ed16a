/**
 * What the box is part of: a checkout, where everything is kept in the checkout, or a release, which is never written
 * to, so that state and compiled code are the user's.
 */

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface Installation {
  /** Where state is kept unless a flag says otherwise. */
  readonly dataDirectory: string;
  /** The built web console. */
  readonly uiDirectory: string;
  /** For compiled code. */
  readonly cacheDirectory: string;
}

/** What marks the top folder of each. */
const OF_RELEASE = 'manifest.json';
const OF_CHECKOUT = 'nx.json';
/** Of folders from the program to the top: `packages/box/src`, `lib/box`. What is further up is somebody else's. */
const LEVELS_MAX = 3;

/**
 * @param programFolder a folder of the program
 * @param home the user's home folder
 * @throws Error for a program that is in neither
 */
export function installationOf(programFolder: string, home: string): Installation {
  let folder = programFolder;
  for (let level = 0; level <= LEVELS_MAX; level++, folder = dirname(folder)) {
    if (existsSync(join(folder, OF_RELEASE))) {
      return {
        dataDirectory: join(home, '.local', 'share', 'dcos'),
        uiDirectory: join(folder, 'ui'),
        cacheDirectory: join(home, '.cache', 'dcos-compiled'),
      };
    }
    if (existsSync(join(folder, OF_CHECKOUT))) {
      return {
        dataDirectory: join(folder, '.dcos'),
        uiDirectory: join(folder, 'packages', 'ui', 'dist'),
        cacheDirectory: join(folder, 'node_modules', '.cache', 'box'),
      };
    }
  }
  throw new Error(`${programFolder} is part of neither a release nor a checkout`);
}
