/**
 * Takes a deployment back: every app that it changed returns to its definition of before, in the root as it
 * is now; what others changed meanwhile stays.
 *
 * An app that returns to a configuration keeps the time of that configuration, so instances that still run
 * it are not restarted: the original restarts them all.
 */

import { putApp, removeApp, type AppDefinition, type RootGroup } from '../model/index.ts';
import type { DeploymentPlan } from './deployment.ts';

/** The root with the changes of a plan taken back. */
export function revertPlan(root: RootGroup, plan: DeploymentPlan, version: string): RootGroup {
  let reverted: RootGroup = { ...root, version };
  for (const [appId, { original }] of plan.changes) {
    reverted =
      original === undefined
        ? removeApp(reverted, appId, version)
        : putApp(reverted, restored(original, version), version);
  }
  return reverted;
}

function restored(original: AppDefinition, version: string): AppDefinition {
  return {
    ...original,
    version,
    versionInfo: {
      lastScalingAt: version,
      lastConfigChangeAt: original.versionInfo.lastConfigChangeAt,
    },
  };
}
