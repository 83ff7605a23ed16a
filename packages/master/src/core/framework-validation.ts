/**
 * What a FrameworkInfo must be like, at its first subscription and when it is changed.
 */

import { idProblem } from '@dcos/base';
import type { MinAllocatable } from '@dcos/allocator';
import { isValidRole, toMilli } from '@dcos/resources';
import { FrameworkInfoType, toJsonText, type FrameworkInfo } from '@dcos/wire';
import { FAILOVER_SECONDS_MAX, type MasterOptions } from './options.ts';
import { keyProblem, sizeProblem } from './registry.ts';
import { unlistedRole } from './role-whitelist.ts';

/** Names of the capabilities that a framework has. */
export function capabilitiesOf(info: FrameworkInfo): ReadonlySet<string> {
  return new Set((info.capabilities ?? []).map(({ type }) => type ?? 'UNKNOWN'));
}

/** Roles that a framework subscribes with. */
export function rolesOf(info: FrameworkInfo): readonly string[] {
  return capabilitiesOf(info).has('MULTI_ROLE') ? (info.roles ?? []) : [info.role ?? '*'];
}

/** What the framework wants to see at least of an offer, by role; thousandths. */
export function minAllocatableOf(info: FrameworkInfo): ReadonlyMap<string, MinAllocatable> {
  const minima = new Map<string, MinAllocatable>();
  for (const [role, filter] of Object.entries(info.offer_filters ?? {})) {
    const sets = filter.min_allocatable_resources?.quantities;
    if (sets === undefined) continue;
    minima.set(
      role,
      sets.map(
        ({ quantities = {} }) =>
          new Map(Object.entries(quantities).map(([name, { value }]) => [name, toMilli(value)])),
      ),
    );
  }
  return minima;
}

/** Says what is wrong with a framework's description, or undefined. */
export function frameworkProblem(
  info: FrameworkInfo,
  suppressedRoles: readonly string[],
): string | undefined {
  return (
    roleProblem(info) ??
    suppressedProblem(info, suppressedRoles) ??
    idOfFrameworkProblem(info) ??
    sizeProblem(toJsonText(FrameworkInfoType, info)) ??
    timeoutProblem(info.failover_timeout)
  );
}

/** Says what the operator's settings have against a framework, or undefined. */
export function settingsProblem(options: MasterOptions, info: FrameworkInfo): string | undefined {
  const role = unlistedRole(options, rolesOf(info));
  if (role !== undefined) return `Role '${role}' is not present in the master's --roles`;
  return info.user === 'root' && !options.rootSubmissions
    ? "User 'root' is not allowed to run frameworks without --root_submissions set"
    : undefined;
}

function roleProblem(info: FrameworkInfo): string | undefined {
  if (capabilitiesOf(info).has('MULTI_ROLE')) {
    if (info.role !== undefined) {
      return "'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable";
    }
    const roles = info.roles ?? [];
    const twice = roles.find((role, index) => roles.indexOf(role) !== index);
    if (twice !== undefined) return `'FrameworkInfo.roles' contains duplicate items: ${twice}`;
  } else if ((info.roles ?? []).length > 0) {
    return "'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable";
  }
  for (const role of rolesOf(info)) {
    const problem = isValidRole(role) ?? keyProblem(role);
    if (problem !== undefined) return `'FrameworkInfo.roles' contains invalid role: ${problem}`;
  }
  for (const role of Object.keys(info.offer_filters ?? {})) {
    if (!rolesOf(info).includes(role)) {
      return `'FrameworkInfo.offer_filters' contains a role that the framework is not subscribed to: ${role}`;
    }
  }
  return undefined;
}

function suppressedProblem(
  info: FrameworkInfo,
  suppressedRoles: readonly string[],
): string | undefined {
  const roles = rolesOf(info);
  const foreign = suppressedRoles.find((role) => !roles.includes(role));
  return foreign === undefined
    ? undefined
    : `Suppressed roles { ${foreign} } are not contained in the set of roles { ${roles.join(', ')} }`;
}

function idOfFrameworkProblem(info: FrameworkInfo): string | undefined {
  const id = info.id?.value ?? '';
  const problem = id === '' ? undefined : (idProblem(id) ?? keyProblem(id));
  return problem === undefined ? undefined : `Framework ID is invalid: ${problem}`;
}

function timeoutProblem(seconds: number | undefined): string | undefined {
  if (seconds === undefined) return undefined;
  // Infinity and NaN included: they have no duration.
  return seconds <= FAILOVER_SECONDS_MAX && seconds >= -FAILOVER_SECONDS_MAX
    ? undefined
    : `The framework failover_timeout (${seconds}) is invalid: Argument out of the range that a Duration can represent due to int64_t's size limit`;
}

/** Says which immutable field an update tries to change, or undefined. */
export function updateProblem(old: FrameworkInfo, wanted: FrameworkInfo): string | undefined {
  for (const field of ['principal', 'user', 'checkpoint'] as const) {
    const from = old[field] ?? (field === 'checkpoint' ? false : '');
    const to = wanted[field] ?? (field === 'checkpoint' ? false : '');
    if (from !== to) {
      return `Updating 'FrameworkInfo.${field}' is unsupported; attempted to update from '${from}' to '${to}'`;
    }
  }
  return undefined;
}
