/** Following a log when the connection does not hold: in this process, with time under control. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { stateDocument } from '../testing/documents.ts';
import { startStubCluster } from '../testing/stub-cluster.ts';
import type { StubRoute } from '../testing/stub-cluster.ts';
import { writeCluster } from './data-directory.ts';
import { printTaskLog } from './task-log.ts';
import type { Terminal } from './terminal.ts';

const task = 'webserver.instance-1._app.1';
const request = { filter: task, file: 'stdout', scope: 'active', lines: 10, follow: true } as const;

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dcos-cli-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

interface FakeTerminal extends Terminal {
  readonly printed: string[];
  readonly pausesMs: number[];
  readonly interrupt: AbortController;
}

// Time passes only in pauses, and those take none.
function fakeTerminal(): FakeTerminal {
  const printed: string[] = [];
  const pausesMs: number[] = [];
  const interrupt = new AbortController();
  return {
    printed,
    pausesMs,
    interrupt,
    environment: { DCOS_DIR: directory },
    workingDirectory: directory,
    homeDirectory: directory,
    inputIsTerminal: false,
    outputIsTerminal: false,
    print: async (text) => {
      printed.push(text);
    },
    notice: (text) => {
      printed.push(`notice: ${text}`);
    },
    readInput: async () => '',
    ask: async () => undefined,
    now: () => 0,
    sleep: async (durationMs) => {
      pausesMs.push(durationMs);
    },
    inputBytes: async function* () {},
    printBytes: async () => await Promise.resolve(),
    takeKeys: () => () => undefined,
    windowSize: () => undefined,
    onResize: () => () => undefined,
    catchInterrupt: () => interrupt.signal,
  };
}

async function followAgainst(route: StubRoute, terminal: FakeTerminal): Promise<number> {
  let connections = 0;
  const cluster = await startStubCluster({
    'GET /mesos/master/state': { json: stateDocument },
    [`GET /system/v1/logs/v2/task/${task}/file/stdout`]: (...parts) => {
      connections += 1;
      return typeof route === 'function' ? route(...parts) : route;
    },
  });
  try {
    await writeCluster(terminal, 'c', { core: { dcos_url: cluster.url } });
    await printTaskLog({ terminal, verbosity: 0, exit: { code: 0 } }, request);
    return connections;
  } catch (error) {
    throw Object.assign(new Error('following failed', { cause: error }), { connections });
  } finally {
    await cluster.close();
  }
}

test('a connection that never works is given up after eight more attempts', async () => {
  const terminal = fakeTerminal();
  const following = followAgainst((_request, response) => {
    response.destroy();
    return undefined;
  }, terminal);
  await expect(following).rejects.toMatchObject({
    connections: 9,
    cause: { code: 'CLI_STREAM_LOST' },
  });
  expect(terminal.pausesMs).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000, 5000]);
});

test('a server error is tried again, and progress starts the count anew', async () => {
  const terminal = fakeTerminal();
  let connections = 0;
  const following = followAgainst((_request, response) => {
    connections += 1;
    if (connections % 3 !== 0) return { status: 503 };
    if (connections === 12) {
      terminal.interrupt.abort();
      return undefined;
    }
    const entry = { fields: { MESSAGE: `line ${connections}` }, cursor: String(connections) };
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(`data: ${JSON.stringify(entry)}\n\n`);
    return undefined;
  }, terminal);
  expect(await following).toBe(12);
  expect(terminal.printed).toEqual(['line 3\n', 'line 6\n', 'line 9\n']);
  expect(terminal.pausesMs).toEqual([250, 500, 250, 500, 1000, 250, 500, 1000, 250, 500, 1000]);
});
