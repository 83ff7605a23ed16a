/**
 * Invariants of operations where they are carried out: what an agent has is what it was started with, changed
 * once by each operation that it told to have finished and by no other, whatever died in between; and the record
 * of an operation goes only when its framework was told how it ended.
 */

import { toBase64 } from '@dcos/base';
import type { Agent, AgentSnapshot } from '@dcos/agent/core';
import { conversionOf, Resources } from '@dcos/resources';
import type { Offer_Operation, Operation } from '@dcos/wire';
import type { Verdict } from './checkers.ts';
import { isOver } from './framework-operations.ts';
import { RESOURCES, type SimulatedAgent } from './simulated-agent.ts';
import type { SimulatedFramework } from './simulated-framework.ts';

/**
 * Reservations and volumes are neither lost nor doubled. The sum is kept by who looks, from what the agent has
 * told; it knows nothing of how the agent recovers.
 */
export function createReservationChecker(agent: SimulatedAgent): (seen: AgentSnapshot) => Verdict {
  let disks = -1;
  let sum = emptySum();
  return ({ total, operations, phase }) => {
    if (phase === 'recovering') return undefined;
    if (agent.disksUsed !== disks) sum = emptySum();
    disks = agent.disksUsed;
    const untold = emptySum();
    for (const operation of operations) {
      const key = toBase64(operation.uuid.value);
      if (sum.uuids.has(key) || operation.latest_status.state !== 'OPERATION_FINISHED') continue;
      add(agent.toldOperations.has(key) ? sum : untold, key, operation.info);
    }
    const expected = Resources.fromWire(RESOURCES).add(sum.converted).add(untold.converted);
    const consumed = sum.consumed.add(untold.consumed);
    return total.add(consumed).equals(expected)
      ? undefined
      : `${agent.name} has ${textOf(total)} after operations that consumed ${textOf(consumed)} and made ${textOf(expected)} of it`;
  };
}

interface Sum {
  readonly uuids: Set<string>;
  consumed: Resources;
  converted: Resources;
}

function emptySum(): Sum {
  return { uuids: new Set(), consumed: Resources.empty, converted: Resources.empty };
}

function add(sum: Sum, uuid: string, operation: Offer_Operation): void {
  sum.uuids.add(uuid);
  const conversion = conversionOf(operation);
  if (!conversion.ok) return;
  sum.consumed = sum.consumed.add(conversion.value.consumed);
  sum.converted = sum.converted.add(conversion.value.converted);
}

function textOf(resources: Resources): string {
  return JSON.stringify(resources.toWire());
}

/** An operation with an id leaves its agent when its framework has heard its end. */
export function createOperationRecordChecker(
  frameworks: readonly SimulatedFramework[],
): (life: Agent, seen: AgentSnapshot) => Verdict {
  let known: Agent | undefined;
  let before = new Map<string, Operation>();
  return (life, { operations }) => {
    const now = new Map(
      operations.map((operation) => [toBase64(operation.uuid.value), operation] as const),
    );
    // A new life may have lost what was not durable and so never told.
    const gone = life === known ? [...before].filter(([key]) => !now.has(key)) : [];
    known = life;
    before = now;
    for (const [, { info, framework_id: framework }] of gone) {
      const id = info.id?.value;
      if (id === undefined || framework === undefined) continue;
      const isHeard = frameworks.some(({ heardOperations }) =>
        heardOperations.some((heard) => heard.id === id && isOver(heard.state)),
      );
      if (!isHeard)
        return `operation ${id} was acknowledged, but its framework never heard how it ended`;
    }
    return undefined;
  };
}
