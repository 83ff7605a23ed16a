import { expect, test } from 'vitest';
import type { Environment_Variable, Secret } from '@dcos/wire';
import { environmentProblem, secretVolumeProblem } from './secret-validation.ts';

const value = { data: Buffer.from('x') };
const reference = { name: 's' };

const ofVariable = (variable: Omit<Environment_Variable, 'name'>): string | undefined =>
  environmentProblem({ environment: { variables: [{ name: 'S', ...variable }] } });

test.each<[Omit<Environment_Variable, 'name'>, string | undefined]>([
  [{ value: 'x' }, undefined],
  [{ value: '' }, undefined],
  [{}, "Environment variable 'S' must have a value set"],
  [
    { type: 'VALUE', value: 'x', secret: { type: 'VALUE', value } },
    "Environment variable 'S' must not have a secret set",
  ],
  [{ type: 'SECRET', secret: { type: 'VALUE', value } }, undefined],
  [{ type: 'SECRET', secret: { type: 'REFERENCE', reference } }, undefined],
  [{ type: 'SECRET' }, "Environment variable 'S' of type 'SECRET' must have a secret set"],
  [
    { type: 'SECRET', value: 'x', secret: { type: 'VALUE', value } },
    "Environment variable 'S' of type 'SECRET' must not have a value set",
  ],
  [
    { type: 'SECRET', secret: { type: 'VALUE', value: { data: Uint8Array.of(65, 0) } } },
    "Environment variable 'S' specifies a secret containing null bytes, which is not allowed in the environment",
  ],
  [
    { type: 'SECRET', secret: { type: 'VALUE' } },
    "Environment variable 'S' specifies an invalid secret: Secret of type VALUE must have the 'value' field set",
  ],
])('the variable %j', (variable, problem) => {
  expect(ofVariable(variable)).toBe(problem);
});

test.each<[Secret | undefined, RegExp | undefined]>([
  [{ type: 'VALUE', value: { data: Uint8Array.of(0) } }, undefined],
  [{ type: 'REFERENCE', reference }, undefined],
  [undefined, /'source.secret' is not set for SECRET volume/],
  [{ type: 'VALUE', value, reference }, /VALUE must not have the 'reference' field set/],
  [{ type: 'REFERENCE' }, /REFERENCE must have the 'reference' field set/],
  [{ type: 'REFERENCE', reference, value }, /'s' of type REFERENCE must not have the 'value'/],
  [{ type: 'UNKNOWN' }, /must have a type/],
])('the volume with %j', (secret, problem) => {
  const source = { type: 'SECRET', ...(secret !== undefined && { secret }) } as const;
  const told = secretVolumeProblem({
    type: 'MESOS',
    volumes: [{ mode: 'RO', container_path: 'p', source }],
  });
  if (problem === undefined) expect(told).toBeUndefined();
  else expect(told).toMatch(problem);
});
