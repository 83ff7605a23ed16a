/**
 * Frameworks as the JSON endpoints show them.
 */

import type { JsonObject } from '@dcos/base';
import { Resources } from '@dcos/resources';
import { scheduler, toJson, type Task } from '@dcos/wire';
import type {
  CompletedFramework,
  Framework,
  MasterState,
  OfferRecord,
  TaskRecord,
} from '../core/state.ts';
import { cachedText, FragmentList, type Document } from './document.ts';
import { executorText } from './v0-executors.ts';
import { summary } from './v0-resources.ts';
import { labelList, taskText } from './v0-tasks.ts';

interface Shown {
  readonly framework: Framework | CompletedFramework;
  readonly used: Resources;
  readonly offered: Resources;
  readonly active: boolean;
  readonly connected: boolean;
  readonly recovered: boolean;
}

function shownOf(framework: Framework): Shown {
  return {
    framework,
    used: framework.used.total(),
    offered: framework.offered.total(),
    active: framework.active,
    connected: framework.streamId !== undefined,
    recovered: framework.recovered,
  };
}

function shownOfCompleted(framework: CompletedFramework): Shown {
  const nothing = { used: Resources.empty, offered: Resources.empty };
  return { framework, ...nothing, active: false, connected: false, recovered: false };
}

/** The part that `/state-summary` shows too. */
export function frameworkSummary(framework: Framework): JsonObject {
  return summaryOf(shownOf(framework));
}

function summaryOf({ framework, used, offered, active, connected, recovered }: Shown): JsonObject {
  const { info } = framework;
  return {
    id: framework.id,
    name: info.name,
    used_resources: summary(used),
    offered_resources: summary(offered),
    capabilities: [...framework.capabilities],
    hostname: info.hostname ?? '',
    webui_url: info.webui_url ?? '',
    active,
    connected,
    recovered,
  };
}

function detailsOf(shown: Shown, unregisteredAt: number): JsonObject {
  const { framework, used, offered } = shown;
  const { info } = framework;
  const { reregisteredAt } = framework;
  return {
    user: info.user,
    failover_timeout: info.failover_timeout ?? 0,
    checkpoint: info.checkpoint ?? false,
    registered_time: framework.registeredAt / 1000,
    unregistered_time: unregisteredAt / 1000,
    ...(info.principal !== undefined && { principal: info.principal }),
    resources: summary(used.add(offered)),
    ...(reregisteredAt !== undefined && { reregistered_time: reregisteredAt / 1000 }),
    ...(framework.capabilities.has('MULTI_ROLE')
      ? { roles: framework.roles }
      : { role: framework.roles[0] ?? '*' }),
    ...(info.labels !== undefined && { labels: labelList(info.labels.labels) }),
  };
}

const offerText = cachedText((shown: OfferRecord) => JSON.stringify(offerObject(shown)));

function offerObject({ id, frameworkId, agentId, role, resources }: OfferRecord): JsonObject {
  return {
    id,
    framework_id: frameworkId,
    allocation_info: { role },
    slave_id: agentId,
    resources: summary(resources),
  };
}

function liveTasks(records: ReadonlyMap<string, TaskRecord>): readonly Task[] {
  return Array.from(records.values(), ({ task }) => task);
}

/** One framework with its tasks and offers. */
export function frameworkDocument(framework: Framework): Document {
  const shown = shownOf(framework);
  return {
    ...summaryOf(shown),
    ...detailsOf(shown, 0),
    tasks: FragmentList.of(liveTasks(framework.tasks), taskText),
    unreachable_tasks: FragmentList.of(liveTasks(framework.unreachableTasks), taskText),
    completed_tasks: FragmentList.of(framework.completedTasks.values(), taskText),
    offers: FragmentList.of(framework.offers.values(), offerText),
    executors: FragmentList.of(framework.executors, executorText),
    offer_constraints: toJson(scheduler.OfferConstraintsType, framework.offerConstraints ?? {}),
  };
}

/** One framework that was removed. */
export function completedFrameworkDocument(framework: CompletedFramework): Document {
  const shown = shownOfCompleted(framework);
  return {
    ...summaryOf(shown),
    ...detailsOf(shown, framework.unregisteredAt),
    tasks: [],
    unreachable_tasks: [],
    completed_tasks: FragmentList.of(framework.completedTasks.values(), taskText),
    offers: [],
    executors: [],
    offer_constraints: {},
  };
}

/** `/frameworks`; with an id only that framework. */
export function frameworksDocument(state: MasterState, id: string | undefined): Document {
  const wanted = (framework: { readonly id: string }): boolean =>
    id === undefined || framework.id === id;
  return {
    frameworks: [...state.frameworks.values()].filter(wanted).map(frameworkDocument),
    completed_frameworks: [...state.completedFrameworks.values()]
      .filter(wanted)
      .map(completedFrameworkDocument),
    unregistered_frameworks: [],
  };
}
