/**
 * What is done with offers: every one is answered in the step in which it comes, by launches or by a decline.
 *
 * Invariants: an instance is persisted as Provisioned before its ACCEPT; no resource of an offer is used
 * twice; offers are held by nobody, so there is nothing to forget when they are rescinded.
 *
 * Launches go round the offers of a batch, one on each per round, so that instances spread over agents.
 */

import { shuffle, type Instant } from '@dcos/base';
import type { Offer, TaskInfo } from '@dcos/wire';
import { findGroup, topLevelGroupOf, type AppDefinition } from '../model/index.ts';
import { countedForConstraints, placementOf } from './constraints.ts';
import { saveInstance } from './instance-changes.ts';
import { isCounted, isToBeLaunched, type Instance, type Placement } from './instance.ts';
import { launchableAt } from './launch-delay.ts';
import { matchOffer, type OpenOffer } from './offer-matching.ts';
import { recordUnused, recordUsed } from './offer-statistics.ts';
import type { ResourceMatch } from './resource-matching.ts';
import { appOf, emit, type MarathonState, type Step } from './state.ts';
import { watchLaunch } from './status-updates.ts';
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
  /** Apps that the offer was of no use to. */
  readonly refusedBy: Set<string>;
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
    refusedBy: new Set(),
  }));
  let launches = 0;
  do {
    launches = uses.filter((use) => launchOne(step, use, candidates)).length;
  } while (launches > 0);
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

/** Launches one instance on an offer, of the first candidate that fits. True when it did. */
function launchOne(step: Step, use: OfferUse, candidates: readonly Candidate[]): boolean {
  const { state, now } = step;
  if (use.tasks.length >= state.settings.instancesPerOfferMax) return false;
  for (const candidate of candidates) {
    const { app, queue } = candidate;
    if (app.role !== use.role || queue.length === 0) continue;
    if (use.refusedBy.has(app.id) && !mayFitLater(app)) continue;
    const match = matchOffer(app, use, {
      settings: state.settings,
      constraints: { targetInstances: candidate.targetInstances, placed: candidate.placed },
      masterRegion: state.masterRegion,
      random: state.random,
      now,
    });
    const statistics = state.waiting.get(app.id);
    if (match.kind === 'refused') {
      if (statistics !== undefined && !use.refusedBy.has(app.id)) {
        recordUnused(statistics, { offer: use.offer, refusal: match.refusal, at: now });
      }
      use.refusedBy.add(app.id);
      continue;
    }
    const instance = queue.shift();
    if (instance === undefined) continue;
    if (statistics !== undefined) recordUsed(statistics, use.offer, now);
    launch(step, { candidate, use, instance, resources: match.resources });
    return true;
  }
  return false;
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
  watchLaunch(step, provisioned);
  state.counters.tasksLaunched += 1;
  use.left = resources.left;
  const group = topLevelGroupOf(app.id);
  const inputs = {
    taken: resources.taken,
    envVarsPrefix: state.settings.envVarsPrefix,
    enforcesGroupRole:
      group !== undefined && findGroup(state.history.root, group)?.enforceRole === true,
    random: state.random,
  };
  use.tasks.push(buildTask(app, provisioned, inputs));
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
    const isFull = tasks.length >= state.settings.instancesPerOfferMax;
    const refuseMs = !waits(role) ? declineMs : isFull ? 0 : declineWhileWaitingMs;
    const refuseSeconds = refuseMs / 1000;
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
  for (const [refuseSeconds, offerIds] of unused)
    emit(step, { kind: 'decline', offerIds, refuseSeconds });
}
