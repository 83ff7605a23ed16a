/**
 * Refusals as values: the status code and the body of the answer.
 *
 * Invariants: the details of a body name each place once, in the order in which the places were found wrong.
 * Source: the error model of Marathon 1.10, in which wrong types are answered with 422, not 400.
 */

import { err, type JsonObject } from '@dcos/base';
import type { PathId, Version } from './app-definition.ts';

export interface Problem {
  readonly status: number;
  readonly body: JsonObject;
}

/** One thing that is wrong at one place, such as `/apps(0)/id`; `/` is the whole object. */
export interface Violation {
  readonly path: string;
  readonly error: string;
}

/** Details in an answer: at most that many places, the rest is counted. */
export const DETAILS_MAX = 100;

/** A Result that refuses with this problem. */
export function refuse(problem: Problem): { readonly ok: false; readonly error: Problem } {
  return err(problem);
}

/** The body cannot be parsed as JSON; `text` is what the parser said. */
export function invalidJson(text: string): Problem {
  return { status: 400, body: { message: 'Invalid JSON', details: text } };
}

export function emptyBody(): Problem {
  return {
    status: 400,
    body: { message: 'Please specify data in JSON format', details: 'the request has no body' },
  };
}

/** Fields that are missing, of a wrong type, or out of the bounds of their type. */
export function wrongTypes(violations: readonly Violation[]): Problem {
  return { status: 422, body: { message: 'Invalid JSON', details: mergedByPath(violations) } };
}

/** Fields that are well formed and do not go together, or with the rest of the cluster. */
export function notValid(violations: readonly Violation[]): Problem {
  return {
    status: 422,
    body: { message: 'Object is not valid', details: mergedByPath(violations) },
  };
}

/** A bad argument outside of a body. */
export function illegalArgument(message: string): Problem {
  return { status: 422, body: { message } };
}

export function badRequest(message: string): Problem {
  return { status: 400, body: { message } };
}

export function unknownApp(id: PathId, version?: Version): Problem {
  return notFound(`App '${id}' does not exist`, version);
}

export function unknownGroup(id: PathId, version?: Version): Problem {
  return notFound(`Group '${id}' does not exist`, version);
}

export function unknownTask(id: string): Problem {
  return notFound(`Task '${id}' does not exist`);
}

export function unknownPath(id: string): Problem {
  return notFound(`Path '${id}' does not exist`);
}

function notFound(message: string, version?: Version): Problem {
  return {
    status: 404,
    body: { message: version === undefined ? message : `${message} in version ${version}` },
  };
}

export function appExists(id: PathId): Problem {
  return conflict(`An app with id [${id}] already exists.`);
}

export function groupExists(id: PathId): Problem {
  return conflict(`Group ${id} is already created. Use PUT to change this group.`);
}

export function appAtGroupPath(id: PathId): Problem {
  return conflict(`An app with the path ${id} already exists.`);
}

function conflict(message: string): Problem {
  return { status: 409, body: { message } };
}

/** Running deployments hold what is to be changed. The placeholder in the text is what clients expect. */
export function lockedByDeployments(deploymentIds: readonly string[]): Problem {
  return {
    status: 409,
    body: {
      message:
        'App is locked by one or more deployments. ' +
        "Override with the option '?force=true'. " +
        "View details at '/v2/deployments/<DEPLOYMENT_ID>'.",
      deployments: deploymentIds.map((id) => ({ id })),
    },
  };
}

export function tooManyDeployments(deploymentsMax: number): Problem {
  return {
    status: 403,
    body: {
      message:
        `The maximum number of ${deploymentsMax} running deployments is reached. ` +
        'Wait for one to finish, or raise --max_running_deployments.',
    },
  };
}

/** Something ran out on our side. */
export function internalProblem(message: string): Problem {
  return { status: 500, body: { message } };
}

function mergedByPath(violations: readonly Violation[]): readonly JsonObject[] {
  const byPath = new Map<string, string[]>();
  for (const { path, error } of violations) {
    const errors = byPath.get(path) ?? [];
    if (!errors.includes(error)) errors.push(error);
    byPath.set(path, errors);
  }
  const details = [...byPath].map(([path, errors]) => ({ path, errors }));
  if (details.length <= DETAILS_MAX) return details;
  const rest = details.length - DETAILS_MAX;
  return [...details.slice(0, DETAILS_MAX), { path: '/', errors: [`and ${rest} more places`] }];
}
