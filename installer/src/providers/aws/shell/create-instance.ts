/**
 * Makes one instance. The client token makes it one, however often it is asked for; zones without room are left out in
 * turn; a token that belongs to an instance that has ended is given up for the next generation's.
 */

import { isAlreadyThere } from '../core/backoff.ts';
import type { CreateAction } from '../core/action.ts';
import { isLive } from '../core/found.ts';
import { instanceToken } from '../core/names.ts';
import { awsError } from '../errors.ts';
import type { Ec2 } from './ec2.ts';
import { toRunInstances, type InstancePlace } from './ec2-input.ts';
import { observeInstances } from './observe.ts';
import { refusalCode } from './retrying-ec2.ts';
import type { RunContext } from './run-context.ts';

const NO_ROOM = new Set([
  'InsufficientInstanceCapacity',
  'InsufficientHostCapacity',
  'InsufficientCapacity',
  'InsufficientFreeAddressesInSubnet',
  'SpotMaxPriceTooLow',
  'Unsupported',
]);
/** Tokens of instances that ended are remembered for a day. */
const GENERATIONS_TRIED_MAX = 10;

type CreateInstance = Extract<CreateAction, { readonly kind: 'createInstance' }>;

export interface InstanceDeps {
  readonly ec2: Ec2;
  readonly context: RunContext;
  readonly place: Omit<InstancePlace, 'generation' | 'subnetId'>;
  readonly subnetIdOf: (name: string) => string;
}

/** Its id. */
export async function createInstance(action: CreateInstance, deps: InstanceDeps): Promise<string> {
  const { name, instanceType } = action.instance;
  let last: unknown;
  for (const subnet of action.subnets) {
    try {
      return await createInSubnet(action, deps.subnetIdOf(subnet), deps);
    } catch (error) {
      if (!NO_ROOM.has(refusalCode(error))) throw error;
      deps.context.onProgress(`${name}: no room for a ${instanceType} in ${subnet}`);
      last = error;
    }
  }
  throw awsError(
    'AWS_NO_CAPACITY',
    `no zone has room for ${name} (${instanceType}), tried ${action.subnets.join(', ')}; ` +
      'add zones, use another type, or run it again later',
    { cause: last },
  );
}

async function createInSubnet(
  action: CreateInstance,
  subnetId: string,
  { ec2, place }: InstanceDeps,
): Promise<string> {
  let generation = action.generation;
  for (let tried = 0; tried < GENERATIONS_TRIED_MAX; tried++, generation++) {
    try {
      const request = toRunInstances(action, { ...place, generation, subnetId });
      const { Instances = [] } = await ec2.call('RunInstances', request);
      const [made] = Instances;
      const state = made?.State?.Name;
      const hasEnded = state === 'terminated' || state === 'shutting-down';
      if (made?.InstanceId !== undefined && !hasEnded) return made.InstanceId;
    } catch (error) {
      const code = refusalCode(error);
      if (code === 'IdempotentInstanceTerminated') continue;
      if (code !== 'IdempotentParameterMismatch') throw error;
      // A former run asked for it in other words: either it is there, or it has ended and been forgotten.
      const parts = {
        cluster: place.cluster,
        instance: action.instance.name,
        generation,
        subnetId,
      };
      const known = await observeInstances(ec2, [
        { Name: 'client-token', Values: [instanceToken(parts)] },
      ]);
      if (known.some(isLive)) throw error;
    }
  }
  throw awsError(
    'AWS_REFUSED',
    `${action.instance.name} ended ${GENERATIONS_TRIED_MAX} times within a day; find out why`,
  );
}

/** Whether EC2 says that it was done before, so that what exists has to be looked at again. */
export function isStale(error: unknown): boolean {
  return isAlreadyThere(refusalCode(error));
}
