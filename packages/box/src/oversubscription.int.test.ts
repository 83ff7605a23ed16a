/**
 * Resources that are lent, through every layer: an agent's estimate, the master's offers, a stranger's framework that
 * takes revocable resources and one that does not, and the end of the guest when the host's load is high. The agent
 * has a fault domain that a script found out, and the master demands one.
 */

import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { startAgent } from '@dcos/agent';
import { silentLogger } from '@dcos/base';
import { startMaster } from '@dcos/master';
import { openMemoryStore } from '@dcos/store';
import { temporaryDirectory, waitFor } from '@dcos/testkit';
import { at, jsonCodec, RawStream, type Plain } from './testing/raw-framework.ts';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const DOMAIN = { fault_domain: { region: { name: 'r' }, zone: { name: 'z' } } };
const QUICKLY_MS = 20;
const load = { fiveMinutes: 0 };

async function startCluster(): Promise<string> {
  const directory = temporaryDirectory('oversubscription');
  closers.push(() => directory.remove());
  const script = join(directory.path, 'detect');
  await writeFile(script, `#!/bin/sh\necho '${JSON.stringify(DOMAIN)}'\n`);
  await chmod(script, 0o755);
  const master = await startMaster(
    { port: 0, domain: JSON.stringify(DOMAIN), requireAgentDomain: true },
    { logger: silentLogger, store: openMemoryStore() },
  );
  closers.push(() => master.close());
  const agent = await startAgent(
    {
      masters: [master.url],
      port: 0,
      workDir: directory.path,
      resources: 'cpus:4;mem:1024;disk:1024;ports:[31000-31100]',
      faultDomainScript: script,
      registrationBackoffMs: 10,
      resourceEstimator: 'cpu-slack',
      oversubscribedResourcesIntervalMs: QUICKLY_MS,
      qosController: 'load',
      qosLoadThreshold5min: 8,
      qosCorrectionIntervalMs: QUICKLY_MS,
    },
    { logger: silentLogger, load: () => [0, load.fiveMinutes, 0] },
  );
  closers.push(async () => {
    await agent.shutdown({ killTasks: true });
    await agent.close();
  });
  await agent.registered;
  return master.url;
}

async function subscribe(
  url: string,
  name: string,
  ...more: readonly string[]
): Promise<RawStream> {
  const capabilities = ['MULTI_ROLE', 'PARTITION_AWARE', ...more].map((type) => ({ type }));
  const framework_info = { user: 'root', name, roles: ['*'], capabilities };
  const call = { type: 'SUBSCRIBE', subscribe: { framework_info } };
  const stream = await RawStream.subscribe(url, jsonCodec, call);
  closers.push(stream.acknowledgeAll());
  return stream;
}

/** An offer that was not withdrawn and has cpus of that kind. */
async function offerOf(stream: RawStream, isLent: boolean): Promise<Plain> {
  return await waitFor('an offer', () => {
    const gone = new Set(stream.events.map((event) => at(event, 'rescind.offer_id.value')));
    const offers = stream.events.flatMap((event) => (at(event, 'offers.offers') ?? []) as Plain[]);
    return offers.find(
      (offer) => !gone.has(at(offer, 'id.value')) && cpusOf(offer, isLent) !== undefined,
    );
  });
}

function cpusOf(offer: Plain, isLent: boolean): Plain | undefined {
  return (offer['resources'] as Plain[]).find(
    ({ name, revocable }) => name === 'cpus' && (revocable !== undefined) === isLent,
  );
}

function launch(offer: Plain, id: string, resources: readonly (Plain | undefined)[]): Plain {
  const task = {
    name: id,
    task_id: { value: id },
    agent_id: offer['agent_id'],
    resources: resources.filter((resource) => resource !== undefined),
    command: { value: 'exec sleep 1000' },
  };
  return { type: 'LAUNCH', launch: { task_infos: [task] } };
}

const accept = (offer: Plain, operation: Plain): Plain => ({
  type: 'ACCEPT',
  accept: {
    offer_ids: [offer['id']],
    operations: [operation],
    filters: { refuse_seconds: 0 },
  },
});

const stateOf = (stream: RawStream, id: string, state: string): Promise<Plain> =>
  stream.event(
    `${id} ${state}`,
    (event) =>
      at(event, 'update.status.task_id.value') === id && at(event, 'update.status.state') === state,
  );

test('what a task does not use is lent to another, until the host is busy', async () => {
  const url = await startCluster();
  const owner = await subscribe(url, 'owner');
  const offer = await offerOf(owner, false);
  expect(at(offer, 'domain')).toEqual(DOMAIN);
  expect(
    await owner.call(accept(offer, launch(offer, 'idle', offer['resources'] as Plain[]))),
  ).toBe(202);
  await stateOf(owner, 'idle', 'TASK_RUNNING');

  const guest = await subscribe(url, 'guest', 'REVOCABLE_RESOURCES');
  // A new estimate may withdraw an offer while it is being accepted: the next one is as good.
  const running = await waitFor('a guest', async () => {
    const next = await offerOf(guest, true);
    const id = `guest-${at(next, 'id.value') as string}`;
    const lent = cpusOf(next, true);
    const part = { ...lent, scalar: { value: 0.1 } };
    await guest.call(accept(next, launch(next, id, [part])));
    const told = await waitFor(`the end or the start of ${id}`, () =>
      guest.events.find(
        (event) =>
          at(event, 'update.status.task_id.value') === id &&
          at(event, 'update.status.state') !== 'TASK_STARTING',
      ),
    );
    return at(told, 'update.status.state') === 'TASK_RUNNING' ? id : undefined;
  });
  expect(owner.events.some((event) => event['type'] === 'RESCIND')).toBe(false);

  load.fiveMinutes = 9;
  const ended = await stateOf(guest, running, 'TASK_GONE');
  expect(at(ended, 'update.status')).toMatchObject({
    reason: 'REASON_CONTAINER_PREEMPTED',
    source: 'SOURCE_AGENT',
    message: 'Container preempted by QoS correction',
  });
  expect(
    owner.events.filter((event) => at(event, 'update.status.task_id.value') === 'idle').at(-1),
  ).toMatchObject({ update: { status: { state: 'TASK_RUNNING' } } });
});
