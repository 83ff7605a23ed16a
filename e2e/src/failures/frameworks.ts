/** A scheduler that is not Marathon: the example of the SDK that keeps instances of a command running. */

import { expect, test } from 'vitest';
import { waitFor } from '@dcos/testkit';
import type { Host } from '../host.ts';
import { PATIENCE_MS, type Scene } from '../scene.ts';
import { NODE, RELEASE } from '../units.ts';

const NAME = 'service-scheduler';
const PROGRAM = `${RELEASE}/packages/sdk/examples/service-scheduler.ts`;
/** All that an instance needs to go on where another ended. */
const STATE = '/var/lib/dcos/service-scheduler.id';
const INSTANCES = 2;
const COMMAND = 'sleep 86399';

interface Framework {
  readonly id: string;
  readonly name: string;
  readonly connected: boolean;
  readonly tasks: readonly { readonly id: string; readonly state: string }[];
}

export function frameworks(scene: () => Scene): void {
  const masterUrl = async (): Promise<string> =>
    `http://${(await scene().leadingMaster()).address}:5050`;

  const starts = async (host: Host): Promise<void> => {
    const command = [NODE, '--conditions=@dcos/source', PROGRAM, '--state', STATE];
    const words = [...command, await masterUrl(), String(INSTANCES), COMMAND];
    await host.does('systemd-run', '--quiet', '--collect', `--unit=${NAME}`, ...words);
  };

  /** The framework as the leading master sees it, once it is connected and all its instances run. */
  const running = async (isRight: (framework: Framework) => boolean): Promise<Framework> =>
    await waitFor(
      'the framework and its instances',
      async () => {
        const answer = await fetch(`${await masterUrl()}/frameworks`);
        const { frameworks: all } = (await answer.json()) as {
          readonly frameworks: readonly Framework[];
        };
        const found = all.find(({ name }) => name === NAME);
        const isRunning = found?.tasks.filter(({ state }) => state === 'TASK_RUNNING').length;
        return found?.connected === true && isRunning === INSTANCES && isRight(found) && found;
      },
      PATIENCE_MS,
    );
  const idsOf = ({ tasks }: Framework): readonly string[] => tasks.map(({ id }) => id).toSorted();

  test('a scheduler of the SDK dies, and a second instance takes over: its tasks go on', async () => {
    const [first, second] = scene().cluster.masters;
    if (first === undefined || second === undefined) throw new Error('there are three masters');
    await starts(first);
    const before = await running(() => true);
    await scene().whilePeopleWork('a scheduler of the SDK dies', async () => {
      await first.kills(NAME);
      await second.writes({ [STATE]: await first.does('cat', STATE) });
      await starts(second);
      // It says so itself when the master has taken it for the one that died.
      await waitFor(
        'the second instance to be subscribed',
        async () => (await second.journal(NAME)).includes(`subscribed ${before.id}`),
        PATIENCE_MS,
      );
      expect(idsOf(await running(({ id }) => id === before.id))).toEqual(idsOf(before));
      // And it is the second one that cares for them now.
      for (const host of scene().cluster.agents)
        await host.run('pkill', '-9', '-f', `^${COMMAND}$`);
      await running((framework) => idsOf(framework).every((id) => !idsOf(before).includes(id)));
    });
    await second.kills(NAME);
    const answer = await fetch(`${await masterUrl()}/teardown`, {
      method: 'POST',
      body: new URLSearchParams({ frameworkId: before.id }),
    });
    expect(answer.status).toBe(200);
  });
}
