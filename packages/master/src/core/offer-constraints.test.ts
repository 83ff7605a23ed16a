import type { AgentInfo, scheduler } from '@dcos/wire';
import { describe, expect, test } from 'vitest';
import { eventsOf, frameworkInfo, World } from '../testing/world.ts';
import { compileOfferConstraints } from './offer-constraints.ts';
import { defaultMasterOptions } from './options.ts';

type Constraint = scheduler.AttributeConstraint;

const AGENT: AgentInfo = {
  hostname: 'node-1.example',
  attributes: [
    { name: 'rack', type: 'TEXT', text: { value: 'r1' } },
    { name: 'rack', type: 'TEXT', text: { value: 'r2' } },
    { name: 'cores', type: 'SCALAR', scalar: { value: 8 } },
    { name: 'ports', type: 'RANGES', ranges: { range: [{ begin: 1, end: 2 }] } },
  ],
  domain: { fault_domain: { region: { name: 'eu' }, zone: { name: 'eu-1' } } },
};

const named = (name: string): Constraint['selector'] => ({ attribute_name: name });
const pseudo = (type: 'HOSTNAME' | 'REGION' | 'ZONE'): Constraint['selector'] => ({
  pseudoattribute_type: type,
});
const only = (...groups: readonly (readonly Constraint[])[]): scheduler.OfferConstraints => ({
  role_constraints: {
    r: { groups: groups.map((constraints) => ({ attribute_constraints: constraints })) },
  },
});

function accepts(constraints: scheduler.OfferConstraints, info: AgentInfo): boolean {
  const compiled = compileOfferConstraints(constraints, defaultMasterOptions);
  if (!compiled.ok) throw new Error(compiled.error);
  const filter = compiled.value.get('r');
  if (filter === undefined) throw new Error('no filter for the role');
  return filter(info);
}

const is = (selector: Constraint['selector'], predicate: Constraint['predicate']): Constraint => ({
  selector,
  predicate,
});
const YES = is(named('rack'), { exists: {} });
const NO = is(named('rack'), { not_exists: {} });

describe('one constraint', () => {
  test.each<[string, Constraint, boolean]>([
    ['an attribute exists', is(named('rack'), { exists: {} }), true],
    ['an attribute that is missing exists', is(named('gpu'), { exists: {} }), false],
    ['a number exists', is(named('cores'), { exists: {} }), true],
    ['an attribute does not exist', is(named('rack'), { not_exists: {} }), false],
    ['a missing one does not exist', is(named('gpu'), { not_exists: {} }), true],
    ['the same text', is(named('rack'), { text_equals: { value: 'r1' } }), true],
    [
      'the first of a name counts, no other',
      is(named('rack'), { text_equals: { value: 'r2' } }),
      false,
    ],
    ['a missing text is equal', is(named('gpu'), { text_equals: { value: '' } }), false],
    ['a number is equal to any text', is(named('cores'), { text_equals: { value: 'x' } }), true],
    ['ranges are equal to any text', is(named('ports'), { text_equals: { value: 'x' } }), true],
    ['another text', is(named('rack'), { text_not_equals: { value: 'r2' } }), true],
    ['not another text', is(named('rack'), { text_not_equals: { value: 'r1' } }), false],
    ['a missing text differs', is(named('gpu'), { text_not_equals: { value: 'r1' } }), true],
    ['a number differs too', is(named('cores'), { text_not_equals: { value: '8' } }), true],
    ['a match', is(named('rack'), { text_matches: { regex: 'r[0-9]' } }), true],
    ['a match of a part', is(named('rack'), { text_matches: { regex: 'r' } }), false],
    [
      'an alternative is matched as a whole',
      is(named('rack'), { text_matches: { regex: 'r|r1' } }),
      true,
    ],
    ['a missing text matches', is(named('gpu'), { text_matches: { regex: '.*' } }), false],
    ['a number matches', is(named('cores'), { text_matches: { regex: 'x' } }), true],
    ['no match', is(named('rack'), { text_not_matches: { regex: 'x.*' } }), true],
    ['no match, but it does', is(named('rack'), { text_not_matches: { regex: 'r.' } }), false],
    ['a missing text does not match', is(named('gpu'), { text_not_matches: { regex: '' } }), true],
    [
      'the host name',
      is(pseudo('HOSTNAME'), { text_matches: { regex: 'node-\\d+\\.example' } }),
      true,
    ],
    ['the region', is(pseudo('REGION'), { text_equals: { value: 'eu' } }), true],
    ['the zone', is(pseudo('ZONE'), { text_equals: { value: 'eu-2' } }), false],
  ])('%s', (_what, constraint, expected) => {
    expect(accepts(only([constraint]), AGENT)).toBe(expected);
  });
});

test('an agent without a domain has no region and no zone', () => {
  const { domain: _domain, ...info } = AGENT;
  expect(accepts(only([is(pseudo('REGION'), { exists: {} })]), info)).toBe(false);
  expect(accepts(only([is(pseudo('ZONE'), { not_exists: {} })]), info)).toBe(true);
});

test.each<[string, readonly (readonly Constraint[])[], boolean]>([
  ['all constraints of a group', [[YES, NO]], false],
  ['one group of several', [[NO], [YES, YES]], true],
  ['none of the groups', [[NO], [NO, YES]], false],
])('%s', (_what, groups, expected) => {
  expect(accepts(only(...groups), AGENT)).toBe(expected);
});

describe('what is refused', () => {
  test.each<[string, scheduler.OfferConstraints, RegExp]>([
    ['no groups', { role_constraints: { r: {} } }, /Role 'r' has no constraint groups/],
    ['an empty group', only([YES], []), /Group 1 of role 'r' has no attribute constraints/],
    ['no selector', only([{ predicate: { exists: {} } } as Constraint]), /selector fields/],
    [
      'an unknown pseudoattribute',
      only([is({ pseudoattribute_type: 'UNKNOWN' }, { exists: {} })]),
      /Unknown pseudoattribute/,
    ],
    ['no predicate', only([is(named('x'), {})]), /predicate fields/],
    ['no expression', only([is(named('x'), { text_matches: { regex: '(a' } })]), /\(a/],
    [
      'back-references',
      only([is(named('x'), { text_not_matches: { regex: '(a)\\1' } })]),
      /construct regex/,
    ],
    [
      'a big program',
      only([is(named('x'), { text_matches: { regex: 'a{200}' } })]),
      /larger than maximum of 100/,
    ],
    [
      'a long expression',
      only([is(named('x'), { text_matches: { regex: 'a'.repeat(4097) } })]),
      /too long/,
    ],
  ])('%s', (_what, constraints, message) => {
    const compiled = compileOfferConstraints(constraints, defaultMasterOptions);
    expect(compiled).toEqual({ ok: false, error: expect.stringMatching(message) });
  });
});

test('an expression that would backtrack for ever is matched in no time', () => {
  const constraints = only([is(pseudo('HOSTNAME'), { text_matches: { regex: '(x+x+)+y' } })]);
  expect(accepts(constraints, { ...AGENT, hostname: 'x'.repeat(5000) })).toBe(false);
});

describe('in the master', () => {
  const nowhere = only([is(named('no-such'), { exists: {} })]);
  const info = frameworkInfo({ roles: ['r'] });

  test('agents that do not satisfy them are not offered until an update takes them away', () => {
    const world = new World();
    const framework = world.subscribe(info);
    const update = (constraints: scheduler.OfferConstraints | undefined): number | undefined =>
      world.call(framework, {
        type: 'UPDATE_FRAMEWORK',
        update_framework: {
          framework_info: { ...info, id: { value: framework.id } },
          ...(constraints !== undefined && { offer_constraints: constraints }),
        },
      }).status;
    expect(update(nowhere)).toBe(200);
    world.register();
    world.settle();
    expect(world.offersOf(framework)).toEqual([]);
    expect(update({ role_constraints: { foreign: { groups: [] } } })).toBe(400);
    world.settle();
    expect(world.offersOf(framework)).toEqual([]);
    expect(update(undefined)).toBe(200);
    world.settle();
    expect(world.offersOf(framework)).toHaveLength(1);
  });

  test('a subscription with bad ones is refused on its stream and leaves nothing behind', () => {
    const world = new World();
    const effects = world.handle({
      kind: 'schedulerCall',
      request: 9000,
      acceptable: true,
      call: {
        type: 'SUBSCRIBE',
        subscribe: { framework_info: info, offer_constraints: only([]) },
      },
    });
    const opened = effects.find(({ kind }) => kind === 'openStream');
    if (opened?.kind !== 'openStream') throw new Error('no stream was opened');
    expect(eventsOf(effects, opened.streamId)).toEqual([
      {
        type: 'ERROR',
        error: {
          message:
            "Offer constraints are not valid: Group 0 of role 'r' has no attribute constraints",
        },
      },
    ]);
    expect(world.master.snapshot().frameworks).toEqual([]);
  });
});
