// Waits on a host until something of that host serves. Argument: JSON with what to ask, how long to wait, and the unit
// that it is, whose restarts are counted. Prints one line of JSON: {"ready": true} or {"ready": false, "reason": "…"}.
// With TLS it trusts the cluster's authorities, and a component has to show the certificate that the host has now.
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { connect as connectTls, setDefaultCACertificates } from 'node:tls';

const INTERVAL_MS = 100;
/** Counting restarts takes a program, and so more than a look. */
const RESTARTS_INTERVAL_MS = 1_000;
const ANSWER_MS = 5_000;
/** A unit that systemd started that often meanwhile does not come up by waiting. */
const RESTARTS_MAX = 8;
const AUTHORITIES = '/etc/dcos/tls/ca.crt';
const NODE = '/etc/dcos/tls/node.pem';

const { readiness, unit, timeoutMs } = JSON.parse(process.argv[1]);

async function problemOf() {
  if (existsSync(AUTHORITIES)) setDefaultCACertificates([readFileSync(AUTHORITIES, 'utf8')]);
  if (readiness.kind === 'zookeeper') return await zooKeeperProblem(readiness);
  if (readiness.kind === 'cluster') return await clusterProblem(readiness);
  const answer = await fetch(readiness.url, { signal: AbortSignal.timeout(ANSWER_MS) });
  const text = await answer.text();
  if (!answer.ok) return `${readiness.url} answers ${answer.status}`;
  if (readiness.metric !== undefined && JSON.parse(text)[readiness.metric] !== 1)
    return `${readiness.metric} is not 1 at ${readiness.url}`;
  return readiness.url.startsWith('https:') ? await certificateProblem(readiness.url) : undefined;
}

/** Components look for renewed files every ten seconds. */
async function certificateProblem(url) {
  const { hostname, port } = new URL(url);
  const shown = await new Promise((resolve, reject) => {
    const options = { host: hostname, port: port || 443, ...ownCertificate() };
    const socket = connectTls(options, () => {
      resolve(socket.getPeerX509Certificate());
      socket.destroy();
    });
    socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error(`no answer from port ${port}`)));
    socket.on('error', reject);
  });
  const own = new X509Certificate(readFileSync(NODE));
  if (shown?.fingerprint256 === own.fingerprint256) return undefined;
  return `${url} shows another certificate than that in ${NODE}`;
}

function ownCertificate() {
  const pem = readFileSync(NODE);
  return { cert: pem, key: pem };
}

/** A server that is alone, or follows or leads others, says so; one that has no majority does not serve. */
async function zooKeeperProblem({ address, port, scheme }) {
  const text = await new Promise((resolve, reject) => {
    const chunks = [];
    const ask = () => socket.write('srvr');
    const socket =
      scheme === 'https'
        ? connectTls({ host: address, port, ...ownCertificate() }, ask)
        : connect(port, address, ask);
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
async function clusterProblem({ masters, agents, scheme, masterPort, marathonPort }) {
  const ask = async (url) => {
    const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
    return await answer.json();
  };
  const askAll = async (port, path) =>
    await Promise.all(
      masters.map((host) => ask(`${scheme}://${host}:${port}${path}`).catch(() => ({}))),
    );
  const told = await askAll(masterPort, '/metrics/snapshot');
  const leaders = told.filter((metrics) => metrics['master/elected'] === 1);
  if (leaders.length !== 1) return `${leaders.length} of ${masters.length} masters lead`;
  const active = leaders[0]['master/slaves_active'];
  if (active < agents) return `${active} of ${agents} agents are registered`;
  const schedulers = await askAll(marathonPort, '/v2/leader');
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
let countAt = performance.now() + RESTARTS_INTERVAL_MS;
let reason;
do {
  try {
    reason = await problemOf();
  } catch (error) {
    reason = error.cause?.message ?? error.message;
  }
  if (reason === undefined) break;
  if (performance.now() >= countAt) {
    const more = restarts() - before;
    if (more >= RESTARTS_MAX) {
      reason = `it started ${more} times and ended each time (${reason})`;
      break;
    }
    countAt = performance.now() + RESTARTS_INTERVAL_MS;
  }
  await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
} while (performance.now() < deadline);
process.stdout.write(`${JSON.stringify({ ready: reason === undefined, reason })}\n`);
