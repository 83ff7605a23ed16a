/**
 * What a cluster costs about, so that nobody is surprised. A few list prices of one region, on demand, Linux, without tax;
 * they are an estimate and say so. A type that is not in the table is named as unknown, never counted as nothing.
 */

import type { Wanted, WantedInstance } from './wanted.ts';

export const PRICES_AS_OF = 'January 2025';
export const PRICES_REGION = 'us-east-1';
const HOURS_PER_MONTH = 730;
const PUBLIC_ADDRESS_PER_HOUR = 0.005;

/** US dollars an hour. */
const INSTANCE_PER_HOUR: Readonly<Record<string, number>> = {
  't3.medium': 0.0416,
  't3.large': 0.0832,
  't3.xlarge': 0.1664,
  't3.2xlarge': 0.3328,
  't4g.large': 0.0672,
  't4g.xlarge': 0.1344,
  'm5.large': 0.096,
  'm5.xlarge': 0.192,
  'm5.2xlarge': 0.384,
  'm5.4xlarge': 0.768,
  'm6i.large': 0.096,
  'm6i.xlarge': 0.192,
  'm6i.2xlarge': 0.384,
  'm6g.large': 0.077,
  'm6g.xlarge': 0.154,
  'm6g.2xlarge': 0.308,
  'm7i.large': 0.1008,
  'm7i.xlarge': 0.2016,
  'm7g.large': 0.0816,
  'm7g.xlarge': 0.1632,
  'c5.xlarge': 0.17,
  'c5.2xlarge': 0.34,
  'r5.large': 0.126,
  'r5.xlarge': 0.252,
};

/** US dollars for a GiB and month. */
const VOLUME_PER_GIB_MONTH: Readonly<Record<string, number>> = { gp3: 0.08, gp2: 0.1 };

export interface CostEstimate {
  readonly usdPerHour: number;
  readonly usdPerMonth: number;
  /** Types of instances and volumes that are not in the table, so not in the sums. */
  readonly unknown: readonly string[];
  readonly text: string;
}

/** The cost of all wanted hosts, disks and public addresses. */
export function estimateCost({ instances }: Wanted): CostEstimate {
  const unknown = new Set<string>();
  const usdPerHour = instances.reduce((sum, instance) => sum + costOf(instance, unknown), 0);
  const usdPerMonth = usdPerHour * HOURS_PER_MONTH;
  const isSpot = instances.some((instance) => instance.isSpot);
  const text = [
    `Estimate: about ${usdPerHour.toFixed(2)} USD an hour, ${usdPerMonth.toFixed(0)} USD a month`,
    ` (on demand, ${PRICES_REGION}, ${PRICES_AS_OF}, without tax and traffic`,
    isSpot ? '; spot hosts cost less)' : ')',
    unknown.size > 0 ? `; not counted, price unknown: ${[...unknown].join(', ')}` : '',
  ].join('');
  return { usdPerHour, usdPerMonth, unknown: [...unknown], text };
}

function costOf(instance: WantedInstance, unknown: Set<string>): number {
  const { instanceType, volume } = instance;
  const machine = INSTANCE_PER_HOUR[instanceType];
  const disk = VOLUME_PER_GIB_MONTH[volume.type];
  if (machine === undefined) unknown.add(instanceType);
  if (disk === undefined) unknown.add(volume.type);
  const isReachable = instance.hasPublicAddress || instance.hasElasticAddress;
  return (
    (machine ?? 0) +
    ((disk ?? 0) * volume.sizeGib) / HOURS_PER_MONTH +
    (isReachable ? PUBLIC_ADDRESS_PER_HOUR : 0)
  );
}
