import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { startAgent } from '@dcos/agent';
import { silentLogger } from '@dcos/base';
import { startMaster } from '@dcos/master';
import { openMemoryStore } from '@dcos/store';
import { temporaryDirectory } from '@dcos/testkit';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

test('an agent logs in at a master that demands it, also with a credential that comes later', async () => {
  const scratch = temporaryDirectory('agent-log-in');
  closers.push(() => scratch.remove());
  const credentials = join(scratch.path, 'credentials');
  const credential = join(scratch.path, 'credential');
  writeFileSync(credentials, 'agent top\n');
  writeFileSync(credential, 'agent wrong\n');
  const acls = {
    permissive: false,
    register_agents: [{ principals: { values: ['agent'] }, agents: { type: 'ANY' } }],
  };
  const master = await startMaster(
    { port: 0, credentials, authenticateAgents: true, acls },
    { logger: silentLogger, store: openMemoryStore() },
  );
  closers.push(() => master.close());
  const agent = await startAgent(
    {
      masters: [master.url],
      port: 0,
      workDir: join(scratch.path, 'agent'),
      credential,
      registrationBackoffMs: 10,
      registrationBackoffMaxMs: 50,
    },
    { logger: silentLogger },
  );
  closers.push(() => agent.close());
  expect(master.snapshot()?.agents).toEqual([]);
  writeFileSync(credential, '{"principal":"agent","secret":"top"}');
  await agent.registered;
  expect(master.snapshot()?.agents).toMatchObject([{ id: agent.agentId(), connected: true }]);
});
