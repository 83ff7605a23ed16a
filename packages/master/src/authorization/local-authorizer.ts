/**
 * Decides by access control lists, as the original's authorizer "local" does: the rules of the action are
 * looked at in order, and the first whose subjects and objects both match the request decides. It allows when
 * both of its sides allow. Without a match `permissive` decides.
 */

import type { AuthorizationRequest, Authorizer } from '../core/authorization.ts';
import type { Acls, Entity } from './acls.ts';

/** Makes an authorizer; it depends on the lists only. */
export function createLocalAuthorizer({
  permissive,
  rules,
}: Pick<Acls, 'permissive' | 'rules'>): Authorizer {
  return {
    allows({ action, principal, object }: AuthorizationRequest): boolean {
      const rule = (rules.get(action) ?? []).find(
        ({ subjects, objects }) => matches(principal, subjects) && matches(object, objects),
      );
      return rule === undefined
        ? permissive
        : allowedBy(principal, rule.subjects) && allowedBy(object, rule.objects);
    },
    allowsEvery({ action, principal }): boolean {
      const own = (rules.get(action) ?? []).filter(({ subjects }) => matches(principal, subjects));
      const [first] = own;
      if (first === undefined) return permissive;
      return first.objects.type === 'ANY' && allowedBy(principal, first.subjects);
    },
  };
}

/**
 * NONE matches everything, so that a rule can deny it. An absent value, such as the principal of somebody who
 * did not have to log in, asks about any: ANY and NONE match it, SOME does not.
 */
function matches(value: string | undefined, entity: Entity): boolean {
  return entity.type === 'SOME' ? value !== undefined && contains(entity, value) : true;
}

/** Of a rule that matches. */
function allowedBy(value: string | undefined, entity: Entity): boolean {
  return entity.type === 'SOME'
    ? value !== undefined && contains(entity, value)
    : entity.type === 'ANY';
}

function contains({ values, prefixes }: Extract<Entity, { type: 'SOME' }>, value: string): boolean {
  return (
    values.has(value) ||
    prefixes.some((prefix) => value.length > prefix.length && value.startsWith(prefix))
  );
}
