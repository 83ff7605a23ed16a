/**
 * Offer constraints: what a framework says of the agents that it wants to be offered for a role, compiled
 * into one predicate per role. Groups are ORed, the constraints of a group ANDed.
 *
 * Invariants: a predicate depends on the agent's description only; expressions are RE2, matched in time
 * linear in the text, and no larger than the options allow.
 * Source: the original's offer constraints filter. A predicate about a text is true for an attribute of
 * another type; a negative one is true, a positive one false, where the attribute is missing.
 */

import type { AgentFilter } from '@dcos/allocator';
import { err, ok, type Result } from '@dcos/base';
import type { AgentInfo, Attribute, scheduler } from '@dcos/wire';
import { RE2JS, RE2JSException } from 're2js';
import type { MasterOptions } from './options.ts';

/** Bounds of an expression: its characters, and the instructions of its program. */
export type RegexBounds = Pick<
  MasterOptions,
  'constraintRegexLengthMax' | 'constraintRegexProgramMax'
>;

type Constraint = scheduler.AttributeConstraint;

/** What a selector finds on an agent: nothing, a text, or a value that is no text. */
type Selected =
  | { readonly kind: 'missing' }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'other' };

type Predicate = (selected: Selected) => boolean;

/** Predicates by role, none for a role without constraints; or what is wrong with the constraints. */
export function compileOfferConstraints(
  constraints: scheduler.OfferConstraints | undefined,
  bounds: RegexBounds,
): Result<ReadonlyMap<string, AgentFilter>, string> {
  const filters = new Map<string, AgentFilter>();
  for (const [role, { groups = [] }] of Object.entries(constraints?.role_constraints ?? {})) {
    if (groups.length === 0) return err(`Role '${role}' has no constraint groups`);
    const compiled: (readonly AgentFilter[])[] = [];
    for (const [index, { attribute_constraints: all = [] }] of groups.entries()) {
      const where = `Group ${index} of role '${role}'`;
      if (all.length === 0) return err(`${where} has no attribute constraints`);
      const group: AgentFilter[] = [];
      for (const constraint of all) {
        const filter = compileConstraint(constraint, bounds);
        if (!filter.ok) return err(`${where} is invalid: ${filter.error}`);
        group.push(filter.value);
      }
      compiled.push(group);
    }
    filters.set(role, (info) => compiled.some((group) => group.every((holds) => holds(info))));
  }
  return ok(filters);
}

function compileConstraint(
  { selector, predicate }: Constraint,
  bounds: RegexBounds,
): Result<AgentFilter, string> {
  const select = compileSelector(selector);
  if (!select.ok) return select;
  const holds = compilePredicate(predicate, bounds);
  if (!holds.ok) return holds;
  return ok((info) => holds.value(select.value(info)));
}

function compileSelector(
  selector: Constraint['selector'],
): Result<(info: AgentInfo) => Selected, string> {
  if (selector?.attribute_name !== undefined) {
    const name = selector.attribute_name;
    return ok((info) => selectedOf(info.attributes?.find((attribute) => attribute.name === name)));
  }
  switch (selector?.pseudoattribute_type) {
    case 'HOSTNAME':
      return ok(({ hostname }) => ({ kind: 'text', text: hostname }));
    case 'REGION':
      return ok(({ domain }) => textOrMissing(domain?.fault_domain?.region.name));
    case 'ZONE':
      return ok(({ domain }) => textOrMissing(domain?.fault_domain?.zone.name));
    case undefined:
      return err('Exactly one of the selector fields must be set');
    default:
      return err('Unknown pseudoattribute type');
  }
}

function selectedOf(attribute: Attribute | undefined): Selected {
  if (attribute === undefined) return { kind: 'missing' };
  return attribute.type === 'TEXT' && attribute.text !== undefined
    ? { kind: 'text', text: attribute.text.value }
    : { kind: 'other' };
}

function textOrMissing(text: string | undefined): Selected {
  return text === undefined ? { kind: 'missing' } : { kind: 'text', text };
}

function compilePredicate(
  predicate: Constraint['predicate'],
  bounds: RegexBounds,
): Result<Predicate, string> {
  const {
    text_equals: equals,
    text_not_equals: notEquals,
    text_matches: matches,
    text_not_matches: notMatches,
  } = predicate ?? {};
  if (predicate?.exists !== undefined) return ok(({ kind }) => kind !== 'missing');
  if (predicate?.not_exists !== undefined) return ok(({ kind }) => kind === 'missing');
  if (equals !== undefined) return ok(onText((text) => text === equals.value, false));
  if (notEquals !== undefined) return ok(onText((text) => text !== notEquals.value, true));
  if (matches !== undefined) {
    const regex = compileRegex(matches.regex, bounds);
    return regex.ok ? ok(onText((text) => regex.value.testExact(text), false)) : regex;
  }
  if (notMatches !== undefined) {
    const regex = compileRegex(notMatches.regex, bounds);
    return regex.ok ? ok(onText((text) => !regex.value.testExact(text), true)) : regex;
  }
  return err('Exactly one of the predicate fields must be set');
}

function onText(holds: (text: string) => boolean, ofMissing: boolean): Predicate {
  return (selected) => {
    if (selected.kind === 'missing') return ofMissing;
    return selected.kind === 'other' || holds(selected.text);
  };
}

function compileRegex(
  regex: string,
  { constraintRegexLengthMax: lengthMax, constraintRegexProgramMax: programMax }: RegexBounds,
): Result<RE2JS, string> {
  if (regex.length > lengthMax) {
    // So long a text hardly has so small a program; it is not compiled at all.
    return err(`A regex of ${regex.length} characters is too long; ${lengthMax} are allowed`);
  }
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(regex);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return err(`Failed to construct regex from pattern '${regex}': ${error.message}`);
  }
  const size = compiled.programSize();
  return size <= programMax
    ? ok(compiled)
    : err(
        `Regex '${regex}' is too complex: program size of ${size} is larger than maximum of ` +
          `${programMax} allowed`,
      );
}
