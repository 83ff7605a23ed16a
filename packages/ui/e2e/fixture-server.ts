/**
 * A stand-in for the router: serves the built console and answers of the recorded shapes from a small
 * cluster in memory, with both event streams and live logs. For looking at the console and for its
 * browser checks; it decides nothing about scheduling.
 */
import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { extname, join, normalize } from 'node:path';
import type { FixtureCluster } from './fixture-cluster.ts';
import { busyCluster } from './fixture-scenarios.ts';

const DIST = join(import.meta.dirname, '..', 'dist');
const BODY_BYTES_MAX = 1024 * 1024;
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

export interface FixtureServer {
  readonly url: string;
  readonly cluster: FixtureCluster;
  close(): Promise<void>;
}

/** Starts the server on a free port of the loopback address. */
export async function startFixtureServer(cluster = busyCluster()): Promise<FixtureServer> {
  const server = createServer((request, response) => {
    handle(cluster, request, response).catch((error: unknown) => {
      response.writeHead(500, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify({ message: String(error) }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { url: `http://127.0.0.1:${address.port}`, cluster, close: () => close(server) };
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

async function handle(
  cluster: FixtureCluster,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://fixture');
  const path = url.pathname;
  if (path === '/service/marathon/v2/events') return openEvents(cluster, response);
  if (path === '/mesos/api/v1') return openMasterStream(cluster, response);
  if (path.startsWith('/system/v1/logs/v2/task/')) return openLog(cluster, url, response);
  if (path === '/system/v1/incidents' && request.headers.accept === 'text/event-stream')
    return openIncidents(cluster, response);
  const answer = await answerOf(cluster, request, url);
  if (answer !== undefined) {
    response.writeHead(answer.status, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(answer.body));
    return;
  }
  serveFile(path, response);
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

async function answerOf(
  cluster: FixtureCluster,
  request: IncomingMessage,
  url: URL,
): Promise<Answer | undefined> {
  const path = url.pathname;
  const method = request.method ?? 'GET';
  const ok = (body: unknown): Answer => ({ status: 200, body });
  if (path.startsWith('/service/marathon/v2/apps')) {
    const body = method === 'GET' ? undefined : await readBody(request);
    return appsAnswer(cluster, method, path.slice('/service/marathon/v2/apps'.length), body);
  }
  switch (path) {
    case '/service/marathon/v2/deployments':
      return ok(cluster.deployments);
    case '/service/marathon/v2/queue':
      return ok({ queue: cluster.queue() });
    case '/service/marathon/v2/info':
      return ok({ name: 'marathon', version: '1.11.0', frameworkId: 'fixture-0000' });
    case '/service/marathon/v2/tasks/delete':
      return ok({ tasks: [] });
    case '/mesos/state-summary':
      return ok(cluster.stateSummary());
    case '/mesos/metrics/snapshot':
      return ok(cluster.metrics());
    case '/system/v1/incidents':
      return ok(cluster.incidents.page(url.searchParams));
    case '/mesos/version':
      return ok({ version: '1.12.0' });
    case '/metadata':
      return ok({ PUBLIC_IPV4: '127.0.0.1', CLUSTER_ID: '5f2c9a14-0c1e-4a57-9d43-7b6b7a1d2f10' });
    case '/dcos-metadata/dcos-version.json':
      return ok({ version: '0.1.0' });
    default:
      return path.endsWith('/files/browse') ? ok(cluster.files()) : undefined;
  }
}

function appsAnswer(
  cluster: FixtureCluster,
  method: string,
  rest: string,
  body: Record<string, unknown> | undefined,
): Answer {
  const parts = decodeURIComponent(rest).split('/versions');
  const id = (parts[0] ?? '').replace(/\/restart$/, '');
  if (method === 'POST' && id === '') {
    const faults = cluster.faultsOf(body ?? {});
    if (faults.length > 0) {
      return { status: 422, body: { message: 'Object is not valid', details: faults } };
    }
    return { status: 201, body: cluster.create(body ?? {}) };
  }
  if (id === '') return { status: 200, body: { apps: cluster.apps() } };
  const app = cluster.find(id);
  if (app === undefined) return { status: 404, body: { message: `App '${id}' does not exist` } };
  if (parts[1] !== undefined) {
    const version = parts[1].slice(1);
    if (version === '') return { status: 200, body: { versions: cluster.versions(id) } };
    return { status: 200, body: cluster.definition(id, version) };
  }
  if (method === 'PUT') {
    cluster.update(id, body ?? {});
    return { status: 200, body: { version: new Date().toISOString(), deploymentId: 'd-1' } };
  }
  if (method === 'DELETE') {
    cluster.remove(id);
    return { status: 200, body: { version: new Date().toISOString(), deploymentId: 'd-1' } };
  }
  return { status: 200, body: { app } };
}

async function readBody(request: IncomingMessage): Promise<Record<string, unknown> | undefined> {
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > BODY_BYTES_MAX) throw new Error('body too large');
  }
  return text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>);
}

function openEvents(cluster: FixtureCluster, response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
  response.write(':\n\n');
  const stop = cluster.onMarathonEvent((type, payload) => {
    response.write(`event: ${type}\ndata: ${JSON.stringify({ eventType: type, ...payload })}\n\n`);
  });
  response.on('close', stop);
}

function openIncidents({ incidents }: FixtureCluster, response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
  response.write(':\n\n');
  const stop = incidents.follow((incident) => {
    response.write(`event: incident\nid: ${incident.id}\ndata: ${JSON.stringify(incident)}\n\n`);
  });
  response.on('close', stop);
}

function openMasterStream(cluster: FixtureCluster, response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'application/json' });
  const write = (event: unknown): void => {
    const bytes = Buffer.from(JSON.stringify(event));
    response.write(`${bytes.length}\n`);
    response.write(bytes);
  };
  write({ type: 'SUBSCRIBED', subscribed: { get_state: cluster.snapshot() } });
  const stop = cluster.onMasterEvent(write);
  response.on('close', stop);
}

function openLog(cluster: FixtureCluster, url: URL, response: ServerResponse): void {
  const file = url.pathname.endsWith('/stderr') ? 'stderr' : 'stdout';
  response.writeHead(200, { 'Content-Type': 'text/event-stream' });
  let cursor = 0;
  const write = (message: string): void => {
    cursor += 1;
    response.write(
      `data: ${JSON.stringify({ fields: { MESSAGE: message }, cursor: String(cursor) })}\n\n`,
    );
  };
  for (const line of cluster.logLines(file)) write(line);
  const timer = setInterval(() => write(cluster.nextLogLine(file)), 700);
  response.on('close', () => clearInterval(timer));
}

function serveFile(path: string, response: ServerResponse): void {
  const wanted = join(DIST, normalize(decodeURIComponent(path)));
  const isFile = wanted.startsWith(DIST) && extname(wanted) !== '' && existsSync(wanted);
  const file = isFile ? wanted : join(DIST, 'index.html');
  response.writeHead(200, { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream' });
  createReadStream(file).pipe(response);
}
