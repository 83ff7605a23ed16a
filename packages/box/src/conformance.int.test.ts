/**
 * Recorded schedulers against a real master and a real agent: every call gets the recorded answer, every
 * task has the recorded story, and documents have the recorded shape. What differs stands here, with its
 * reason.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { startAgent, type RunningAgent } from '@dcos/agent';
import { silentLogger } from '@dcos/base';
import { startMaster, type RunningMaster } from '@dcos/master';
import { openMemoryStore } from '@dcos/store';
import {
  recordedEnvironment,
  recordedEvents,
  recordings,
  recordingsFacility,
  shapeDifferences,
  temporaryDirectory,
  waitFor,
  type Recording,
} from '@dcos/testkit';
import {
  RecordedExecutor,
  RecordedScheduler,
  sendRecorded,
  storiesOf,
  type SchedulerEvent,
} from './testing/scenario.ts';

interface Cluster {
  readonly workDir: string;
  readonly master: RunningMaster;
  readonly agent: RunningAgent;
  readonly agentId: string;
}

const closers: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** The recorded set-up: one master, one agent with fixed resources and attributes. */
async function startCluster(): Promise<Cluster> {
  const directory = temporaryDirectory('conformance');
  closers.push(() => directory.remove());
  const master = await startMaster(
    { port: 0, hostname: 'localhost', cluster: 'reference' },
    { logger: silentLogger, store: openMemoryStore() },
  );
  closers.push(() => master.close());
  const agent = await startAgent(
    {
      masters: [master.url],
      port: 0,
      hostname: 'localhost',
      workDir: directory.path,
      resources: 'cpus:4;mem:4096;disk:8192;ports:[31000-32000]',
      attributes: 'rack:r1;zone:z1',
      registrationBackoffMs: 10,
    },
    { logger: silentLogger },
  );
  closers.push(() => agent.shutdown({ killTasks: true }));
  await agent.registered;
  return { workDir: directory.path, master, agent, agentId: `${master.masterId}-S0` };
}

interface Scenario {
  readonly folder: string;
  /** Calls that are not made, each with the reason. */
  readonly left?: Readonly<Record<string, string>>;
  /** Documents that were read after the call of this number. */
  readonly documents: Readonly<Record<string, readonly string[]>>;
}

const SCENARIOS: readonly Scenario[] = [
  {
    folder: 'scheduler/1-basic',
    documents: {
      '19': [
        'state-during-frameworks',
        'state-during-roles',
        'state-during-state',
        'state-during-tasks',
        'state-during-v1-GET_FRAMEWORKS',
        'state-during-v1-GET_STATE',
        'state-during-v1-GET_TASKS',
      ],
      '46': ['state-suppressed-frameworks'],
    },
  },
  {
    folder: 'scheduler/5-operations',
    documents: {
      '05': [
        'during-GET_AGENTS',
        'during-GET_TASKS',
        'during-frameworks',
        'during-roles',
        'during-slaves',
        'during-state',
        'during-tasks',
        'during-agent-state',
      ],
      '12': ['GET_OPERATIONS-master', 'GET_OPERATIONS-agent'],
    },
  },
];

/** Keys of documents that ours has not, by design. */
const IGNORED: ReadonlySet<string> = new Set([
  // The version control data of a build; ours is not built from a checkout.
  'git_sha',
  'git_branch',
  // Our log goes to the standard error stream.
  'log_dir',
  // Settings differ by nature.
  'flags',
]);

/** Stories that ours tells otherwise, by task, with the reason. */
const OTHER_STORIES: ReadonlyMap<string, string> = new Map([
  ['nocmd', 'a program that is not there ends with 127, as in a shell; the original says 1'],
]);

/** Which field a JSON text lacks is said in other words, path first. */
const PARSER_PREFIX = 'Failed to convert JSON into Call protobuf: ';

function inOurWords(text: string): string {
  return text.startsWith(PARSER_PREFIX) ? PARSER_PREFIX : text;
}

describe(`recorded schedulers${recordingsFacility.note}`, () => {
  test.skipIf(!recordingsFacility.available).each(SCENARIOS)(
    '$folder',
    { timeout: 180_000 },
    async ({ folder, left = {}, documents }) => {
      const cluster = await startCluster();
      const { url } = cluster.master;
      const theirs = recordedEvents(`${folder}/00-SUBSCRIBE`) as readonly SchedulerEvent[];
      const scheduler = new RecordedScheduler(url, theirs);
      closers.push(() => scheduler.close());
      await scheduler.subscribe(subscriptionOf(folder), cluster);
      const all = recordings(folder);
      for (const recording of all.filter(({ name }) => /^\d/.test(name))) {
        if (recording.name in left) continue;
        const answer = await scheduler.perform(recording);
        expect([recording.name, answer.status, inOurWords(answer.text)]).toEqual([
          recording.name,
          recording.status,
          inOurWords(scheduler.translate(recording.answer)),
        ]);
        for (const name of documents[recording.name.slice(0, 2)] ?? []) {
          const document = all.find((other) => other.name === name);
          await expectShape(cluster, document, scheduler);
        }
      }
      const expected = storiesOf(theirs);
      await waitFor('the end of all stories', () =>
        Object.entries(expected).every(
          ([task, lines]) => (storiesOf(scheduler.events)[task]?.length ?? 0) >= lines.length,
        ),
      ).catch(() => undefined);
      const ours = storiesOf(scheduler.events);
      const differing = Object.keys(expected).filter((task) => !OTHER_STORIES.has(task));
      expect(pick(settled(ours), differing)).toEqual(pick(settled(expected), differing));
    },
  );
});

/** Documents that were read while the executor ran its task. */
const DOCUMENTS = ['master-GET_EXECUTORS', 'master-state', 'agent-GET_EXECUTORS', 'agent-state'];

/** What the process in the executor's place does: it shows its environment and waits. */
const STAND_IN = 'env > environment; exec sleep 1000';

test.skipIf(!recordingsFacility.available)(
  `a recorded executor and its scheduler${recordingsFacility.note}`,
  { timeout: 120_000 },
  async () => {
    const cluster = await startCluster();
    const folder = 'executor/scheduler-side';
    const theirs = recordedEvents(`${folder}/00-SUBSCRIBE`) as readonly SchedulerEvent[];
    const scheduler = new RecordedScheduler(cluster.master.url, theirs);
    closers.push(() => scheduler.close());
    await scheduler.subscribe(subscriptionOf(folder), cluster);
    const executor = new RecordedExecutor(cluster.agent.url, scheduler.translate);
    closers.push(() => executor.close());

    const performed = async (name: string): Promise<void> => {
      const recording = recordings(folder).find((other) => other.name.startsWith(name));
      expect(recording, name).toBeDefined();
      if (recording === undefined) return;
      const body = recording.body.replace('python3 /mnt/exec/ex.py', STAND_IN);
      const answer = await scheduler.perform({ ...recording, body });
      expect([name, answer.status]).toEqual([name, recording.status]);
    };
    const asked = async (pattern: RegExp): Promise<void> => {
      for (const recording of recordings('executor').filter(({ name }) => pattern.test(name))) {
        const answer = await executor.perform(recording);
        const expected = scheduler.translate(recording.answer);
        // How a parser says what it could not read differs by nature.
        const parser = 'Failed to parse body into JSON: ';
        const text = expected.startsWith(parser)
          ? answer.text.slice(0, parser.length)
          : answer.text;
        expect([recording.name, answer.status, text]).toEqual([
          recording.name,
          recording.status,
          expected.startsWith(parser) ? parser : expected,
        ]);
      }
    };

    await performed('01');
    const sandbox = join(
      cluster.workDir,
      `slaves/${cluster.agentId}/frameworks`,
      scheduler.translate(theirs[0]?.subscribed?.framework_id.value ?? ''),
      'executors/ex1/runs/latest',
    );
    // The file is there before what is in it.
    await waitFor('the environment of the executor', () => {
      const environment = readFileSync(join(sandbox, 'environment'), 'utf8');
      const names = environment.split('\n').map((line) => line.split('=')[0] ?? '');
      const missing = recordedEnvironment().filter((name) => !names.includes(name));
      if (missing.length > 0) throw new Error(`the executor lacks ${missing.join(', ')}`);
      return true;
    });

    await asked(/^(0|1)/);
    const [subscription] = recordings('executor', '.stream.txt');
    if (subscription !== undefined) await executor.subscribe(subscription);
    await waitFor('LAUNCH', () => executor.events.find(({ type }) => type === 'LAUNCH'));
    await asked(/^2[1-9]|^30/);
    for (const step of ['02', '03']) await performed(step);
    for (const name of DOCUMENTS) {
      const document = recordings('executor').find((other) => other.name === name);
      await expectShape(cluster, document, scheduler);
    }
    for (const step of ['04', '05']) await performed(step);
    await waitFor('KILL', () => executor.events.find(({ type }) => type === 'KILL'));
    await asked(/^3[12]/);
    for (const step of ['06', '07', '08']) await performed(step);
    await waitFor('SHUTDOWN', () => executor.events.find(({ type }) => type === 'SHUTDOWN'));
    await waitFor('FAILURE', () => scheduler.events.find(({ type }) => type === 'FAILURE'));

    expect(storiesOf(scheduler.events)).toEqual(storiesOf(theirs));
    for (const recorded of recordedEvents('executor/20-SUBSCRIBE')) {
      const ours = executor.events.find(({ type }) => type === recorded.type);
      expect(shapeDifferences(recorded, ours, new Set())).toEqual([]);
    }
    await performed('09');
  },
);

function subscriptionOf(folder: string): string {
  // The stream's own file has the request before the answer, like all others.
  return recordings(folder, '.stream.txt').find(({ name }) => name === '00-SUBSCRIBE')?.body ?? '';
}

/** `t-health` is killed with a grace of zero: either of the two signals may be the one that ends it. */
function settled(
  stories: Readonly<Record<string, readonly string[]>>,
): Readonly<Record<string, readonly string[]>> {
  const lines = stories['t-health'];
  if (lines === undefined) return stories;
  return {
    ...stories,
    't-health': lines.map((line) => line.replace('signal Killed', 'signal Terminated')),
  };
}

function pick<T>(
  map: Readonly<Record<string, T>>,
  keys: readonly string[],
): Readonly<Record<string, T | undefined>> {
  return Object.fromEntries(keys.map((key) => [key, map[key]]));
}

async function expectShape(
  { master, agent }: Cluster,
  recording: Recording | undefined,
  scheduler: RecordedScheduler,
): Promise<void> {
  expect(recording).toBeDefined();
  if (recording === undefined) return;
  const ofAgent = recording.headers['host']?.endsWith(':5051') === true;
  const { url } = ofAgent ? agent : master;
  const answer = await sendRecorded(url, recording, scheduler.translate);
  expect(answer.status).toBe(recording.status);
  const differences = shapeDifferences(
    JSON.parse(recording.answer),
    JSON.parse(answer.text),
    IGNORED,
  );
  expect({ document: recording.name, differences }).toEqual({
    document: recording.name,
    differences: [],
  });
}
