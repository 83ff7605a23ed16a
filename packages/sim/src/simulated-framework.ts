/**
 * A framework in the world: a scheduler that launches short tasks, kills some, acknowledges every update, and
 * writes down what it was told.
 */

import { uuidText, type Instant } from '@dcos/base';
import {
  isTerminal,
  type FrameworkInfo,
  type Offer,
  type OfferID,
  type OperationStatus,
  type scheduler,
  type TaskState,
  type TaskStatus,
} from '@dcos/wire';
import { createFrameworkConnection } from './framework-connection.ts';
import { createFrameworkLaunches } from './framework-launches.ts';
import {
  createFrameworkOperations,
  type Eagerness,
  type HeardOperation,
} from './framework-operations.ts';
import type { Partition } from './partition.ts';
import { changeRoles } from './role-changes.ts';
import type { SchedulerLink, MasterView } from './simulated-master.ts';
import type { World } from './world.ts';

const DECLINE_PROBABILITY = 0.2;
const KILL_PROBABILITY = 0.3;
const KILL_MAX_MS = 20_000;
const ACKNOWLEDGE_MAX_MS = 50;
const RECONCILE_MS = 10_000;
/** Refused for so long that it is not offered again. */
const NEVER_SECONDS = 1e6;
const FAILOVER_TIMEOUT_SECONDS = 3_600;

/** One update as the framework saw it; what the checkers look at. */
export interface SeenUpdate {
  readonly taskId: string;
  readonly state: TaskState;
  /** Undefined for what the master made up itself, which is not acknowledged. */
  readonly uuid: string | undefined;
  readonly reason: string | undefined;
  readonly at: Instant;
}

export interface SimulatedFramework {
  readonly name: string;
  readonly partition: Partition;
  readonly seen: readonly SeenUpdate[];
  /** Whether it saw that update, or heard from the master itself how that task ended. */
  wasTold(taskId: string, uuid: string): boolean;
  /** What it was told about its operations. */
  readonly heardOperations: readonly HeardOperation[];
  /** Volumes that it was offered although their making had failed. */
  readonly ghostVolumes: readonly string[];
  /** Task ids that were put into an ACCEPT. */
  readonly launched: ReadonlySet<string>;
  /** By task id: all tasks of its group. */
  readonly groups: ReadonlyMap<string, readonly string[]>;
  start(): void;
  /** Drops its stream, and comes back. */
  disconnect(): void;
  /**
   * A second instance subscribes under the same id while the first lives on. The first then still calls with
   * its old stream id, which must have no effect.
   */
  failOver(): void;
  /** Calls of a superseded instance that the master carried out. */
  readonly staleCallsObeyed: readonly string[];
  /** Wants the oldest of its tasks ended. */
  killOne(): void;
  /** No more new tasks from now on. */
  quiesce(): void;
  link(): SchedulerLink | undefined;
  /** What its behaviour depends on, for state hashes. */
  digest(): unknown;
}

export interface FrameworkPlan {
  readonly name: string;
  readonly role: string;
  /** Tasks at once. */
  readonly tasksMax: number;
  /** Whether it takes on a second role at times. */
  readonly changesRoles: boolean;
  /** Whether some of its tasks come in groups. */
  readonly groups: boolean;
  /** How often it reserves resources and makes volumes. */
  readonly operates: Eagerness;
  /** Tasks ever; no bound when absent. */
  readonly launchesMax?: number;
}

export function createSimulatedFramework(
  world: World,
  master: Pick<MasterView, 'call'>,
  plan: FrameworkPlan,
): SimulatedFramework {
  const seen: SeenUpdate[] = [];
  const launched = new Set<string>();
  const seenUuids = new Set<string>();
  const endedByMaster = new Set<string>();
  const live = new Map<string, string>();
  const operations = createFrameworkOperations(world, plan);
  const connection = createFrameworkConnection(world, master, infoOf(plan), onEvent);
  const call = (body: Omit<scheduler.Call, 'framework_id'>): void => connection.call(body);
  const launches = createFrameworkLaunches(world, plan);
  let launching = true;

  function onEvent(event: scheduler.Event): void {
    switch (event.type) {
      case 'SUBSCRIBED':
        reconcile();
        return;
      case 'OFFERS':
        for (const offer of event.offers?.offers ?? []) onOffer(offer);
        return;
      case 'UPDATE':
        if (event.update !== undefined) onUpdate(event.update.status);
        return;
      case 'INVERSE_OFFERS':
        for (const { id } of event.inverse_offers?.inverse_offers ?? []) onInverseOffer(id);
        return;
      case 'UPDATE_OPERATION_STATUS':
        if (event.update_operation_status !== undefined)
          onOperationStatus(event.update_operation_status.status);
        return;
      default:
        return;
    }
  }

  function mayLaunch(): boolean {
    return launching && launched.size < (plan.launchesMax ?? Infinity);
  }

  function onOffer(offer: Offer): void {
    const volume = operations.volumeIn(offer);
    const launch =
      mayLaunch() && live.size < plan.tasksMax && !world.chance(DECLINE_PROBABILITY)
        ? launches.launchFor(offer, volume)
        : undefined;
    const steps = launching && launch === undefined ? operations.stepsFor(offer) : [];
    const filters = {
      refuse_seconds: mayLaunch() || steps.length > 0 ? world.between(0, 5) : NEVER_SECONDS,
    };
    if (steps.length > 0) {
      const accept = { offer_ids: [offer.id], operations: steps, filters };
      for (const step of steps)
        world.trace(`${plan.name} wants ${step.type} ${step.id?.value ?? ''}`);
      call({ type: 'ACCEPT', accept });
      return;
    }
    if (launch === undefined) {
      call({ type: 'DECLINE', decline: { offer_ids: [offer.id], filters } });
      return;
    }
    for (const taskId of launch.taskIds) {
      launched.add(taskId);
      live.set(taskId, offer.agent_id.value);
      if (world.chance(KILL_PROBABILITY)) killLater(taskId, offer.agent_id.value);
    }
    call({
      type: 'ACCEPT',
      accept: {
        offer_ids: [offer.id],
        operations: [launch.operation],
        filters,
      },
    });
  }

  function killLater(taskId: string, agentId: string): void {
    world.after(world.between(0, KILL_MAX_MS), `${plan.name}: kill ${taskId}`, () =>
      kill(taskId, agentId),
    );
  }

  function kill(taskId: string, agentId: string): void {
    call({ type: 'KILL', kill: { task_id: { value: taskId }, agent_id: { value: agentId } } });
  }

  function onUpdate(status: TaskStatus): void {
    const taskId = status.task_id.value;
    const uuid = status.uuid === undefined ? undefined : uuidText(status.uuid);
    if (uuid === undefined && isOfRepetition(taskId, status.reason)) return;
    world.trace(
      `${plan.name} hears ${taskId} ${status.state}${uuid === undefined ? ' (master)' : ''}`,
    );
    if (uuid !== undefined) seenUuids.add(uuid);
    else if (isTerminal(status.state)) endedByMaster.add(taskId);
    seen.push({ taskId, state: status.state, uuid, reason: status.reason, at: world.now() });
    if (isTerminal(status.state)) live.delete(taskId);
    if (status.uuid === undefined || status.agent_id === undefined) return;
    const acknowledge = { agent_id: status.agent_id, task_id: status.task_id, uuid: status.uuid };
    world.after(world.between(0, ACKNOWLEDGE_MAX_MS), `${plan.name}: acknowledge ${uuid}`, () =>
      call({ type: 'ACKNOWLEDGE', acknowledge }),
    );
  }

  /** What it hears of the second of two equal calls says nothing about the first. */
  function isOfRepetition(id: string, reason: string | undefined): boolean {
    return reason === 'REASON_INVALID_OFFERS' && connection.repeated.has(id);
  }

  function onInverseOffer(id: OfferID): void {
    const answer = { inverse_offer_ids: [id], filters: { refuse_seconds: world.between(0, 5) } };
    call(
      world.chance(0.5)
        ? { type: 'ACCEPT_INVERSE_OFFERS', accept_inverse_offers: answer }
        : { type: 'DECLINE_INVERSE_OFFERS', decline_inverse_offers: answer },
    );
  }

  function onOperationStatus(status: OperationStatus): void {
    const { state, uuid, operation_id: id } = status;
    const isRefusal = uuid === undefined && state === 'OPERATION_DROPPED';
    if (isRefusal && connection.repeated.has(id?.value ?? '')) return;
    const acknowledgement = operations.onStatus(status);
    if (acknowledgement === undefined) return;
    world.after(world.between(0, ACKNOWLEDGE_MAX_MS), `${plan.name}: acknowledge operation`, () =>
      call(acknowledgement),
    );
  }

  /** As schedulers should: by name for what it believes to be alive, then for whatever the master knows. */
  function reconcile(): void {
    const tasks = Array.from(live, ([taskId, agentId]) => ({
      task_id: { value: taskId },
      agent_id: { value: agentId },
    }));
    if (tasks.length > 0) call({ type: 'RECONCILE', reconcile: { tasks } });
    call({ type: 'RECONCILE', reconcile: {} });
    if (plan.operates !== 'never') call(operations.question());
  }

  function reconcileForEver(): void {
    world.after(RECONCILE_MS, `${plan.name}: reconcile`, () => {
      if (connection.link() !== undefined) reconcile();
      reconcileForEver();
    });
  }

  return {
    name: plan.name,
    partition: connection.partition,
    seen,
    wasTold: (taskId, uuid) => seenUuids.has(uuid) || endedByMaster.has(taskId),
    launched,
    groups: launches.groups,
    heardOperations: operations.heard,
    ghostVolumes: operations.ghosts,
    staleCallsObeyed: connection.staleCallsObeyed,
    start() {
      connection.start();
      reconcileForEver();
      if (plan.changesRoles) changeRoles(world, connection, plan, () => launching);
    },
    disconnect: () => connection.disconnect(),
    failOver: () => connection.failOver(),
    killOne() {
      const [oldest] = live;
      if (oldest !== undefined) kill(...oldest);
    },
    quiesce: () => void (launching = false),
    link: () => connection.link(),
    digest: () => ({
      connection: connection.digest(),
      live,
      seen,
      operations: operations.digest(),
    }),
  };
}

function infoOf({ name, role }: FrameworkPlan): FrameworkInfo {
  return {
    user: 'sim',
    name,
    roles: [role],
    failover_timeout: FAILOVER_TIMEOUT_SECONDS,
    checkpoint: true,
    capabilities: [
      { type: 'MULTI_ROLE' },
      { type: 'PARTITION_AWARE' },
      { type: 'TASK_KILLING_STATE' },
      { type: 'RESERVATION_REFINEMENT' },
    ],
  };
}
