/** What the app model needs to know of the scheduler to read a request. */

import type { AppVersions, ChangeContext, RootVersions } from '../model/index.ts';
import type { MarathonState } from './state.ts';

/** The context of a request that makes this version. */
export function requestContext(
  state: MarathonState,
  version: string,
): ChangeContext & AppVersions & RootVersions {
  return {
    settings: state.settings.model,
    version,
    appAt: (id, at) => state.history.appAt(id, at),
    rootAt: (at) => state.history.rootAt(at),
  };
}
