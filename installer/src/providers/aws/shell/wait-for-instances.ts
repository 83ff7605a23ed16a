/** Waits until instances run, or are gone; says every now and then for how many it still waits. */

import type { FoundInstance, InstanceState } from '../core/found.ts';
import { awsError } from '../errors.ts';
import type { Ec2 } from './ec2.ts';
import { observeInstances } from './observe.ts';
import { pause, type RunContext } from './run-context.ts';

const FIRST_LOOK_MS = 1_000;
const LOOK_MS_MAX = 10_000;
/** Large hosts need minutes to end, and to start. */
const WAIT_MS_MAX = 15 * 60_000;
/** Values that one filter may have. */
const FILTER_VALUES_MAX = 200;

/** Until all run and have an address. One that ended is an error, with EC2's reason. */
export async function waitUntilRunning(
  ids: readonly string[],
  ec2: Ec2,
  context: RunContext,
): Promise<void> {
  await waitUntil(ids, ec2, context, {
    word: 'running',
    isDone: (instance) => {
      if (instance?.state === 'terminated' || instance?.state === 'shutting-down') {
        const { name, id, stateReason = 'EC2 does not say why' } = instance;
        throw awsError(
          'AWS_HOST_FAILED',
          `${name} (${id}) ended instead of starting: ${stateReason}`,
        );
      }
      return instance?.state === 'running' && instance.privateAddress !== undefined;
    },
  });
}

/** Until none of them is left; EC2 lists those that ended for a while, then not any more. */
export async function waitUntilTerminated(
  ids: readonly string[],
  ec2: Ec2,
  context: RunContext,
): Promise<void> {
  const ended: readonly (InstanceState | undefined)[] = ['terminated', undefined];
  await waitUntil(ids, ec2, context, {
    word: 'ended',
    isDone: (instance) => ended.includes(instance?.state),
  });
}

interface Condition {
  readonly word: string;
  /** Asked with undefined for an instance that EC2 does not show. */
  readonly isDone: (instance: FoundInstance | undefined) => boolean;
}

async function waitUntil(
  ids: readonly string[],
  ec2: Ec2,
  context: RunContext,
  { word, isDone }: Condition,
): Promise<void> {
  const endMs = context.clock.monotonicMs() + WAIT_MS_MAX;
  let left = ids;
  for (let everyMs = FIRST_LOOK_MS; left.length > 0; everyMs = Math.min(2 * everyMs, LOOK_MS_MAX)) {
    const shown = await lookAt(left, ec2);
    const still = left.filter((id) => !isDone(shown.get(id)));
    if (still.length < left.length || everyMs === FIRST_LOOK_MS) {
      context.onProgress(`${ids.length - still.length} of ${ids.length} instances ${word}`);
    }
    left = still;
    if (left.length === 0) return;
    if (context.clock.monotonicMs() > endMs) {
      const states = left.map((id) => `${shown.get(id)?.name ?? id} ${shown.get(id)?.state ?? ''}`);
      throw awsError('AWS_HOST_FAILED', `not ${word} in time: ${states.join(', ')}`);
    }
    await pause(everyMs, context);
  }
}

/** By filter, since a list of ids fails as a whole when one of them is not known yet. */
async function lookAt(
  ids: readonly string[],
  ec2: Ec2,
): Promise<ReadonlyMap<string, FoundInstance>> {
  const shown = new Map<string, FoundInstance>();
  for (let start = 0; start < ids.length; start += FILTER_VALUES_MAX) {
    const Values = ids.slice(start, start + FILTER_VALUES_MAX);
    const instances = await observeInstances(ec2, [{ Name: 'instance-id', Values }]);
    for (const instance of instances) shown.set(instance.id, instance);
  }
  return shown;
}
