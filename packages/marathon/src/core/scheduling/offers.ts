/**
 * What is done with offers: every one is answered in the step in which it comes, by launches or by a decline.
 *
 * Invariants: an instance is persisted as Provisioned before its ACCEPT; no resource of an offer is used
 * twice; offers are held by nobody, so there is nothing to forget when they are rescinded.
 *
 * Launches go round the offers of a batch, a few on each per round, so that instances spread over agents;
 * the bound per offer limits a round and not the batch, or a lone agent would fill up slowly.
 */

import { shuffle, type Instant } from '@dcos/base';
import type { Offer, TaskInfo } from '@dcos/wire';
import type { AppDefinition } from '../model/index.ts';
import { countedForConstraints, placementOf } from './constraints.ts';
import { saveInstance } from './instance-changes.ts';
import { isCounted, isToBeLaunched, type Instance, type Placement } from './instance.ts';
import { launchableAt } from './launch-delay.ts';
import { matchOffer, type OpenOffer } from './offer-matching.ts';
import { recordUnused, recordUsed } from './offer-statistics.ts';
import type { ResourceMatch } from './resource-matching.ts';
import { appOf, emit, type MarathonState, type Step } from './state.ts';
import { buildTask } from './task-building.ts';
import { taskIdOf } from './task-id.ts';

/** An app with instances that may be launched now. */
interface Candidate {
  readonly app: AppDefinition;
  readonly queue: Instance[];
  /** Where the instances are that constraints count. */
  readonly placed: Placement[];
  readonly targetInstances: number;
}

interface OfferUse extends OpenOffer {
  readonly role: string;
  readonly tasks: TaskInfo[];
}

/** Answers a batch of offers. */
export function applyOffers(step: Step, offers: readonly Offer[]): void {
  const { state } = step;
  state.counters.offersProcessed += offers.length;
  const candidates = launchCandidates(state, step.now);
  const uses: OfferUse[] = offers.map((offer) => ({
    offer,
    place: placementOf(offer),
    role: offer.allocation_info?.role ?? '*',
    left: offer.resources ?? [],
    tasks: [],
  }));
  const refusedBy = new Map<OfferUse, Set<string>>();
  let launched = true;
  while (launched) {
    launched = false;
    for (const use of uses) launched = fillOffer(step, use, candidates, refusedBy) || launched;
  }
  answer(step, uses, candidates);
}

/** The apps that have something to launch, in random order. */
function launchCandidates(state: MarathonState, now: Instant): Candidate[] {
  const candidates: Candidate[] = [];
  for (const appId of state.waiting.keys()) {
    const app = appOf(state, appId);
    if (app === undefined || launchableAt(state.delays.get(appId)) > now) continue;
    const instances = state.instances.of(appId);
    const queue = instances.filter(isToBeLaunched);
    if (queue.length === 0) continue;
    const counted = countedForConstraints(instances, app.versionInfo.lastConfigChangeAt);
    const placed = counted.flatMap(({ placement }) => placement ?? []);
    const targetInstances = Math.max(app.instances, instances.filter(isCounted).length);
    candidates.push({ app, queue, placed, targetInstances });
  }
  return shuffle(state.random, candidates);
}

/** Launches what fits on an offer, up to the bound of a round. True when anything was launched. */
function fillOffer(
  step: Step,
  use: OfferUse,
  candidates: readonly Candidate[],
  refusedBy: Map<OfferUse, Set<string>>,
): boolean {
  const { state, now } = step;
  const refused = refusedBy.get(use) ?? new Set<string>();
  refusedBy.set(use, refused);
  let launches = 0;
  for (const candidate of candidates) {
    const { app } = candidate;
    if (app.role !== use.role || (refused.has(app.id) && !mayFitLater(app))) continue;
    while (candidate.queue.length > 0) {
      if (launches >= state.settings.instancesPerOfferMax) return true;
      const match = matchOffer(app, use, {
        settings: state.settings,
        constraints: { targetInstances: candidate.targetInstances, placed: candidate.placed },
        masterRegion: state.masterRegion,
        random: state.random,
        now,
      });
      const statistics = state.waiting.get(app.id);
      if (match.kind === 'refused') {
        refused.add(app.id);
        if (statistics !== undefined) {
          recordUnused(statistics, { offer: use.offer, refusal: match.refusal, at: now });
        }
        break;
      }
      if (statistics !== undefined) recordUsed(statistics, use.offer, now);
      const instance = candidate.queue.shift();
      if (instance === undefined) break;
      launch(step, { candidate, use, instance, resources: match.resources });
      launches += 1;
    }
  }
  return launches > 0;
}

/** Where siblings went may open an offer to an app that spreads over groups: it is asked again. */
function mayFitLater(app: AppDefinition): boolean {
  return app.constraints.some(({ operator }) => operator === 'GROUP_BY');
}

interface Launch {
  readonly candidate: Candidate;
  readonly use: OfferUse;
  readonly instance: Instance;
  readonly resources: ResourceMatch;
}

function launch(step: Step, { candidate, use, instance, resources }: Launch): void {
  const { state, now } = step;
  const { app } = candidate;
  const attempt = (instance.task?.attempt ?? 0) + 1;
  const provisioned: Instance = {
    ...instance,
    version: app.version,
    configVersion: app.versionInfo.lastConfigChangeAt,
    role: app.role,
    condition: 'Provisioned',
    since: now,
    placement: use.place,
    task: {
      id: taskIdOf(instance.id, attempt),
      attempt,
      hostPorts: resources.hostPorts,
      stagedAt: now,
      addresses: [],
    },
  };
  saveInstance(step, provisioned);
  state.timers.set({ kind: 'overdue', id: instance.id }, now + state.settings.launchConfirmMsMax);
  state.counters.tasksLaunched += 1;
  use.left = resources.left;
  use.tasks.push(buildTask(app, provisioned, { taken: resources.taken, settings: state.settings, random: state.random }));
  candidate.placed.push(use.place);
}

/** Sends the launches, and gives back what was not used. */
function answer(step: Step, uses: readonly OfferUse[], candidates: readonly Candidate[]): void {
  const { state } = step;
  for (const { app } of candidates) {
    if (state.instances.toBeLaunchedOf(app.id) === 0) state.waiting.delete(app.id);
  }
  const { declineMs, declineWhileWaitingMs } = state.settings;
  const waits = (role: string): boolean =>
    candidates.some(({ app, queue }) => app.role === role && queue.length > 0);
  const unused = new Map<number, string[]>();
  for (const { offer, role, tasks } of uses) {
    const refuseSeconds = (waits(role) ? declineWhileWaitingMs : declineMs) / 1000;
    if (tasks.length > 0) {
      state.counters.offersUsed += 1;
      emit(step, { kind: 'accept', offerId: offer.id.value, tasks, refuseSeconds });
    } else {
      state.counters.offersDeclined += 1;
      const offerIds = unused.get(refuseSeconds) ?? [];
      offerIds.push(offer.id.value);
      unused.set(refuseSeconds, offerIds);
    }
  }
  for (const [refuseSeconds, offerIds] of unused) emit(step, { kind: 'decline', offerIds, refuseSeconds });
}
