/**
 * Placement constraints: may an instance go to the agent of an offer, given where its siblings are?
 *
 * Invariants: pure and total; an agent that lacks the field satisfies only UNLIKE. The regular expressions
 * were checked when the app was accepted; one that does not compile matches nothing.
 * Source: Marathon's constraint operators as documented, with the counting rule of GROUP_BY as observed.
 */

import type { Offer } from '@dcos/wire';
import type { Constraint } from '../model/index.ts';
import { attributeText, scalarText } from './attribute-text.ts';
import type { Instance, Placement } from './instance.ts';

/** Compiled expressions that are kept; apps repeat the same few. */
const EXPRESSIONS_MAX = 1000;
const expressions = new Map<string, RegExp | undefined>();

/** The value of a constraint field on an agent; undefined when the agent has none. */
export function fieldValue(field: string, place: Placement): string | undefined {
  switch (field) {
    case 'hostname':
    case '@hostname':
      return place.hostname;
    case '@region':
      return place.region;
    case '@zone':
      return place.zone;
    default: {
      const attribute = place.attributes.find((candidate) => candidate.name === field);
      return attribute === undefined ? undefined : attributeText(attribute);
    }
  }
}

/** The placement that accepting an offer would give. */
export function placementOf(offer: Offer): Placement {
  const region = offer.domain?.fault_domain?.region.name;
  const zone = offer.domain?.fault_domain?.zone.name;
  return {
    agentId: offer.agent_id.value,
    hostname: offer.hostname,
    ...(region === undefined ? {} : { region }),
    ...(zone === undefined ? {} : { zone }),
    attributes: offer.attributes ?? [],
  };
}

/**
 * The instances that constraints look at: those with a place and a task that may run there, of the current
 * configuration only, so that a rolling restart can use the hosts of what it replaces.
 */
export function countedForConstraints(
  instances: Iterable<Instance>,
  configVersion: string,
): Instance[] {
  const counted: Instance[] = [];
  for (const instance of instances) {
    if (instance.configVersion !== configVersion || instance.placement === undefined) continue;
    switch (instance.condition) {
      case 'Provisioned':
      case 'Staging':
      case 'Starting':
      case 'Running':
      case 'Killing':
        counted.push(instance);
        break;
      default:
        break;
    }
  }
  return counted;
}

export interface ConstraintContext {
  /** Instances that the app asks for. */
  readonly targetInstances: number;
  /** Where the counted instances are. */
  readonly placed: readonly Placement[];
}

/** The first constraint that turns a place down; undefined when all accept it. */
export function violatedConstraint(
  constraints: readonly Constraint[],
  place: Placement,
  context: ConstraintContext,
): Constraint | undefined {
  return constraints.find((constraint) => !accepts(constraint, place, context));
}

/** A constraint as a person writes it, such as `hostname UNIQUE`. */
export function constraintText(constraint: Constraint): string {
  const { field, operator, value } = constraint;
  return value === undefined ? `${field} ${operator}` : `${field} ${operator} ${value}`;
}

function accepts(constraint: Constraint, place: Placement, context: ConstraintContext): boolean {
  const offered = fieldValue(constraint.field, place);
  if (offered === undefined) return constraint.operator === 'UNLIKE';
  switch (constraint.operator) {
    case 'UNIQUE':
      return !context.placed.some((other) => fieldValue(constraint.field, other) === offered);
    case 'CLUSTER':
      return acceptsCluster(constraint, offered, context);
    case 'GROUP_BY':
      return acceptsGroupBy(constraint, offered, context);
    case 'MAX_PER':
      return (
        (groupSizes(constraint.field, context.placed).get(offered) ?? 0) < Number(constraint.value)
      );
    case 'LIKE':
      return matches(constraint.value ?? '', offered);
    case 'UNLIKE':
      return !matches(constraint.value ?? '', offered);
    case 'IS':
      return isEqual(constraint.value ?? '', offered);
    default:
      return false;
  }
}

function acceptsCluster(
  constraint: Constraint,
  offered: string,
  context: ConstraintContext,
): boolean {
  if (constraint.value !== undefined && constraint.value !== '')
    return offered === constraint.value;
  const first = context.placed[0];
  return first === undefined || fieldValue(constraint.field, first) === offered;
}

/**
 * Spreads evenly over groups. With a target of D over G groups every group gets D div G; D mod G more may
 * go to groups that are at that level, as long as no others already took them.
 */
function acceptsGroupBy(
  constraint: Constraint,
  offered: string,
  context: ConstraintContext,
): boolean {
  const sizes = groupSizes(constraint.field, context.placed);
  const given =
    constraint.value === undefined || constraint.value === '' ? 0 : Number(constraint.value);
  const known = new Set(sizes.keys()).add(offered).size;
  // Without a number nobody can say how many groups there will be: those that are known count.
  const groups = Math.max(Number.isFinite(given) ? given : known, 1);
  const level = Math.floor(context.targetInstances / groups);
  const current = sizes.get(offered);
  if (given === 0) {
    const least = Math.min(...sizes.values(), Number.MAX_SAFE_INTEGER);
    return current === undefined || current <= least;
  }
  if (current === undefined) return sizes.size < groups;
  let over = 0;
  for (const size of sizes.values()) over += Math.max(0, size - level);
  return current < level || (current === level && (context.targetInstances % groups) - over > 0);
}

/** How many placed instances each value of a field has. */
export function groupSizes(field: string, placed: Iterable<Placement>): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const place of placed) {
    const value = fieldValue(field, place);
    if (value !== undefined) sizes.set(value, (sizes.get(value) ?? 0) + 1);
  }
  return sizes;
}

function isEqual(wanted: string, offered: string): boolean {
  if (wanted === offered) return true;
  const number = Number(wanted);
  return wanted !== '' && Number.isFinite(number) && scalarText(number) === offered;
}

function matches(pattern: string, text: string): boolean {
  let expression = expressions.get(pattern);
  if (expression === undefined && !expressions.has(pattern)) {
    expression = compile(pattern);
    if (expressions.size >= EXPRESSIONS_MAX) expressions.clear();
    expressions.set(pattern, expression);
  }
  return expression?.test(text) ?? false;
}

function compile(pattern: string): RegExp | undefined {
  try {
    return new RegExp(`^(?:${pattern})$`);
  } catch {
    return undefined;
  }
}
