/** ZooKeeper is away. */

import { expect, test } from 'vitest';
import { waitFor } from '@dcos/testkit';
import { SESSION_TIMEOUT_MS } from '../cluster.ts';
import { ASKED, type Answer } from '../history.ts';
import { answers, idsOf, IS_NIGHTLY, PATIENCE_MS, type Scene } from '../scene.ts';

/** Five minutes at night; else for longer than every session. */
const OUTAGE_MS = IS_NIGHTLY ? 300_000 : 2 * SESSION_TIMEOUT_MS;
/** Far more than an answer takes on a busy machine. */
const SILENCE_MS_MAX = 20_000;

export function zooKeeperFailures(scene: () => Scene): void {
  test(
    'ZooKeeper is away: tasks run on, changes are refused, and it needs no hand afterwards',
    { timeout: OUTAGE_MS + 300_000 },
    async () => {
      const { history } = scene().load;
      const { masters } = scene().cluster;
      const before = await scene().steadyTasks();
      const page = await scene().console();
      const startedMs = performance.now();
      const starts = async (): Promise<void> => {
        for (const host of masters) await host.does('systemctl', 'start', 'dcos-zookeeper');
      };
      try {
        for (const host of masters) await host.does('systemctl', 'stop', 'dcos-zookeeper');
        const operations = history.operations.length;
        await waitFor(
          'changes to fail',
          () => history.operations.slice(operations).some(({ outcome }) => outcome === 'unknown'),
          PATIENCE_MS,
        );
        const stoppedMs = performance.now();
        // Nothing happens that could be waited for: this outage is made of time.
        await waitFor(
          'the outage to last',
          () => performance.now() - stoppedMs > OUTAGE_MS,
          OUTAGE_MS + PATIENCE_MS,
        );
        await Promise.all(before.map(answers));
        await page.getByRole('alert').getByText('ZooKeeper does not answer').waitFor();
      } catch (error) {
        // What comes after it needs a cluster that works.
        await starts();
        throw error;
      }
      const endedMs = performance.now();
      await scene().whilePeopleWork('ZooKeeper is back after it was away', async () => {
        await starts();
        await scene().leadingMaster();
        await scene().leadingScheduler();
      });
      await page.locator('.live[data-state="open"]').waitFor();
      await page.getByRole('alert').waitFor({ state: 'detached' });
      expect(idsOf(await scene().steadyTasks())).toEqual(idsOf(before));
      const wrong = ({ outcome, startedMs: at }: Answer): boolean =>
        outcome === 'wrong' && at > startedMs;
      expect(history.answers.filter(wrong)).toEqual([]);
      for (const what of ASKED) {
        const silenceMs = history.longestWithoutAnswerMs(what, startedMs, endedMs);
        expect(silenceMs, what).toBeLessThan(SILENCE_MS_MAX);
      }
    },
  );
}
