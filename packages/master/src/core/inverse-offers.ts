/**
 * Inverse offers: questions to frameworks whether they can do without an agent whose machine will be
 * taken away. An answer commits nobody; operators see it.
 *
 * Invariants: one question at most is open per framework and agent; it ends with an answer, a RESCIND, or
 * silently when its framework loses its stream.
 */

import { agentId, frameworkId, offerId } from '@dcos/base';
import type { Filters, InverseOffer, OfferID } from '@dcos/wire';
import { count, sendToFramework, type Context } from './context.ts';
import { refusalOf } from './offers.ts';
import type { Agent, Framework, InverseOfferRecord } from './state.ts';

/** Asks whoever is to be asked now; one INVERSE_OFFERS event per framework. */
export function sendInverseOffers(context: Context): void {
  const { state, allocator, monotonicMs } = context;
  const batches = new Map<Framework, InverseOffer[]>();
  for (const question of allocator.inverseAllocate(monotonicMs)) {
    const framework = state.frameworks.get(frameworkId(question.frameworkId));
    const agent = state.agents.get(agentId(question.agentId));
    if (framework?.streamId === undefined || agent === undefined) {
      allocator.answerInverseOffer(
        question.frameworkId,
        question.agentId,
        undefined,
        0,
        monotonicMs,
      );
      continue;
    }
    const id = offerId(`${context.masterId}-O${state.nextOffer++}`);
    const offer: InverseOffer = {
      id: { value: id },
      url: {
        scheme: 'http',
        address: { hostname: agent.info.hostname, ip: agent.ip, port: agent.info.port ?? 0 },
        path: '/slave(1)',
      },
      framework_id: { value: framework.id },
      agent_id: { value: agent.id },
      unavailability: question.unavailability,
    };
    const record = { id, frameworkId: framework.id, agentId: agent.id, offer };
    state.inverseOffers.set(id, record);
    agent.inverseOffers.add(record);
    const batch = batches.get(framework) ?? [];
    batches.set(framework, batch);
    batch.push(offer);
  }
  for (const [framework, offers] of batches) {
    sendToFramework(context, framework, {
      type: 'INVERSE_OFFERS',
      inverse_offers: { inverse_offers: offers },
    });
  }
}

/** ACCEPT_INVERSE_OFFERS and DECLINE_INVERSE_OFFERS; ids that are no longer valid are passed over. */
export function answerInverseOffers(
  context: Context,
  framework: Framework,
  answer: {
    readonly ids: readonly OfferID[];
    readonly willing: boolean;
    readonly filters: Filters | undefined;
  },
): void {
  const name = answer.willing ? 'accept' : 'decline';
  count(context, `master/messages_${name}_inverse_offers`);
  const { refuseMs } = refusalOf(answer.filters);
  for (const { value } of answer.ids) {
    const record = context.state.inverseOffers.get(offerId(value));
    if (record?.frameworkId !== framework.id) continue;
    withdraw(context, record, { willing: answer.willing, refuseMs });
  }
}

function withdraw(
  context: Context,
  record: InverseOfferRecord,
  answer?: { readonly willing: boolean; readonly refuseMs: number },
): void {
  const { state, allocator, now, monotonicMs } = context;
  const { id, frameworkId: framework, agentId: agent } = record;
  state.inverseOffers.delete(id);
  state.agents.get(agent)?.inverseOffers.delete(record);
  const given = answer === undefined ? undefined : { willing: answer.willing, instant: now };
  allocator.answerInverseOffer(framework, agent, given, answer?.refuseMs ?? 0, monotonicMs);
}

/** Questions about an agent that no longer stand. */
export function rescindInverseOffers(context: Context, agent: Agent): void {
  for (const record of agent.inverseOffers) {
    withdraw(context, record);
    const framework = context.state.frameworks.get(record.frameworkId);
    if (framework === undefined) continue;
    sendToFramework(context, framework, {
      type: 'RESCIND_INVERSE_OFFER',
      rescind_inverse_offer: { inverse_offer_id: { value: record.id } },
    });
  }
}

/** The framework has no stream any more, or another one. */
export function dropInverseOffers(context: Context, framework: Framework): void {
  for (const record of context.state.inverseOffers.values())
    if (record.frameworkId === framework.id) withdraw(context, record);
}
