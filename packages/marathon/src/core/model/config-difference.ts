/**
 * What kind of change leads from one definition of an app to the next, and what versions follow from it.
 *
 * Source: behaviour of Marathon 1.10: instances of one `lastConfigChangeAt` are interchangeable.
 */

import type { AppDefinition, Version } from './app-definition.ts';
import { isEqualData } from './compact.ts';

/** Fields whose change needs new instances. `executorResources` is not among them. */
const CONFIGURATION = [
  'cmd',
  'args',
  'user',
  'env',
  'cpus',
  'mem',
  'disk',
  'gpus',
  'executor',
  'constraints',
  'fetch',
  'portDefinitions',
  'requirePorts',
  'backoffSeconds',
  'backoffFactor',
  'maxLaunchDelaySeconds',
  'container',
  'healthChecks',
  'check',
  'taskKillGracePeriodSeconds',
  'dependencies',
  'upgradeStrategy',
  'labels',
  'acceptedResourceRoles',
  'networks',
  'readinessChecks',
  'secrets',
  'unreachableStrategy',
  'killSelection',
  'tty',
  'role',
  'resourceLimits',
] as const satisfies readonly (keyof AppDefinition)[];

/** True when running instances of one definition do not do for the other. */
export function isConfigDifferent(left: AppDefinition, right: AppDefinition): boolean {
  return left !== right && CONFIGURATION.some((field) => !isEqualData(left[field], right[field]));
}

/** True when two definitions say the same, whatever their versions. */
export function isSameDefinition(left: AppDefinition, right: AppDefinition): boolean {
  return (
    !isConfigDifferent(left, right) &&
    left.instances === right.instances &&
    isEqualData(left.executorResources, right.executorResources)
  );
}

/** The definition with the versions that follow from what it was; the old object if nothing changed. */
export function stampVersion(
  original: AppDefinition | undefined,
  target: AppDefinition,
  version: Version,
): AppDefinition {
  if (original === undefined) {
    return {
      ...target,
      version,
      versionInfo: { lastScalingAt: version, lastConfigChangeAt: version },
    };
  }
  if (isConfigDifferent(original, target)) {
    return {
      ...target,
      version,
      versionInfo: { lastScalingAt: version, lastConfigChangeAt: version },
    };
  }
  const { lastScalingAt, lastConfigChangeAt } = original.versionInfo;
  if (original.instances !== target.instances) {
    return { ...target, version, versionInfo: { lastScalingAt: version, lastConfigChangeAt } };
  }
  if (isSameDefinition(original, target)) return original;
  return { ...target, version, versionInfo: { lastScalingAt, lastConfigChangeAt } };
}

/** The definition for a restart: all instances are replaced by equal ones. */
export function restarted(app: AppDefinition, version: Version): AppDefinition {
  const { lastScalingAt } = app.versionInfo;
  return { ...app, version, versionInfo: { lastScalingAt, lastConfigChangeAt: version } };
}
