/**
 * The installer killed at every call to EC2 in turn, while it deploys and while it destroys, with hosts that boot: the run
 * after it makes nothing twice, and destroyed all is as before. Hours with a real cloud, so: moto, at night
 * (`E2E_NIGHTLY=1`); a few moments are in `aws.e2e.test.ts` always.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { temporaryDirectory, waitFor } from '@dcos/testkit';
import type { Ec2Moment } from './ec2-gate.ts';
import { everythingThere, makeNeighbour, thingsOf } from './ec2-inventory.ts';
import { AGENT_RESOURCES, ec2WorldNote, Ec2World, isEc2WorldAvailable } from './ec2-world.ts';
import { installerOf, saidBy, type InstallerEvent } from './installer-run.ts';

const PATIENCE_MS = 60_000;
const TIMEOUT_MS = 4 * 3_600_000;
const NAME = 'nine-lives';
/** Every so often the run after a kill goes on to a cluster that serves; else until its hosts are there. */
const WHOLE_EVERY = 10;
/** `E2E_FIRST_CALL` goes on where a run was ended. */
const FIRST_CALL = Number(process.env['E2E_FIRST_CALL'] ?? 0);

/** What an undisturbed deployment has. */
const WHOLE = [
  'address address-public-1',
  'gateway gateway',
  'group group-master',
  'group group-private',
  'group group-public',
  'instance master-1',
  'instance public-1',
  'key key',
  'routes routes',
  'subnet subnet-eu-central-1a',
  'volume master-1',
  'volume public-1',
  'vpc vpc',
];

let world: Ec2World;

function configuration(): object {
  return {
    name: NAME,
    provider: 'aws',
    aws: {
      ...world.settings,
      zones: 1,
      masters: { count: 1 },
      // A public one has all that an agent has, and an address of its own.
      privateAgents: { count: 0 },
      publicAgents: { count: 1, elasticAddress: true },
    },
    publicAgentResources: AGENT_RESOURCES,
  };
}

/**
 * One life: killed at this call while it deploys, then while it destroys.
 * @returns which calls these were; `-` where a run did not make that many.
 */
async function lives(moment: Ec2Moment, isWhole: boolean): Promise<readonly string[]> {
  const directory = temporaryDirectory('installer-kills');
  const config = join(directory.path, 'cluster.yaml');
  writeFileSync(config, JSON.stringify(configuration()));
  const { ec2, gate, instances, environment } = world;
  const run = installerOf({ directory: directory.path, config, environment });
  try {
    await makeNeighbour(ec2);
    const before = await everythingThere(ec2);

    const untilHostsAreThere = ({ event }: InstallerEvent): 'kill' | undefined =>
      event === 'step.begun' && !isWhole ? 'kill' : undefined;
    const deploying = gate.watch(moment);
    const killed = await run(['deploy'], untilHostsAreThere, deploying.killedBy);
    const told = `deploy killed ${moment.when} ${deploying.calls.at(-1)}, call ${moment.at}`;
    if (killed.code !== null) expect(killed.code, saidBy(killed)).toBe(0);
    const next = await run(['deploy'], untilHostsAreThere);
    if (next.code !== null) expect(next.code, `${told}\n${saidBy(next)}`).toBe(0);
    expect(await thingsOf(ec2, NAME), `${told}\n${saidBy(next)}`).toEqual(WHOLE);

    const destroying = gate.watch(moment);
    const half = await run(['destroy', '--yes'], undefined, destroying.killedBy);
    const more = `${told}; destroy killed at ${destroying.calls.at(-1)}`;
    if (half.code !== null) expect(half.code, `${more}\n${saidBy(half)}`).toBe(0);
    const gone = await run(['destroy', '--yes']);
    expect(gone.code, `${more}\n${saidBy(gone)}`).toBe(0);
    expect(await everythingThere(ec2), more).toEqual(before);
    await waitFor('the hosts to go', async () => (await instances.hosts()).size === 0, PATIENCE_MS);
    return [deploying, destroying].map(({ killedBy, calls }) =>
      killedBy.aborted ? (calls.at(-1) ?? '') : '-',
    );
  } finally {
    directory.remove();
  }
}

describe.skipIf(!isEc2WorldAvailable)(
  `each call to EC2 is the last of a life${ec2WorldNote}`,
  () => {
    beforeAll(async () => {
      world = await Ec2World.open('kills');
    });
    afterAll(async () => {
      await world?.close();
    });

    test.for([
      ['before and after it is carried out in turn', 0],
      ['the other way round', 1],
    ] as const)('%s', { timeout: TIMEOUT_MS }, async ([, parity], { annotate }) => {
      const startedMs = performance.now();
      let index = FIRST_CALL;
      for (;;) {
        await world.moto.reset();
        const when = index % 2 === parity ? 'before' : 'after';
        const [deploying, destroying] = await lives({ at: index, when }, index % WHOLE_EVERY === 5);
        const seconds = Math.round((performance.now() - startedMs) / 1000);
        await annotate(`${seconds} s: ${when} call ${index}: ${deploying}, ${destroying}`);
        // Neither of them makes so many.
        if (deploying === '-' && destroying === '-') break;
        index += 1;
      }
      expect(index).toBeGreaterThan(FIRST_CALL);
    });
  },
);
