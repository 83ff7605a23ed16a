/**
 * The rules about a complete definition on its own; those about its place among others are in
 * `roles.ts` and `validate-root.ts`.
 *
 * Every rule gives its place and text; all of them are looked at, so that an answer names all at once.
 * Source: the rules of Marathon 1.10.
 */

import type { AppDefinition } from './app-definition.ts';
import type { Violation } from './problem.ts';
import type { Feature, ModelSettings } from './settings.ts';
import { checkViolations } from './validate-checks.ts';
import { containerViolations } from './validate-container.ts';
import { networkViolations } from './validate-networks.ts';

const ROLE_CHARACTERS = /^[^\s/\p{Cc}]+$/u;
const URI_CHARACTERS = /^(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=\u00a0-\uffff]|%[0-9A-Fa-f]{2})+$/;

/** All rules that a definition breaks; none for a definition that may be stored. */
export function appViolations(app: AppDefinition, settings: ModelSettings): readonly Violation[] {
  return [
    ...commandViolations(app),
    ...roleNameViolations(app),
    ...networkViolations(app),
    ...containerViolations(app),
    ...checkViolations(app),
    ...fetchViolations(app),
    ...quantityViolations(app, settings),
    ...strategyViolations(app),
    ...secretViolations(app, settings),
    ...labelViolations(app),
  ];
}

/** The text for something that needs a feature which is off. */
export function featureMissing(feature: Feature): string {
  return `Feature ${feature} is not enabled. Enable with --enable_features ${feature}`;
}

function commandViolations(app: AppDefinition): readonly Violation[] {
  const violations: Violation[] = [];
  const hasCommand = app.cmd !== undefined;
  const hasArguments = app.args.length > 0;
  const hasImage = app.container?.docker !== undefined;
  if ((hasCommand && hasArguments) || !(hasCommand || hasArguments || hasImage)) {
    const error =
      "AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'." +
      (hasCommand ? ' It has both of them.' : ' It has none of them.');
    violations.push({ path: '/', error });
  }
  if (app.cmd !== undefined && app.cmd.length <= 1) {
    violations.push({ path: '/cmd', error: 'must have more than 1 character' });
  }
  if (Object.hasOwn(app.env, ''))
    violations.push({ path: '/env', error: 'must not have empty names' });
  return violations;
}

function roleNameViolations(app: AppDefinition): readonly Violation[] {
  const { acceptedResourceRoles: accepted, role } = app;
  const violations: Violation[] = [];
  const problem = roleProblem(role);
  if (problem !== undefined) violations.push({ path: '/role', error: problem });
  if (accepted === undefined) return violations;
  if (accepted.length === 0) {
    violations.push({ path: '/acceptedResourceRoles', error: 'must not be empty' });
  }
  for (const [index, name] of accepted.entries()) {
    const nameProblem = roleProblem(name);
    if (nameProblem !== undefined) {
      violations.push({ path: `/acceptedResourceRoles(${index})`, error: nameProblem });
    }
  }
  const refused = accepted.filter(
    (name) => name !== '*' && name !== role && roleProblem(name) === undefined,
  );
  if (refused.length > 0) {
    const error =
      'acceptedResourceRoles can only contain * and the role of the app, ' +
      `which is ${role}; got ${refused.join(', ')}`;
    violations.push({ path: '/acceptedResourceRoles', error });
  }
  return violations;
}

/** Why a text cannot be the name of a role. */
function roleProblem(name: string): string | undefined {
  if (name === '' || name === '.' || name === '..') return `'${name}' is not a role`;
  if (name.startsWith('-')) return 'a role must not start with -';
  return ROLE_CHARACTERS.test(name)
    ? undefined
    : 'a role must not contain white space, control characters or /';
}

function fetchViolations(app: AppDefinition): readonly Violation[] {
  return app.fetch.flatMap(({ uri }, index) =>
    URI_CHARACTERS.test(uri)
      ? []
      : [{ path: `/fetch(${index})/uri`, error: `URI has invalid syntax: '${uri}'` }],
  );
}

function quantityViolations(app: AppDefinition, settings: ModelSettings): readonly Violation[] {
  const violations: Violation[] = [];
  const { resourceLimits: limits } = app;
  if (app.gpus > 0) {
    if (!settings.features.has('gpu_resources')) {
      violations.push({ path: '/gpus', error: featureMissing('gpu_resources') });
    }
    if (app.container?.type === 'DOCKER') {
      violations.push({ path: '/gpus', error: 'must be 0 when the Docker engine is used' });
    }
  }
  if (typeof limits?.cpus === 'number' && limits.cpus < app.cpus) {
    const error = `must be greater than or equal to the requested cpus (${app.cpus})`;
    violations.push({ path: '/resourceLimits/cpus', error });
  }
  if (typeof limits?.mem === 'number' && limits.mem < app.mem) {
    const error = `must be greater than or equal to the requested mem (${app.mem})`;
    violations.push({ path: '/resourceLimits/mem', error });
  }
  return violations;
}

function strategyViolations(app: AppDefinition): readonly Violation[] {
  const { unreachableStrategy: strategy } = app;
  if (strategy === 'disabled' || strategy.inactiveAfterSeconds <= strategy.expungeAfterSeconds)
    return [];
  const error = 'inactiveAfterSeconds must be less than or equal to expungeAfterSeconds';
  return [{ path: '/unreachableStrategy', error }];
}

function secretViolations(app: AppDefinition, settings: ModelSettings): readonly Violation[] {
  const violations: Violation[] = [];
  const names = Object.keys(app.secrets);
  const references = Object.entries(app.env).flatMap(([name, value]) =>
    typeof value === 'string' ? [] : [{ path: `/env/${name}/secret`, secret: value.secret }],
  );
  const pullSecret = app.container?.docker?.pullConfig?.secret;
  if (pullSecret !== undefined && app.container?.type === 'MESOS') {
    references.push({ path: '/container/docker/pullConfig/secret', secret: pullSecret });
  }
  if (!settings.features.has('secrets')) {
    const error = featureMissing('secrets');
    if (names.length > 0) violations.push({ path: '/secrets', error });
    for (const { path } of references) violations.push({ path, error });
    return violations;
  }
  if (names.includes('')) violations.push({ path: '/secrets', error: 'must not have empty names' });
  for (const { path, secret } of references) {
    if (!Object.hasOwn(app.secrets, secret)) {
      violations.push({ path, error: `references an undefined secret named '${secret}'` });
    }
  }
  return violations;
}

function labelViolations(app: AppDefinition): readonly Violation[] {
  const { labels, upgradeStrategy } = app;
  const violations: Violation[] = [];
  if (labels.MARATHON_SINGLE_INSTANCE_APP === 'true') {
    if (app.instances > 1) {
      const error = 'must be at most 1 for an app labelled MARATHON_SINGLE_INSTANCE_APP';
      violations.push({ path: '/instances', error });
    }
    if (upgradeStrategy.minimumHealthCapacity !== 0 || upgradeStrategy.maximumOverCapacity !== 0) {
      const error =
        'minimumHealthCapacity and maximumOverCapacity must be 0 ' +
        'for an app labelled MARATHON_SINGLE_INSTANCE_APP';
      violations.push({ path: '/upgradeStrategy', error });
    }
  }
  const apiVersion = labels.DCOS_MIGRATION_API_VERSION;
  if (apiVersion !== undefined) {
    if (apiVersion !== 'v1') {
      violations.push({ path: '/labels/DCOS_MIGRATION_API_VERSION', error: "must be 'v1'" });
    }
    for (const name of ['DCOS_PACKAGE_FRAMEWORK_NAME', 'DCOS_MIGRATION_API_PATH']) {
      if ((labels[name] ?? '') === '') {
        const error = 'is required by DCOS_MIGRATION_API_VERSION';
        violations.push({ path: `/labels/${name}`, error });
      }
    }
  }
  const behavior = labels.GPU_SCHEDULING_BEHAVIOR;
  if (behavior !== undefined && behavior !== 'restricted' && behavior !== 'unrestricted') {
    const error = "must be 'restricted' or 'unrestricted'";
    violations.push({ path: '/labels/GPU_SCHEDULING_BEHAVIOR', error });
  }
  return violations;
}
