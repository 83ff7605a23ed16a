/**
 * What operators of the world do: they declare agents gone and change weights, at moments of the seed's choice.
 * What was answered with 200 is remembered, since it may never be lost.
 */

import { unreachable } from '@dcos/base';
import type { masterApi } from '@dcos/wire';
import type { SimulatedAgent } from './simulated-agent.ts';
import type { SimulatedMaster } from './simulated-master.ts';
import type { World } from './world.ts';

/** Mean time between two actions. */
const ACTION_EVERY_MS = 6_000;
const CALL_MAX_MS = 30;
const WEIGHT_MAX = 5;

const KINDS = ['markGone', 'updateWeights', 'updateWeights'] as const;

export interface OperatorConsole {
  /** Agents that are gone, by an answer that was received. */
  readonly gone: ReadonlySet<string>;
  /** Declares the agent of a host gone. */
  markGone(agent: SimulatedAgent): void;
  /** Acts now and then for as long as `wanted` says so. */
  begin(wanted: () => boolean): void;
}

export function createOperatorConsole(
  world: World,
  master: SimulatedMaster,
  agents: readonly SimulatedAgent[],
): OperatorConsole {
  const gone = new Set<string>();

  function call(message: masterApi.Call, done: () => void): void {
    const arrival = { channel: `operators call ${message.type}`, says: () => '' };
    world.arrive(world.between(1, CALL_MAX_MS), arrival, () =>
      master.operatorCall(message, ({ status }) => {
        world.trace(`operators get ${status} for ${message.type}`);
        if (status === 200) done();
      }),
    );
  }

  function markGone(agent: SimulatedAgent): void {
    const id = agent.core()?.snapshot().agentId;
    if (id === undefined) return;
    call({ type: 'MARK_AGENT_GONE', mark_agent_gone: { agent_id: { value: id } } }, () =>
      gone.add(id),
    );
  }

  function act(): void {
    const kind = world.pick(KINDS);
    switch (kind) {
      case undefined:
        return;
      case 'markGone': {
        const agent = world.pick(agents);
        if (agent !== undefined) markGone(agent);
        return;
      }
      case 'updateWeights': {
        const role = world.pick(['web', 'batch']) ?? 'web';
        const weight_infos = [{ role, weight: world.between(1, WEIGHT_MAX) }];
        call({ type: 'UPDATE_WEIGHTS', update_weights: { weight_infos } }, () => undefined);
        return;
      }
      default:
        return unreachable(kind);
    }
  }

  return {
    gone,
    markGone,
    begin(wanted) {
      world.after(world.between(1, 2 * ACTION_EVERY_MS), 'operators act', () => {
        if (!wanted()) return;
        act();
        this.begin(wanted);
      });
    },
  };
}
