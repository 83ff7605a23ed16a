/**
 * What operators of the world do, at moments of the seed's choice: declare agents gone, drain, deactivate and
 * reactivate them, schedule maintenance, take machines down and bring them up, set quota and weights. One call at
 * a time, so that it is known what an answer means. What was answered with 200 is remembered: it may not be
 * lost, whatever master leads.
 */

import { isJsonObject, unreachable, type Instant, type JsonValue } from '@dcos/base';
import type { MachineID, masterApi } from '@dcos/wire';
import { createOperatorOperations } from './operator-operations.ts';
import type { SimulatedAgent } from './simulated-agent.ts';
import type { MasterView } from './simulated-master.ts';
import type { World } from './world.ts';

/** Mean time between two actions. */
const ACTION_EVERY_MS = 5_000;
const CALL_MAX_MS = 30;
/** A call without an answer by then was lost with its master. */
const PATIENCE_MS = 5_000;
const WEIGHT_MAX = 5;
const QUOTA_CPUS_MAX = 8;
const ROLES = ['web', 'batch'] as const;
const AGENT_KEYS = 'master/agents/';
const MARK_GONE_PROBABILITY = 0.3;

const KINDS = [
  'markGone',
  'drain',
  'deactivate',
  'deactivate',
  'reactivate',
  'reactivate',
  'schedule',
  'machineDown',
  'machineUp',
  'updateQuota',
  'updateQuota',
  'removeQuota',
  'updateWeights',
  'operate',
  'operate',
  'operate',
] as const;

/** What the registry must hold under a key (true) or may not (false), by the answers that were received. */
export type Promises = Map<string, boolean>;

export interface OperatorConsole {
  /** Agents that are gone, by an answer that was received. */
  readonly gone: ReadonlySet<string>;
  readonly promises: Promises;
  /**
   * Agents whose machine was, or may have been, taken down: they learn of their removal when they hear of it. Those
   * that are registered again are struck off.
   */
  readonly takenDown: Set<string>;
  /** All that were ever among them. */
  readonly everTakenDown: ReadonlySet<string>;
  /** Declares the agent of a host gone. */
  markGone(agent: SimulatedAgent): void;
  /** Acts now and then for as long as `wanted` says so; then undoes what keeps agents from working. */
  begin(wanted: () => boolean): void;
}

/** @param options `lateMs`: how long after it was given up a call may still be carried out. */
export function createOperatorConsole(
  world: World,
  master: Pick<MasterView, 'core' | 'operatorCall' | 'registry'>,
  agents: readonly SimulatedAgent[],
  { lateMs = 0 }: { readonly lateMs?: number } = {},
): OperatorConsole {
  const gone = new Set<string>();
  const promises = new Map<string, boolean>();
  const takenDown = new Set<string>();
  const everTakenDown = new Set<string>();
  /** By kind of key: until when a call that was given up may change such keys. */
  const unsureUntil = new Map<string, Instant>();
  const operations = createOperatorOperations(world);
  let isWaiting = false;

  /** @param affects keys of the registry of which nothing is known until the answer. */
  function call(message: masterApi.Call, affects: readonly string[], done: () => void): void {
    if (isWaiting) return;
    isWaiting = true;
    for (const key of affects) promises.delete(key);
    const end = world.after(PATIENCE_MS, 'operators lose patience', () => {
      isWaiting = false;
      for (const key of affects) unsureUntil.set(kindOf(key), world.now() + lateMs);
    });
    const arrival = { channel: `operators call ${message.type}`, says: (): string => '' };
    world.arrive(world.between(1, CALL_MAX_MS), arrival, () =>
      master.operatorCall(message, ({ status }) => {
        world.trace(`operators get ${status} for ${message.type}`);
        end();
        isWaiting = false;
        if (status === 200) done();
      }),
    );
  }

  function promise(key: string, isHeld: boolean): void {
    if (world.now() >= (unsureUntil.get(kindOf(key)) ?? 0)) promises.set(key, isHeld);
  }

  function idOf(agent: SimulatedAgent | undefined): string | undefined {
    return agent?.core()?.snapshot().agentId;
  }

  /** Agents of a host, as it knows itself, as the master knows it, and as the next master will. */
  function idsOn(agent: SimulatedAgent): readonly string[] {
    const own = idOf(agent);
    const known = [...(master.core()?.state.agents.values() ?? [])].filter(
      ({ info }) => info.hostname === agent.name,
    );
    // The agent may be dead, and nobody may lead, until the call is carried out.
    const held = [...master.registry()].flatMap(([key, record]) =>
      key.startsWith(AGENT_KEYS) && hostnameOf(record) === agent.name
        ? [decodeURIComponent(key.slice(AGENT_KEYS.length))]
        : [],
    );
    return [...(own === undefined ? [] : [own]), ...known.map(({ id }) => id), ...held];
  }

  function markGone(agent: SimulatedAgent): void {
    const id = idOf(agent);
    if (id === undefined) return;
    const body = { agent_id: { value: id } };
    call({ type: 'MARK_AGENT_GONE', mark_agent_gone: body }, [policyKey(id)], () => gone.add(id));
  }

  function changePolicy(kind: 'drain' | 'deactivate' | 'reactivate', id: string): void {
    const body = { agent_id: { value: id } };
    const key = policyKey(id);
    if (kind === 'drain') {
      // It may end in the agent's being gone, and the policy with it: nothing is promised.
      const drain_agent = { ...body, mark_gone: world.chance(MARK_GONE_PROBABILITY) };
      call({ type: 'DRAIN_AGENT', drain_agent }, [key], () => undefined);
    } else if (kind === 'deactivate')
      call({ type: 'DEACTIVATE_AGENT', deactivate_agent: body }, [key], () => promise(key, true));
    else
      call({ type: 'REACTIVATE_AGENT', reactivate_agent: body }, [key], () => promise(key, false));
  }

  function changeMaintenance(kind: 'schedule' | 'machineDown' | 'machineUp'): void {
    const wanted = { schedule: undefined, machineDown: 'DRAINING', machineUp: 'DOWN' }[kind];
    const scheduled = [...(master.core()?.state.machines.values() ?? [])]
      .filter(({ mode }) => mode === wanted)
      .map(({ id }) => id.hostname);
    // Mostly what makes sense, now and then a mistake.
    const sensible = agents.filter(({ name }) => scheduled.includes(name));
    const agent = world.pick(sensible) ?? world.pick(agents);
    if (agent === undefined) return;
    const machine: MachineID = { hostname: agent.name, ip: agent.ip };
    const machines = [machine];
    const key = `master/machines/${encodeURIComponent(`${agent.name} ${agent.ip}`)}`;
    const unavailability = { start: { nanoseconds: 0 } };
    const allKeys = [...promises.keys()].filter((known) => known.startsWith('master/machines/'));
    if (kind === 'schedule') {
      const windows = [{ machine_ids: machines, unavailability }];
      call(
        {
          type: 'UPDATE_MAINTENANCE_SCHEDULE',
          update_maintenance_schedule: { schedule: { windows } },
        },
        [...allKeys, key],
        () => promise(key, true),
      );
    } else if (kind === 'machineDown') {
      for (const id of idsOn(agent)) {
        takenDown.add(id);
        everTakenDown.add(id);
      }
      call({ type: 'START_MAINTENANCE', start_maintenance: { machines } }, [key], () =>
        promise(key, true),
      );
    } else
      call({ type: 'STOP_MAINTENANCE', stop_maintenance: { machines } }, [key], () =>
        promise(key, false),
      );
  }

  function changeQuota(kind: 'updateQuota' | 'removeQuota'): void {
    const role = world.pick(ROLES) ?? 'web';
    const limit = world.between(1, QUOTA_CPUS_MAX);
    const config =
      kind === 'removeQuota'
        ? { role }
        : {
            role,
            limits: { cpus: { value: limit } },
            guarantees: { cpus: { value: world.between(0, limit) } },
          };
    const key = `master/quotas/${role}`;
    call({ type: 'UPDATE_QUOTA', update_quota: { quota_configs: [config] } }, [key], () =>
      promise(key, kind === 'updateQuota'),
    );
  }

  function operate(): void {
    const agent = world.pick([...(master.core()?.state.agents.values() ?? [])]);
    if (agent === undefined) return;
    call(
      operations.callFor(agent.id, agent.total, world.pick(ROLES) ?? 'web'),
      [],
      () => undefined,
    );
  }

  function act(kind: (typeof KINDS)[number]): void {
    const agent = world.pick(agents);
    const id = idOf(agent);
    switch (kind) {
      case 'markGone':
        return agent && markGone(agent);
      case 'drain':
      case 'deactivate':
      case 'reactivate':
        return id === undefined ? undefined : changePolicy(kind, id);
      case 'schedule':
      case 'machineDown':
      case 'machineUp':
        return changeMaintenance(kind);
      case 'updateQuota':
      case 'removeQuota':
        return changeQuota(kind);
      case 'operate':
        return operate();
      case 'updateWeights': {
        const role = world.pick(ROLES) ?? 'web';
        const weight_infos = [{ role, weight: world.between(1, WEIGHT_MAX) }];
        return call(
          { type: 'UPDATE_WEIGHTS', update_weights: { weight_infos } },
          [],
          () => undefined,
        );
      }
      default:
        return unreachable(kind);
    }
  }

  /** Brings machines up and agents back into use, one after the other. */
  function restore(): void {
    const state = master.core()?.state;
    const down = [...(state?.machines.values() ?? [])].find(({ mode }) => mode === 'DOWN');
    const [passive] = [...(state?.policies ?? [])].filter(
      ([, { drain }]) => drain?.state !== 'DRAINING',
    );
    if (down !== undefined)
      call(
        { type: 'STOP_MAINTENANCE', stop_maintenance: { machines: [down.id] } },
        [...promises.keys()],
        () => promises.clear(),
      );
    else if (passive !== undefined) changePolicy('reactivate', passive[0]);
    world.after(ACTION_EVERY_MS, 'operators restore', restore);
  }

  return {
    gone,
    promises,
    takenDown,
    everTakenDown,
    markGone,
    begin(wanted) {
      world.after(world.between(1, 2 * ACTION_EVERY_MS), 'operators act', () => {
        if (!wanted()) return restore();
        const kind = world.pick(KINDS);
        if (kind !== undefined) act(kind);
        this.begin(wanted);
      });
    },
  };
}

function policyKey(id: string): string {
  return `master/policies/${encodeURIComponent(id)}`;
}

/** Calls may affect more keys of a kind than those that are known when they are made. */
function kindOf(key: string): string {
  return key.split('/', 2).join('/');
}

/** Of what the registry holds of an agent. */
function hostnameOf(record: JsonValue): JsonValue | undefined {
  const info = isJsonObject(record) ? record['info'] : undefined;
  return isJsonObject(info) ? info['hostname'] : undefined;
}

/** The first promise that the registry does not keep. Drops those that nobody need keep any more. */
export function brokenPromise(
  promises: Promises,
  registry: ReadonlyMap<string, JsonValue>,
): string | undefined {
  for (const [key, isHeld] of promises) {
    if (registry.has(key) === isHeld) continue;
    const [, kind, id] = key.split('/');
    // With an agent that was removed goes what was decided about it, even if it comes back with its id when
    // its machine is up again.
    const isVoid =
      kind === 'policies' &&
      !registry.has(`master/agents/${id}`) &&
      !registry.has(`master/unreachable/${id}`);
    if (!isVoid) return key;
    promises.delete(key);
  }
  return undefined;
}
