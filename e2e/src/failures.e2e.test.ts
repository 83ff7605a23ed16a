/**
 * The failures of the talks and those that they left out, one after the other, on hosts of their own, while people go
 * on working. What each costs them is printed; docs/operations/failures.md has the figures.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { browserNote, browserPath, dockerImage, ensureBuilt, waitFor } from '@dcos/testkit';
import { violations } from './checkers.ts';
import { HOST_IMAGE } from './engine.ts';
import { clocks } from './failures/clocks.ts';
import { disks } from './failures/disks.ts';
import { exLeader } from './failures/ex-leader.ts';
import { frameworks } from './failures/frameworks.ts';
import { partitions } from './failures/partitions.ts';
import { endings, processFailures } from './failures/processes.ts';
import { zooKeeperMinority } from './failures/zookeeper-minority.ts';
import { zooKeeperFailures } from './failures/zookeeper.ts';
import { PATIENCE_MS, Scene } from './scene.ts';

const engine = dockerImage(HOST_IMAGE);
const isPossible = engine.available && browserPath !== undefined;
const note = engine.available ? browserNote : engine.note;

let opened: Scene;
const scene = (): Scene => opened;

describe.skipIf(!isPossible)(`a cluster of seven hosts${note}`, () => {
  beforeAll(async () => {
    ensureBuilt();
    opened = await Scene.open('failures');
  });

  afterAll(async () => {
    process.stdout.write(`${opened?.measured.join('\n')}\n`);
    await opened?.isRemoved();
  });

  processFailures(scene);
  frameworks(scene);
  partitions(scene);
  exLeader(scene);
  zooKeeperMinority(scene);
  zooKeeperFailures(scene);
  disks(scene);
  clocks(scene);
  endings(scene);

  test('afterwards nothing that was promised is lost', async () => {
    const { client, cluster, load, measured } = scene();
    await scene().stops();
    await waitFor(
      'all deployments to end',
      async () => {
        const deployments = (await client.reads('/v2/deployments')) as readonly unknown[];
        if (deployments.length === 0) return true;
        const queue = await client.reads('/v2/queue');
        throw new Error(`${JSON.stringify(deployments[0])}; waiting: ${JSON.stringify(queue)}`);
      },
      PATIENCE_MS,
    );
    const { operations, answers } = load.history;
    const acknowledged = operations.filter(({ outcome }) => outcome === 'acknowledged');
    const right = answers.filter(({ outcome }) => outcome === 'right');
    measured.push(
      `${operations.length} operations, ${acknowledged.length} acknowledged; ` +
        `${answers.length} questions, ${right.length} answered right`,
    );
    // Processes that were told to end have a moment to do so.
    let found: readonly string[] = [];
    await waitFor(
      'the checkers to find nothing',
      async () => {
        found = await violations({
          history: load.history,
          apps: await client.apps(),
          tasks: await client.tasks(),
          agents: cluster.agents,
        });
        return found.length === 0;
      },
      30_000,
    ).catch(() => undefined);
    expect(found).toEqual([]);
  });
});
