/**
 * What secrets must be like where tasks and executors bring them: in the environment of a command, and as volumes.
 * Source: the original's validation; the texts have its meaning.
 */

import type { CommandInfo, ContainerInfo, Environment_Variable, Secret } from '@dcos/wire';

/** Says what is wrong with the variables of a command, or undefined. */
export function environmentProblem(command: CommandInfo | undefined): string | undefined {
  for (const variable of command?.environment?.variables ?? []) {
    const problem = variableProblem(variable);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function variableProblem({ name, type, value, secret }: Environment_Variable): string | undefined {
  const variable = `Environment variable '${name}'`;
  if (type !== 'SECRET') {
    if (value === undefined) return `${variable} must have a value set`;
    return secret === undefined ? undefined : `${variable} must not have a secret set`;
  }
  if (secret === undefined) return `${variable} of type 'SECRET' must have a secret set`;
  if (value !== undefined) return `${variable} of type 'SECRET' must not have a value set`;
  const problem = secretProblem(secret);
  if (problem !== undefined) return `${variable} specifies an invalid secret: ${problem}`;
  return secret.value?.data.includes(0) === true
    ? `${variable} specifies a secret containing null bytes, which is not allowed in the environment`
    : undefined;
}

/** Says what is wrong with the volumes of a container that are secrets, or undefined. */
export function secretVolumeProblem(container: ContainerInfo | undefined): string | undefined {
  for (const { source } of container?.volumes ?? []) {
    if (source?.type !== 'SECRET') continue;
    const problem =
      source.secret === undefined
        ? "'source.secret' is not set for SECRET volume"
        : secretProblem(source.secret);
    if (problem !== undefined) return `Volume specifies an invalid secret: ${problem}`;
  }
  return undefined;
}

function secretProblem({ type, reference, value }: Secret): string | undefined {
  switch (type) {
    case 'REFERENCE':
      if (reference === undefined)
        return "Secret of type REFERENCE must have the 'reference' field set";
      return value === undefined
        ? undefined
        : `Secret '${reference.name}' of type REFERENCE must not have the 'value' field set`;
    case 'VALUE':
      if (value === undefined) return "Secret of type VALUE must have the 'value' field set";
      return reference === undefined
        ? undefined
        : "Secret of type VALUE must not have the 'reference' field set";
    case 'UNKNOWN':
    case undefined:
      return 'Secret must have a type';
    default:
      return type satisfies never;
  }
}
