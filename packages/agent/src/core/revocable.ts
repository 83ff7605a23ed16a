/**
 * Revocable resources: what an estimator says can be lent, beside what the agent has. The master hears of each change
 * and with each registration; what was lent already stays lent when the estimate shrinks, until a QoS controller takes
 * it back. None of it outlives the process: the next estimate is as good. Source: mesos-kernel §5.10.
 */

import { Resources } from '@dcos/resources';
import type { Resource } from '@dcos/wire';
import type { Context } from './context.ts';

/** A new estimate. What is not revocable cannot be lent. */
export function estimated(context: Context, resources: readonly Resource[]): void {
  const revocable = Resources.fromWire(resources).revocable();
  if (revocable.equals(context.revocable)) return;
  context.revocable = revocable;
  tellTotal(context);
}

/** What the master is told that the agent has. */
export function reportedTotal(context: Context): readonly Resource[] {
  return context.total.add(context.revocable).toWire();
}

/** RESOURCES_CHANGED, when the master listens; the next registration says it otherwise. */
export function tellTotal(context: Context): void {
  if (context.phase !== 'registered') return;
  const total_resources = reportedTotal(context);
  context.effects.push({
    kind: 'send',
    message: { type: 'RESOURCES_CHANGED', resources_changed: { total_resources } },
  });
}
