/**
 * Placement constraints as they are written: `[field, operator]` or `[field, operator, value]`.
 *
 * What an operator means for an offer is decided by the scheduling half; here only what may be written.
 * Source: behaviour of Marathon 1.10.
 */

import { unreachable } from '@dcos/base';
import type { Constraint, ConstraintOperator } from './app-definition.ts';
import { readList, readText, type Read } from './json-reader.ts';
import type { Violation } from './problem.ts';

/** A constraint, or what is wrong with what was written in its place. */
export type RawConstraint = Constraint | { readonly problem: string };

const OPERATORS: ReadonlySet<string> = new Set<ConstraintOperator>([
  'UNIQUE',
  'CLUSTER',
  'GROUP_BY',
  'LIKE',
  'MAX_PER',
  'UNLIKE',
  'IS',
]);

const TEXT_VALUE = /^[a-zA-Z0-9_/.-]*$/;
const SCALAR_VALUE = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;
const INTEGER_VALUE = /^[+-]?\d{1,10}$/;

/** Longest regular expression of LIKE and UNLIKE. */
const EXPRESSION_LENGTH_MAX = 1024;

/** Reads the array of texts; what is wrong inside of it is a rule about the app, not about types. */
export const readConstraint: Read<RawConstraint> = (value, path, violations) => {
  const texts = readList(readText())(value, path, violations);
  return Array.isArray(texts) ? toConstraint(texts) : { problem: '' };
};

function toConstraint(texts: readonly string[]): RawConstraint {
  const [field, operatorText, value] = texts;
  if (field === undefined || operatorText === undefined || texts.length > 3) {
    return { problem: 'Each constraint must have either 2 or 3 fields' };
  }
  const operator = operatorText.toUpperCase();
  if (!isOperator(operator)) {
    return {
      problem:
        'operator must be one of the following UNIQUE, CLUSTER, GROUP_BY, LIKE, MAX_PER, UNLIKE or IS',
    };
  }
  return value === undefined ? { field, operator } : { field, operator, value };
}

function isOperator(text: string): text is ConstraintOperator {
  return OPERATORS.has(text);
}

/** The constraint as it is written in JSON. */
export function constraintFields({ field, operator, value }: Constraint): readonly string[] {
  return value === undefined ? [field, operator] : [field, operator, value];
}

/** What is wrong with the constraints of an app. */
export function constraintViolations(constraints: readonly RawConstraint[]): readonly Violation[] {
  return constraints.flatMap((constraint, index) => {
    const error = 'problem' in constraint ? constraint.problem : constraintProblem(constraint);
    return error === undefined ? [] : [{ path: `/constraints(${index})`, error }];
  });
}

/** Those that are well formed; to be used when {@link constraintViolations} found nothing. */
export function wellFormed(constraints: readonly RawConstraint[]): readonly Constraint[] {
  return constraints.flatMap((constraint) => ('problem' in constraint ? [] : [constraint]));
}

function constraintProblem({ field, operator, value }: Constraint): string | undefined {
  if (field === '') return 'the field of a constraint must not be empty';
  switch (operator) {
    case 'UNIQUE':
      return value === undefined || value === '' ? undefined : 'UNIQUE must not have a value';
    case 'CLUSTER':
      return undefined;
    case 'GROUP_BY':
      return value === undefined || value === '' || value === 'inf' || isCount(value)
        ? undefined
        : 'the value of GROUP_BY must be a whole number';
    case 'MAX_PER':
      return value !== undefined && isCount(value)
        ? undefined
        : 'MAX_PER must have a whole number as its value';
    case 'LIKE':
    case 'UNLIKE':
      return expressionProblem(operator, value);
    case 'IS':
      return value !== undefined && (TEXT_VALUE.test(value) || SCALAR_VALUE.test(value))
        ? undefined
        : 'IS must have a text or a scalar as its value; sets and ranges are not possible';
    default:
      return unreachable(operator);
  }
}

function isCount(value: string): boolean {
  return INTEGER_VALUE.test(value) && Number(value) >= 0;
}

function expressionProblem(operator: string, value: string | undefined): string | undefined {
  if (value === undefined) return `${operator} must have a regular expression as its value`;
  if (value.length > EXPRESSION_LENGTH_MAX) {
    return `the expression of ${operator} must have at most ${EXPRESSION_LENGTH_MAX} characters`;
  }
  try {
    RegExp(value);
    return undefined;
  } catch {
    return `'${value}' is not a regular expression`;
  }
}
