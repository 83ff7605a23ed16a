/**
 * Offers: one is what one framework may use of one agent for one role. An offer ends by ACCEPT, DECLINE,
 * RESCIND, its time-out, or silently when its framework fails over; each end gives the resources back
 * to the allocator or turns them into tasks, so that nothing is counted twice or lost.
 */

import { agentId, frameworkId, offerId, type OfferId } from '@dcos/base';
import type { Allocation, OfferRefusal } from '@dcos/allocator';
import { toPreRefinement, type Resources } from '@dcos/resources';
import type { Filters, Offer, Resource, scheduler, Unavailability } from '@dcos/wire';
import { count, countOf, note, sendToFramework, type Context } from './context.ts';
import { executorIdsOn } from './executors.ts';
import { sendInverseOffers } from './inverse-offers.ts';
import { machineOf } from './machines.ts';
import { REFUSE_MS_DEFAULT, REFUSE_MS_MAX } from './options.ts';
import type { Agent, Framework, OfferRecord } from './state.ts';

export const ALLOCATE_TIMER = 'allocate';
export const ALLOCATE_ALL_TIMER = 'allocate-all';
const OFFER_TIMER = 'offer-timeout';

/** Runs the allocator and sends its result: one OFFERS event per framework. */
export function allocate(context: Context, scope: 'candidates' | 'all'): void {
  count(context, 'allocator/mesos/allocation_runs');
  const batches = new Map<Framework, Offer[]>();
  for (const allocation of context.allocator.allocate(context.monotonicMs, scope)) {
    const record = makeOffer(context, allocation);
    if (record === undefined) continue;
    const { framework, offer } = record;
    const batch = batches.get(framework);
    if (batch === undefined) batches.set(framework, [offer]);
    else batch.push(offer);
  }
  for (const [framework, offers] of batches) {
    count(context, 'master/offers_sent', offers.length);
    countOf(framework, 'offers/sent', offers.length);
    sendToFramework(context, framework, { type: 'OFFERS', offers: { offers } });
  }
  if (context.state.machines.size > 0) sendInverseOffers(context);
}

function makeOffer(
  context: Context,
  allocation: Allocation,
): { readonly framework: Framework; readonly offer: Offer } | undefined {
  const { state } = context;
  const framework = state.frameworks.get(frameworkId(allocation.frameworkId));
  const agent = state.agents.get(agentId(allocation.agentId));
  const { resources, role } = allocation;
  if (framework?.streamId === undefined || !framework.active || agent?.connection === undefined) {
    // Nobody to offer to, or nothing to run on: the allocator heard of it later than we did.
    context.allocator.recover(
      allocation.frameworkId,
      allocation.agentId,
      resources,
      { refuseMs: 0 },
      context.monotonicMs,
    );
    return undefined;
  }
  const id = offerId(`${context.masterId}-O${state.nextOffer++}`);
  const unavailability = machineOf(state, agent)?.unavailability;
  const offer = offerMessage({ id, framework, agent, role, resources, unavailability });
  const record: OfferRecord = {
    id,
    frameworkId: framework.id,
    agentId: agent.id,
    role,
    resources,
    offer,
    offeredMs: context.monotonicMs,
  };
  state.offers.set(id, record);
  framework.offers.set(id, record);
  agent.offers.set(id, record);
  framework.offered.add(agent.id, resources);
  agent.offered.add(framework.id, resources);
  // One timer for all: it is set for the oldest offer, and set again when it fires.
  const { offerTimeoutMs } = context.options;
  if (offerTimeoutMs !== undefined && state.offers.size === 1) {
    context.emit({ kind: 'setTimer', timer: OFFER_TIMER, afterMs: offerTimeoutMs });
  }
  return { framework, offer };
}

function offerMessage({
  id,
  framework,
  agent,
  role,
  resources,
  unavailability,
}: {
  readonly id: OfferId;
  readonly framework: Framework;
  readonly agent: Agent;
  readonly role: string;
  readonly resources: Resources;
  readonly unavailability: Unavailability | undefined;
}): Offer {
  const { info } = agent;
  const multiRole = framework.capabilities.has('MULTI_ROLE');
  const executors = executorIdsOn(agent, framework.id);
  return {
    id: { value: id },
    framework_id: { value: framework.id },
    agent_id: { value: agent.id },
    hostname: info.hostname,
    url: {
      scheme: 'http',
      address: { hostname: info.hostname, ip: agent.ip, port: info.port ?? 0 },
      path: '/slave(1)',
    },
    ...(info.domain !== undefined && { domain: info.domain }),
    resources: resourcesFor(framework, resources),
    ...(info.attributes !== undefined && { attributes: info.attributes }),
    ...(unavailability !== undefined && { unavailability }),
    ...(executors.length > 0 && { executor_ids: executors.map((value) => ({ value })) }),
    ...(multiRole && { allocation_info: { role } }),
  };
}

/** Resources in the format that a framework with these capabilities understands. */
function resourcesFor(framework: Framework, resources: Resources): readonly Resource[] {
  const shown = framework.capabilities.has('MULTI_ROLE') ? resources : resources.unallocate();
  const wire = shown.toWire().filter((resource) => resource.name !== 'ephemeral_ports');
  return framework.capabilities.has('RESERVATION_REFINEMENT') ? wire : toPreRefinement(wire);
}

/** Takes an offer out of all indexes; what becomes of its resources is the caller's business. */
export function withdrawOffer(context: Context, record: OfferRecord): void {
  const { state } = context;
  state.offers.delete(record.id);
  const framework = state.frameworks.get(record.frameworkId);
  const agent = state.agents.get(record.agentId);
  framework?.offers.delete(record.id);
  agent?.offers.delete(record.id);
  framework?.offered.subtract(record.agentId, record.resources);
  agent?.offered.subtract(record.frameworkId, record.resources);
}

/** Withdraws an offer, gives its resources back, and tells the framework when asked to. */
export function removeOffer(
  context: Context,
  record: OfferRecord,
  how: { readonly rescind: boolean; readonly refusal?: OfferRefusal },
): void {
  withdrawOffer(context, record);
  context.allocator.recover(
    record.frameworkId,
    record.agentId,
    record.resources,
    how.refusal,
    context.monotonicMs,
  );
  const framework = context.state.frameworks.get(record.frameworkId);
  if (how.rescind && framework !== undefined) {
    count(context, 'master/offers_rescinded');
    countOf(framework, 'offers/rescinded');
    sendToFramework(context, framework, {
      type: 'RESCIND',
      rescind: { offer_id: { value: record.id } },
    });
  }
}

/** Withdraws all offers of an agent that can no longer be used. */
export function rescindAgentOffers(
  context: Context,
  agent: Agent,
  which: (offered: Resources) => boolean = () => true,
): void {
  for (const record of agent.offers.values())
    if (which(record.resources)) removeOffer(context, record, { rescind: true });
}

/** Offers that were neither used nor declined in time. */
export function onOfferTimer(context: Context, timer: string): boolean {
  if (timer !== OFFER_TIMER) return false;
  const { options, state, monotonicMs } = context;
  const timeoutMs = options.offerTimeoutMs ?? Number.POSITIVE_INFINITY;
  for (const record of state.offers.values()) {
    const leftMs = record.offeredMs + timeoutMs - monotonicMs;
    if (leftMs > 0) {
      context.emit({ kind: 'setTimer', timer, afterMs: leftMs });
      break;
    }
    // Silence is a refusal without a filter: the next round offers it again.
    removeOffer(context, record, { rescind: true, refusal: { refuseMs: 0 } });
  }
  return true;
}

/** DECLINE: resources go back behind a filter; ids that are no longer valid are passed over. */
export function onDecline(
  context: Context,
  framework: Framework,
  decline: scheduler.Call_Decline,
): void {
  count(context, 'master/messages_decline_offers');
  const { declineLengthenedMaxMs } = context.options;
  const { refuseMs: requestedMs } = refusalOf(decline.filters);
  for (const { value } of decline.offer_ids ?? []) {
    const record = framework.offers.get(offerId(value));
    if (record === undefined) {
      note(
        context,
        'info',
        'offer.unknown',
        `offer ${value} cannot be declined, it is no longer valid`,
        {
          frameworkId: framework.id,
        },
      );
      continue;
    }
    countOf(framework, 'offers/declined');
    const refuseMs = context.state.declines.refuse(record, requestedMs, declineLengthenedMaxMs);
    removeOffer(context, record, { rescind: false, refusal: { refuseMs } });
  }
}

/** How a framework refuses, by the filters of its call; 0 for no filter. */
export function refusalOf(filters: Filters | undefined): OfferRefusal {
  const seconds = filters?.refuse_seconds;
  if (seconds === undefined || Number.isNaN(seconds) || seconds < 0)
    return { refuseMs: REFUSE_MS_DEFAULT };
  return { refuseMs: Math.min(seconds * 1000, REFUSE_MS_MAX) };
}
