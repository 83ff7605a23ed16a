/**
 * Does an offer fit an app? The stages are gone through in a fixed order, the first that fails is the answer.
 *
 * Source: Marathon's offer matching as documented; the reasons are its names for the stages.
 */

import type { Instant, Random } from '@dcos/base';
import type { Offer, Resource } from '@dcos/wire';
import type { AppDefinition } from '../model/index.ts';
import { acceptedRolesOf, needsOf } from './app-facts.ts';
import { constraintText, violatedConstraint, type ConstraintContext } from './constraints.ts';
import type { Placement } from './instance.ts';
import type { Refusal } from './reject-reason.ts';
import { isUsable, matchResources, type ResourceMatch } from './resource-matching.ts';
import type { SchedulingSettings } from './settings.ts';

/** An offer while launches are taken from it. */
export interface OpenOffer {
  readonly offer: Offer;
  readonly place: Placement;
  /** What no launch has taken yet. */
  left: readonly Resource[];
}

export interface MatchContext {
  readonly settings: SchedulingSettings;
  readonly constraints: ConstraintContext;
  readonly masterRegion: string | undefined;
  readonly random: Random;
  readonly now: Instant;
}

export type Match = { readonly kind: 'match'; readonly resources: ResourceMatch } | Unmatched;

export interface Unmatched {
  readonly kind: 'refused';
  readonly refusal: Refusal;
}

/** Goes through the stages for one instance of an app. */
export function matchOffer(app: AppDefinition, open: OpenOffer, context: MatchContext): Match {
  const accepted = acceptedRolesOf(app, context.settings);
  const needs = needsOf(app);
  if (!open.left.some((resource) => isUsable(resource, accepted) && isNeeded(resource))) {
    return refused({ reason: 'UnfulfilledRole', subject: `role ${[...accepted].join(' or ')}` });
  }
  const violated = violatedConstraint(app.constraints, open.place, context.constraints);
  if (violated !== undefined) {
    return refused({ reason: 'UnfulfilledConstraint', subject: constraintText(violated) });
  }
  const region = foreignRegion(app, open.place, context.masterRegion);
  if (region !== undefined)
    return refused({ reason: 'UnfulfilledConstraint', subject: `@region ${region}` });
  if (isInMaintenance(open.offer, context)) {
    return refused({ reason: 'AgentMaintenance', subject: 'maintenance of the agent' });
  }
  if (keepsGpusFree(app, open, context.settings)) {
    return refused({
      reason: 'DeclinedScarceResources',
      subject: 'gpus are kept for apps that ask for them',
    });
  }
  const resources = matchResources(needs, open.left, accepted, context.random);
  return 'reason' in resources ? refused(resources) : { kind: 'match', resources };
}

function refused(refusal: Refusal): Unmatched {
  return { kind: 'refused', refusal };
}

/** An offer that holds nothing of a role but emptied remains does not hold the role. */
function isNeeded(resource: Resource): boolean {
  return (resource.scalar?.value ?? 1) > 0;
}

/** Agents of another region than the master's are only for apps that name a region or zone. */
function foreignRegion(
  app: AppDefinition,
  place: Placement,
  masterRegion: string | undefined,
): string | undefined {
  if (place.region === undefined || place.region === masterRegion) return undefined;
  const asks = app.constraints.some(({ field }) => field === '@region' || field === '@zone');
  return asks ? undefined : place.region;
}

function isInMaintenance(offer: Offer, { settings, now }: MatchContext): boolean {
  const window = offer.unavailability;
  if (!settings.maintenanceMode || window === undefined) return false;
  const startMs = window.start.nanoseconds / 1e6;
  const endMs =
    window.duration === undefined
      ? Number.POSITIVE_INFINITY
      : startMs + window.duration.nanoseconds / 1e6;
  return startMs - settings.drainingMs <= now && now < endMs;
}

function keepsGpusFree(app: AppDefinition, open: OpenOffer, settings: SchedulingSettings): boolean {
  if (app.gpus > 0) return false;
  const behavior = app.labels.GPU_SCHEDULING_BEHAVIOR ?? settings.gpuSchedulingBehavior;
  if (behavior !== 'restricted') return false;
  return (open.offer.resources ?? []).some(
    ({ name, scalar }) => name === 'gpus' && (scalar?.value ?? 0) > 0,
  );
}
