/** The reads of the agent's API beside recorded answers of the original, in both encodings. */

import { expect, test } from 'vitest';
import { recordings, recordingsFacility, shapeDifferences } from '@dcos/testkit';
import { agentApi, decode } from '@dcos/wire';
import { agentScene } from './testing/agent-scene.ts';
import { commandTask, until } from './testing/fake-master.ts';

const scene = agentScene();

const COMMAND = 'executors[].executor_info.command';
/** What differs, and why; extra keys of ours are allowed. */
const DIFFERENT: ReadonlySet<string> = new Set([
  // A command task has no executor program, whose arguments and variables the original shows.
  ...['get_executors', 'get_state.get_executors'].flatMap((path) => [
    `${path}.${COMMAND}.environment`,
    `${path}.${COMMAND}.arguments`,
  ]),
  // The framework of the recording had one role, of the old form.
  ...['get_frameworks', 'get_state.get_frameworks'].map(
    (path) => `${path}.frameworks[].framework_info.role`,
  ),
  // Of a checkout, which a release does not know of.
  'get_version.version_info.git_sha',
  'get_version.version_info.git_branch',
]);

test.skipIf(!recordingsFacility.available)(
  `reads answer as recorded${recordingsFacility.note}`,
  async () => {
    const { master, start } = scene();
    const agent = await start();
    // The recorded task had an update that was not acknowledged.
    master.acknowledging = false;
    master.run(commandTask('shown', 'sleep 100'));
    await until(() => agent.snapshot().live[0]?.pid, 'the task runs');
    const reads = recordings('snapshots/2-running/agent-v1').filter(
      ({ body, status }) => status === 200 && /"GET_/.test(body),
    );
    expect(reads.length).toBeGreaterThan(10);
    const differences: string[] = [];
    for (const { name, body, answer, contentType } of reads) {
      const ask = async (accept: string): Promise<Response> =>
        await fetch(`${agent.url}/api/v1`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', accept },
          body,
        });
      const response = await ask('application/json');
      expect([name, response.status, response.headers.get('content-type')]).toEqual([
        name,
        200,
        contentType,
      ]);
      const ours: unknown = await response.json();
      const found = shapeDifferences(JSON.parse(answer), ours, DIFFERENT);
      differences.push(...found.map((difference) => `${name}: ${difference}`));
      const bytes = new Uint8Array(await (await ask('application/x-protobuf')).arrayBuffer());
      expect(decode(agentApi.ResponseType, bytes).type).toBe(JSON.parse(body).type);
    }
    expect(differences).toEqual([]);
  },
);

test.each(['SET_LOGGING_LEVEL', 'MARK_RESOURCE_PROVIDER_GONE'])(
  '%s says that it is not there',
  async (type) => {
    const agent = await scene().start();
    const response = await fetch(`${agent.url}/api/v1`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ type }),
    });
    expect(response.status).toBe(501);
    expect(await response.text()).toContain(type);
  },
);
