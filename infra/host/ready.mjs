// Waits on a host until something of that host serves. Argument: JSON with what to ask, how long to wait, and the unit
// that it is, whose restarts are counted. Prints one line of JSON: {"ready": true} or {"ready": false, "reason": "…"}.
import { execFileSync } from 'node:child_process';
import { connect } from 'node:net';

const INTERVAL_MS = 100;
const ANSWER_MS = 5_000;
/** A unit that systemd started that often meanwhile does not come up by waiting. */
const RESTARTS_MAX = 8;

const { readiness, unit, timeoutMs } = JSON.parse(process.argv[1]);

async function problemOf() {
  if (readiness.kind === 'zookeeper') return await zooKeeperProblem(readiness);
  if (readiness.kind === 'cluster') return await clusterProblem(readiness);
  const answer = await fetch(readiness.url, { signal: AbortSignal.timeout(ANSWER_MS) });
  const text = await answer.text();
  if (!answer.ok) return `${readiness.url} answers ${answer.status}`;
  if (readiness.metric === undefined || JSON.parse(text)[readiness.metric] === 1) return undefined;
  return `${readiness.metric} is not 1 at ${readiness.url}`;
}

/** A server that is alone, or follows or leads others, says so; one that has no majority does not serve. */
async function zooKeeperProblem({ address, port }) {
  const text = await new Promise((resolve, reject) => {
    const chunks = [];
    const socket = connect(port, address, () => socket.write('srvr'));
    socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error(`no answer from port ${port}`)));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()));
    socket.on('error', reject);
  });
  return text.includes('Mode: ')
    ? undefined
    : 'ZooKeeper serves nobody: no majority of servers yet';
}

/** One of the masters leads, with all agents; one scheduler leads. */
async function clusterProblem({ masters, agents, masterPort, marathonPort }) {
  const ask = async (url) => {
    const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
    return await answer.json();
  };
  const told = await Promise.all(
    masters.map((host) => ask(`http://${host}:${masterPort}/metrics/snapshot`).catch(() => ({}))),
  );
  const leaders = told.filter((metrics) => metrics['master/elected'] === 1);
  if (leaders.length !== 1) return `${leaders.length} of ${masters.length} masters lead`;
  const active = leaders[0]['master/slaves_active'];
  if (active < agents) return `${active} of ${agents} agents are registered`;
  const schedulers = await Promise.all(
    masters.map((host) => ask(`http://${host}:${marathonPort}/v2/leader`).catch(() => ({}))),
  );
  return schedulers.some(({ leader }) => leader !== undefined) ? undefined : 'no Marathon leads';
}

function restarts() {
  if (unit === undefined) return 0;
  const shown = execFileSync('systemctl', [
    'show',
    `${unit}.service`,
    '-p',
    'NRestarts',
    '--value',
  ]);
  return Number.parseInt(shown.toString(), 10) || 0;
}

const deadline = performance.now() + timeoutMs;
const before = restarts();
let reason;
do {
  try {
    reason = await problemOf();
  } catch (error) {
    reason = error.cause?.message ?? error.message;
  }
  if (reason === undefined) break;
  const more = restarts() - before;
  if (more >= RESTARTS_MAX) {
    reason = `it started ${more} times and ended each time (${reason})`;
    break;
  }
  await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
} while (performance.now() < deadline);
process.stdout.write(`${JSON.stringify({ ready: reason === undefined, reason })}\n`);
