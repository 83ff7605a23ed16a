/** `infra/host/agents.mjs` against a master that answers as the API does. */

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LocalConnection } from '../testing/local-connection.ts';
import { hostProgram } from './host-programs.ts';

interface FakeAgent {
  readonly id: string;
  readonly address: string;
  /** Looks until it has drained; undefined for one that never does. */
  readonly looksToDrain?: number;
}

let server: Server;
let address = '';
let agents: readonly FakeAgent[] = [];
let recovered: readonly { readonly id: string; readonly address: string }[] = [];
/** Looks since an agent was told to drain. */
let draining = new Map<string, number>();
let calls: string[] = [];

function agentsView(): object {
  return {
    get_agents: {
      agents: agents.map(({ id, address: host, looksToDrain }) => {
        const looks = draining.get(id);
        if (looks !== undefined) draining.set(id, looks + 1);
        const hasDrained = looksToDrain !== undefined && (looks ?? 0) >= looksToDrain;
        return {
          agent_info: { id: { value: id }, hostname: 'name.of.host' },
          pid: `slave(1)@${host}:5051`,
          ...(looks !== undefined && {
            drain_info: { state: hasDrained ? 'DRAINED' : 'DRAINING' },
          }),
        };
      }),
      recovered_agents: recovered.map(({ id, address: hostname }) => ({
        id: { value: id },
        hostname,
      })),
    },
  };
}

interface Body {
  readonly type: string;
  readonly drain_agent?: { readonly agent_id: { readonly value: string } };
  readonly mark_agent_gone?: { readonly agent_id: { readonly value: string } };
}

function answer({ type, drain_agent: drain, mark_agent_gone: gone }: Body): object | undefined {
  if (type === 'GET_AGENTS') return agentsView();
  if (type === 'GET_TASKS') {
    return {
      get_tasks: {
        tasks: agents.map(({ id }) => ({
          task_id: { value: `task-of-${id}` },
          agent_id: { value: id },
        })),
      },
    };
  }
  const id = drain?.agent_id.value ?? gone?.agent_id.value ?? '';
  calls.push(`${type} ${id}`);
  if (type === 'DRAIN_AGENT') draining.set(id, 0);
  return undefined;
}

beforeEach(async () => {
  [agents, recovered, draining, calls] = [[], [], new Map(), []];
  server = createServer((request, response) => {
    if (request.url === '/redirect') {
      response.writeHead(307, { location: `//${address}` }).end();
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const told = answer(JSON.parse(Buffer.concat(chunks).toString()) as Body);
      response.end(told === undefined ? '' : JSON.stringify(told));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => await new Promise((resolve) => server.close(resolve)));

async function run(
  action: 'drain' | 'gone',
  options: { readonly agents?: readonly string[]; readonly timeoutMs?: number } = {},
): Promise<unknown> {
  const question = {
    // The first one does not answer.
    masters: ['127.0.0.1:1', address],
    agents: options.agents ?? ['10.0.0.20'],
    action,
    timeoutMs: options.timeoutMs ?? 60_000,
  };
  const words = ['--input-type=module', '-e', hostProgram('agents.mjs'), JSON.stringify(question)];
  const { stdout, stderr } = await new LocalConnection().run([process.execPath, ...words]);
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

test('agents at these addresses are drained, once, and waited for; others are left alone', async () => {
  agents = [
    { id: 'a', address: '10.0.0.20', looksToDrain: 2 },
    { id: 'b', address: '10.0.0.21', looksToDrain: 0 },
    { id: 'c', address: '10.0.0.2', looksToDrain: 0 },
  ];
  expect(await run('drain', { agents: ['10.0.0.20', '10.0.0.21'] })).toEqual({ done: true });
  expect(calls).toEqual(['DRAIN_AGENT a', 'DRAIN_AGENT b']);
});

test('one that drains already is not told again', async () => {
  agents = [{ id: 'a', address: '10.0.0.20', looksToDrain: 1 }];
  draining.set('a', 0);
  expect(await run('drain')).toEqual({ done: true });
  expect(calls).toEqual([]);
});

test('when time is up it says what still runs there', async () => {
  agents = [{ id: 'a', address: '10.0.0.20' }];
  expect(await run('drain', { timeoutMs: 0 })).toEqual({
    done: false,
    reason: 'still running: task-of-a at 10.0.0.20',
  });
});

test('all agents at an address are gone, also those that did not come back after a failover', async () => {
  agents = [{ id: 'a', address: '10.0.0.20' }];
  recovered = [
    { id: 'before', address: '10.0.0.20' },
    { id: 'other', address: '10.0.0.9' },
  ];
  expect(await run('gone')).toEqual({ done: true });
  expect(calls).toEqual(['MARK_AGENT_GONE a', 'MARK_AGENT_GONE before']);
});

test('where nothing is known of the address there is nothing to do', async () => {
  expect(await run('drain')).toEqual({ done: true });
  expect(await run('gone')).toEqual({ done: true });
  expect(calls).toEqual([]);
});

test('without a master it says so', async () => {
  address = '127.0.0.1:1';
  expect(await run('drain', { timeoutMs: 0 })).toEqual({
    done: false,
    reason: 'no master says who leads',
  });
});
