// Tells the leading master what becomes of agents that leave a cluster. Argument: JSON with `masters` (host:port),
// `agents` (addresses), `action` (`drain`: they take nothing more and their tasks end; `gone`: they never come back), and
// `timeoutMs`. Prints one line of JSON: {"done": true} or {"done": false, "reason": "…"}; after a `false` run it again.
// In a cluster with certificates it asks by TLS.
import { existsSync, readFileSync } from 'node:fs';
import { setDefaultCACertificates } from 'node:tls';

const ANSWER_MS = 10_000;
const INTERVAL_MS = 200;
const TASKS_SHOWN_MAX = 20;
const AUTHORITIES = '/etc/dcos/tls/ca.crt';

const { masters, agents, action, timeoutMs } = JSON.parse(process.argv[1]);
const hasTls = existsSync(AUTHORITIES);
if (hasTls) setDefaultCACertificates([readFileSync(AUTHORITIES, 'utf8')]);
const scheme = hasTls ? 'https' : 'http';

/** Base of the addresses of the master that leads. */
async function leader() {
  for (const address of masters) {
    try {
      const answer = await fetch(`${scheme}://${address}/redirect`, {
        redirect: 'manual',
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      const host = /^(?:https?:)?\/\/([^/]+)/.exec(answer.headers.get('location') ?? '')?.[1];
      if (host !== undefined) return `${scheme}://${host}`;
    } catch {
      // The next one may know.
    }
  }
  throw new Error('no master says who leads');
}

async function call(base, body) {
  const answer = await fetch(`${base}/api/v1`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${body.type} is answered with ${answer.status}: ${text}`);
  return text === '' ? {} : JSON.parse(text);
}

/** Agents that the master knows at the addresses, also those that have not come back after a failover. */
async function known(base) {
  const { get_agents: found } = await call(base, { type: 'GET_AGENTS' });
  const here = (found.agents ?? []).map(({ agent_info, pid, drain_info }) => ({
    id: agent_info.id,
    address: /@([^@]+):\d+$/.exec(pid ?? '')?.[1] ?? agent_info.hostname,
    drain: drain_info?.state,
  }));
  const away = (found.recovered_agents ?? []).map(({ id, hostname }) => ({
    id,
    address: hostname,
    drain: undefined,
  }));
  return [...here, ...away].filter(({ address }) => agents.includes(address));
}

/** What keeps it from being done; undefined when it is. */
async function problem() {
  const base = await leader();
  const found = await known(base);
  if (action === 'gone') {
    for (const { id } of found)
      await call(base, { type: 'MARK_AGENT_GONE', mark_agent_gone: { agent_id: id } });
    return undefined;
  }
  for (const { id } of found.filter(({ drain }) => drain === undefined))
    await call(base, { type: 'DRAIN_AGENT', drain_agent: { agent_id: id } });
  const draining = found.filter(({ drain }) => drain !== 'DRAINED');
  if (draining.length === 0) return undefined;
  const { get_tasks: told } = await call(base, { type: 'GET_TASKS' });
  const ids = new Map(draining.map(({ id, address }) => [id.value, address]));
  const left = (told.tasks ?? []).filter(({ agent_id: { value } }) => ids.has(value));
  const shown = left
    .slice(0, TASKS_SHOWN_MAX)
    .map(({ task_id, agent_id }) => `${task_id.value} at ${ids.get(agent_id.value)}`);
  const more = left.length > shown.length ? ` and ${left.length - shown.length} more` : '';
  return left.length === 0
    ? `${[...ids.values()].join(', ')}: the master waits for the agent`
    : `still running: ${shown.join(', ')}${more}`;
}

const deadline = performance.now() + timeoutMs;
let reason;
for (;;) {
  try {
    reason = await problem();
  } catch (error) {
    reason = error.cause?.message ?? error.message;
  }
  if (reason === undefined || performance.now() >= deadline) break;
  await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
}
process.stdout.write(`${JSON.stringify({ done: reason === undefined, reason })}\n`);
