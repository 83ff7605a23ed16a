import { expect, test } from 'vitest';
import { openMemoryStore } from '@dcos/store';
import { scheduler } from '@dcos/wire';
import { openStream, postJson, registerAgent, send } from '../testing/http-client.ts';
import { closeAfterTest, startTestMaster } from '../testing/running-master.ts';
import { frameworkInfo } from '../testing/world.ts';
import type { RunningMaster } from './start-master.ts';

const ROUTE = '/system/v1/incidents';

interface Page {
  readonly incidents: readonly { readonly id: string; readonly kind: string }[];
  readonly next?: string;
}

async function page(master: RunningMaster, query = ''): Promise<Page> {
  const answer = await send(`${master.url}${ROUTE}${query}`);
  expect(answer.status, answer.text).toBe(200);
  expect(answer.headers['content-type']).toMatch(/^application\/json/);
  return JSON.parse(answer.text) as Page;
}

async function subscribe(master: RunningMaster, id?: string): Promise<string> {
  const call: scheduler.Call = {
    type: 'SUBSCRIBE',
    subscribe: { framework_info: frameworkInfo(id === undefined ? {} : { id: { value: id } }) },
    ...(id !== undefined && { framework_id: { value: id } }),
  };
  const stream = await openStream(`${master.url}/api/v1/scheduler`, JSON.stringify(call), {
    type: scheduler.EventType,
    encoding: 'json',
  });
  closeAfterTest(stream);
  const { subscribed } = await stream.events.find(
    'SUBSCRIBED',
    ({ type }) => type === 'SUBSCRIBED',
  );
  return subscribed?.framework_id.value ?? '';
}

/** The events of a stream, as far as they have come. */
async function follow(
  master: RunningMaster,
  query = '',
  headers: Readonly<Record<string, string>> = {},
): Promise<{ next(): Promise<Page['incidents'][number]> }> {
  const leave = new AbortController();
  closeAfterTest({ close: () => leave.abort() });
  const answer = await fetch(`${master.url}${ROUTE}${query}`, {
    headers: { accept: 'text/event-stream', ...headers },
    signal: leave.signal,
  });
  expect(answer.headers.get('content-type')).toBe('text/event-stream');
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return {
    async next() {
      for (;;) {
        const end = text.indexOf('\n\n');
        if (end === -1) {
          text += (await reader?.read())?.value ?? '';
          continue;
        }
        const event = text.slice(0, end);
        text = text.slice(end + 2);
        const data = /^event: incident\nid: \d+\ndata: (.*)$/.exec(event)?.[1];
        if (data !== undefined) return JSON.parse(data) as Page['incidents'][number];
      }
    },
  };
}

test('a new leader tells what its predecessors saw, page by page', async () => {
  const store = openMemoryStore();
  const first = await startTestMaster({}, store);
  await registerAgent(first.url, { agent_info: { hostname: 'h', port: 5051 } });
  expect(await page(first)).toEqual({ incidents: [] });
  const id = await subscribe(first);
  await subscribe(first, id);
  const [replaced] = (await page(first)).incidents;
  expect(replaced).toMatchObject({ id: '1', kind: 'FRAMEWORK_REPLACED', subject: { id } });
  await first.close();

  const second = await startTestMaster({}, store);
  const all = await page(second);
  expect(all).toEqual({
    incidents: [
      expect.objectContaining({
        id: '2',
        kind: 'MASTER_ELECTED',
        summary: expect.stringContaining('It waits for 1 agent.'),
        agents: { expected: 1, returned: 0 },
      }),
      replaced,
    ],
  });
  const newest = await page(second, '?limit=1');
  expect(newest).toEqual({ incidents: [all.incidents[0]], next: '2' });
  expect(await page(second, `?limit=1&cursor=${newest.next}`)).toEqual({ incidents: [replaced] });
  // The failover lasts still.
  for (const since of ['2999-01-01T00:00:00Z', '32472144000'])
    expect(await page(second, `?since=${since}`)).toEqual({ incidents: [all.incidents[0]] });
});

test.each([
  ['?limit=0', /'limit' to be a whole number from 1 to 500, not '0'/],
  ['?limit=501', /'limit'/],
  ['?limit=ten', /'limit'/],
  ['?cursor=-1', /'cursor' to be the 'next' of a page, not '-1'/],
  ['?since=yesterday', /'since' to be a time as in .*, not 'yesterday'/],
  ['?since=2026-13-45', /'since'/],
])('%s is refused', async (query, problem) => {
  const master = await startTestMaster();
  const answer = await send(`${master.url}${ROUTE}${query}`);
  expect(answer.status).toBe(400);
  expect(answer.text).toMatch(problem);
});

test('it is read only', async () => {
  const master = await startTestMaster();
  expect((await postJson(`${master.url}${ROUTE}`, {})).status).toBe(405);
});

test('a stream tells each change, and what was missed to who comes back', async () => {
  const master = await startTestMaster();
  const live = await follow(master);
  const id = await subscribe(master);
  await subscribe(master, id);
  expect(await live.next()).toMatchObject({ id: '1', kind: 'FRAMEWORK_REPLACED', repeats: 0 });
  await subscribe(master, id);
  expect(await live.next()).toMatchObject({ id: '1', repeats: 1 });
  const other = await subscribe(master);
  await subscribe(master, other);
  expect(await live.next()).toMatchObject({ id: '2', subject: { id: other } });

  const resumed = await follow(master, '', { 'last-event-id': '2' });
  expect(await resumed.next()).toMatchObject({ id: '2' });
  const all = await follow(master, '?since=0');
  expect(await all.next()).toMatchObject({ id: '1', repeats: 1 });
  expect(await all.next()).toMatchObject({ id: '2' });
});
