/**
 * The worst hour: the leading master stands still for so long that another leads, the two cannot reach each other, and
 * then the first wakes up with its hands full. At no time may two leaders' writes or launches take effect.
 */

import { expect, test } from 'vitest';
import { waitFor } from '@dcos/testkit';
import type { Host } from '../host.ts';
import { actsOfTwoLeaders, agentLogs, launchesOf } from '../launches.ts';
import { idsOf, PATIENCE_MS, type Scene } from '../scene.ts';

const UNIT = 'dcos-mesos-master';
/** A role that nobody has, with a weight that nobody else sets. */
const WEIGHTS = JSON.stringify([{ role: 'written-by-the-ex-leader', weight: 7 }]);

async function masterId({ address }: Host): Promise<string> {
  const answer = await fetch(`http://${address}:5050/state`);
  return ((await answer.json()) as { readonly id: string }).id;
}

async function weights({ address }: Host): Promise<string> {
  return await (await fetch(`http://${address}:5050/weights`)).text();
}

/** Asks for a write now; tells later what came of it. */
async function write({ address }: Host): Promise<number | undefined> {
  const answer = await fetch(`http://${address}:5050/weights`, {
    method: 'PUT',
    body: WEIGHTS,
    redirect: 'manual',
    signal: AbortSignal.timeout(PATIENCE_MS),
  }).catch(() => undefined);
  return answer?.status;
}

export function exLeader(scene: () => Scene): void {
  test('a frozen ex-leader wakes up while two masters are cut off from each other, and nothing that it does takes effect', async () => {
    const { network, agents } = scene().cluster;
    await scene().agentsAreBack();
    const before = await scene().steadyTasks();
    const old = await scene().leadingMaster();
    const oldId = await masterId(old);
    const others = scene().mastersBut(old);
    await scene().whilePeopleWork('a frozen ex-leader wakes up in a partition', async () => {
      await old.freezesUnit(UNIT);
      const written = write(old);
      const next = await scene().leadingMaster(others);
      await network.parts([old], [next]);
      await waitFor(
        'all agents to be with the next leader',
        async () => {
          const id = await masterId(next);
          const logs = await agentLogs(agents);
          return logs.every(({ events }) =>
            events.some((event) => event.kind === 'registered' && event.master === id),
          );
        },
        PATIENCE_MS,
      );
      const launched = launchesOf(oldId, await agentLogs(agents));
      await old.thawsUnit(UNIT);
      expect(await written).not.toBe(200);
      await waitFor(
        'the ex-leader to have ended',
        async () => await masterEnded(old, oldId),
        PATIENCE_MS,
      );
      expect(launchesOf(oldId, await agentLogs(agents))).toBe(launched);
      expect(await weights(next)).not.toContain('written-by-the-ex-leader');
    });
    await network.heals();
    expect(actsOfTwoLeaders(await agentLogs(agents))).toEqual([]);
    expect(idsOf(await scene().steadyTasks())).toEqual(idsOf(before));
  });
}

/** Whether the process that led under this id is gone. */
async function masterEnded(host: Host, id: string): Promise<boolean> {
  const log = await host.journal(UNIT, 'all');
  const started = log.lastIndexOf('master ready at');
  return started > log.lastIndexOf(`"masterId":"${id}"`);
}
