/** An EC2 in memory, and ways to hurt the one who calls it. */

import type { Ec2, Ec2Action, Ec2Calls } from '../shell/ec2.ts';
import { hostHandlers } from './fake-hosts.ts';
import { networkHandlers, type Handlers } from './fake-network.ts';
import { Ec2Error, FakeState, type FakeKind } from './fake-state.ts';

export class FakeEc2 implements Ec2 {
  readonly state = new FakeState();
  readonly calls: Ec2Action[] = [];
  readonly #handlers: Handlers = { ...networkHandlers(this.state), ...hostHandlers(this.state) };

  async call<A extends Ec2Action>(action: A, input: Ec2Calls[A][0]): Promise<Ec2Calls[A][1]> {
    // As over a network: never at once.
    await Promise.resolve();
    this.calls.push(action);
    this.state.callCount += 1;
    return this.#handlers[action](input);
  }

  /** Logical names of what carries a cluster's tag, by kind; hosts that have ended are not counted. */
  namesOf(cluster: string): Readonly<Partial<Record<FakeKind, readonly string[]>>> {
    const names: Partial<Record<FakeKind, string[]>> = {};
    for (const { kind, tags, data } of this.state.resources.values()) {
      if (tags.get('dcos:cluster') !== cluster || data.state === 'terminated') continue;
      (names[kind] ??= []).push(tags.get('dcos:resource') ?? '');
    }
    for (const list of Object.values(names)) list.sort();
    return names;
  }

  /** All that a cluster did not make, to compare. */
  others(cluster: string): string {
    const foreign = [...this.state.resources.values()].filter(
      (one) => one.tags.get('dcos:cluster') !== cluster,
    );
    return JSON.stringify(foreign.map(({ id, data, tags }) => ({ id, data, tags: [...tags] })));
  }
}

/** As when the process is killed: no call comes back any more. Not an answer of EC2, so it has no code. */
export class KilledError extends Error {}

export type KillMoment = 'before' | 'after';

/** Dies at a call, from 0: before EC2 gets it, or after EC2 carried it out. */
export function killedAt(ec2: Ec2, index: number, moment: KillMoment): Ec2 {
  let count = 0;
  let isDead = false;
  return {
    async call(action, input) {
      if (isDead) throw new KilledError();
      const isLast = count++ === index;
      if (isLast) {
        isDead = true;
        // What EC2 says to the dead is heard by nobody.
        if (moment === 'after') await ec2.call(action, input).catch(() => undefined);
        throw new KilledError();
      }
      return await ec2.call(action, input);
    },
  };
}

/** Answers some calls with an error instead: the list says by number and action what happens to a call. */
export function disturbed(
  ec2: Ec2,
  judge: (
    index: number,
    action: Ec2Action,
  ) => { readonly code: string; readonly moment: KillMoment } | undefined,
): Ec2 {
  let count = 0;
  return {
    async call(action, input) {
      const fault = judge(count++, action);
      if (fault === undefined) return await ec2.call(action, input);
      if (fault.moment === 'after') await ec2.call(action, input);
      throw new Ec2Error(fault.code);
    },
  };
}
