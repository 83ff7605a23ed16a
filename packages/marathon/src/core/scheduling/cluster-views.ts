/** Deployments and the launch queue as the API shows them. Reading only. */

import type { Instant, JsonObject, JsonValue } from '@dcos/base';
import { AttributeType, ResourceType, toJson } from '@dcos/wire';
import { appToJson, formatTimestamp } from '../model/index.ts';
import { readinessResults } from './app-views.ts';
import { affectedApps, stepJson, type Deployment } from './deployment.ts';
import { launchableAt } from './launch-delay.ts';
import {
  explainWaiting,
  lastOffersFunnel,
  rejectFunnel,
  type OfferStatistics,
  type RejectRow,
} from './offer-statistics.ts';
import { appOf, type MarathonState } from './state.ts';

/** A running deployment. */
export function deploymentView(state: MarathonState, deployment: Deployment): JsonObject {
  const { plan } = deployment;
  const current = plan.steps[deployment.step];
  return {
    id: plan.id,
    version: plan.version,
    affectedApps: affectedApps(plan),
    affectedPods: [],
    steps: plan.steps.map(stepJson),
    currentActions: (current?.actions ?? []).map(({ action, app }) => ({
      action,
      app,
      readinessCheckResults: readinessResults(state, app),
    })),
    currentStep: deployment.step + 1,
    totalSteps: plan.steps.length,
  };
}

/** One row for each app that waits for offers. */
export function queueView(
  state: MarathonState,
  options: { readonly lastUnusedOffers: boolean; readonly now: Instant },
): JsonValue[] {
  return [...state.waiting].flatMap(([appId, statistics]) => {
    const app = appOf(state, appId);
    const count = state.instances.toBeLaunchedOf(appId);
    if (app === undefined || count === 0) return [];
    const delayMs = Math.max(0, launchableAt(state.delays.get(appId)) - options.now);
    const explanation = explainWaiting(statistics, { count, delayMs, connected: state.connected });
    return [
      {
        count,
        role: app.role,
        since: formatTimestamp(statistics.since),
        delay: { timeLeftSeconds: Math.ceil(delayMs / 1000), overdue: delayMs === 0 },
        processedOffersSummary: offersSummary(statistics),
        ...(options.lastUnusedOffers ? { lastUnusedOffers: lastUnusedOffers(statistics) } : {}),
        explanation: {
          summary: explanation.summary,
          offersProcessed: explanation.offersProcessed,
          reasons: explanation.reasons.map((reason) => ({ ...reason })),
        },
        app: appToJson(app),
      },
    ];
  });
}

function offersSummary(statistics: OfferStatistics): JsonObject {
  const { lastUnusedAt, lastUsedAt } = statistics;
  return {
    processedOffersCount: statistics.processed,
    unusedOffersCount: statistics.unused,
    ...(lastUnusedAt === undefined ? {} : { lastUnusedOfferAt: formatTimestamp(lastUnusedAt) }),
    ...(lastUsedAt === undefined ? {} : { lastUsedOfferAt: formatTimestamp(lastUsedAt) }),
    rejectSummaryLastOffers: rows(lastOffersFunnel(statistics)),
    rejectSummaryLaunchAttempt: rows(rejectFunnel(statistics.declined, statistics.processed)),
  };
}

function rows(funnel: readonly RejectRow[]): JsonValue[] {
  return funnel.map(({ reason, declined, processed }) => ({ reason, declined, processed }));
}

function lastUnusedOffers(statistics: OfferStatistics): JsonValue[] {
  return [...statistics.lastUnused.values()].map(({ offer, refusal, at }) => ({
    offer: {
      id: offer.id.value,
      agentId: offer.agent_id.value,
      hostname: offer.hostname,
      resources: (offer.resources ?? []).map((resource) => toJson(ResourceType, resource)),
      attributes: (offer.attributes ?? []).map((attribute) => toJson(AttributeType, attribute)),
    },
    reason: [refusal.reason],
    timestamp: formatTimestamp(at),
  }));
}
