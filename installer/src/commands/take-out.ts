/**
 * Takes agents out of a cluster: they get nothing more and their tasks end, so that schedulers start them elsewhere; then
 * their unit stops, the master forgets them, and the provider takes the host away. Each step may be repeated, so a run
 * that was cut short is gone on with by the next.
 */

import { errorText, OperationError, operationErrorCode } from '@dcos/base';
import { ACTIVE, RELEASE_NODE } from '../core/cluster.ts';
import { PORTS } from '../core/component-settings.ts';
import { counted } from '../core/plan-text.ts';
import type { HostConnection } from '../hosts/connection.ts';
import { hostProgram } from '../hosts/host-programs.ts';
import { onAll } from '../hosts/side-by-side.ts';
import type { ProvidedHost } from '../providers/provider.ts';
import type { ConnectedHost } from './converge.ts';
import { throwIfInterrupted } from './interrupted.ts';
import type { Session, Surroundings } from './session.ts';

/** Tasks have time to end; those that hang are named. */
const DRAIN_TIMEOUT_MS = 600_000;
/** How long a master is asked in one go, so that Ctrl-C is heard in between. */
const SLICE_MS = 5_000;
const GONE_TIMEOUT_MS = 60_000;
const MARGIN_MS = 60_000;
const AGENT_UNIT = 'dcos-mesos-slave.service';

/** Asks whether agents may be taken out. Throws `INSTALLER_USAGE` where nobody can be asked, `INSTALLER_DECLINED`. */
export async function confirmTakingOut(
  hosts: readonly Pick<ProvidedHost, 'name' | 'address'>[],
  { yes = false }: { readonly yes?: boolean },
  { confirm }: Pick<Surroundings, 'confirm'>,
): Promise<void> {
  if (hosts.length === 0 || yes) return;
  const names = hosts.map(({ name }) => name).join(', ');
  if (confirm === undefined) {
    throw new OperationError(
      'INSTALLER_USAGE',
      `${names} would be taken out of the cluster, and nobody can be asked whether that is meant; say so with --yes`,
    );
  }
  const question = `Take ${names} out of the cluster? Tasks there end, schedulers start them elsewhere; what ${hosts.length === 1 ? 'the host holds' : 'the hosts hold'} is lost.`;
  if (!(await confirm(question)))
    throw new OperationError('INSTALLER_DECLINED', 'nothing was changed');
}

/**
 * @param hosts of the cluster, masters among them; through one of them the leading master is told.
 * @throws OperationError `AGENTS_NOT_DRAINED` with what still runs; they are not offered any more then.
 */
export async function takeOut(
  leaving: readonly ProvidedHost[],
  hosts: readonly ConnectedHost[],
  { provider, reporter }: Pick<Session, 'provider' | 'reporter'>,
  surroundings: Surroundings,
): Promise<void> {
  if (leaving.length === 0) return;
  const masters = hosts.filter(({ place }) => place.role === 'master');
  const reached = await stillThere(leaving);
  try {
    const present = leaving.filter((host) => reached.has(host));
    const tell = (host: string, text: string): void =>
      reporter.tell({ event: 'host.leaving', host, text }, `  ${host.padEnd(12)} ${text}`);
    for (const { name } of leaving)
      if (!present.some((host) => host.name === name)) tell(name, 'cannot be reached: not drained');
    for (const { name } of present) tell(name, 'drain');
    await drain(masters, present, surroundings);
    for (const host of present) {
      tell(host.name, `stop ${AGENT_UNIT}`);
      // Where it was never installed there is nothing to stop.
      await reached.get(host)?.run(['systemctl', 'stop', '--quiet', AGENT_UNIT]);
    }
    throwIfInterrupted(surroundings);
    const problem = await ask(masters, leaving, 'gone', GONE_TIMEOUT_MS);
    if (problem !== undefined)
      throw new OperationError('AGENTS_NOT_GONE', `the master does not let go: ${problem}`);
  } finally {
    await Promise.all([...reached.values()].map(async (connection) => await connection.close()));
  }
  await provider.remove(leaving, (text) =>
    reporter.tell({ event: 'infrastructure.removed', text }, `  ${text}`),
  );
}

/** Hosts that answer, with the way to them. */
async function stillThere(
  hosts: readonly ProvidedHost[],
): Promise<ReadonlyMap<ProvidedHost, HostConnection>> {
  const found = await onAll(hosts, async (host): Promise<HostConnection | undefined> => {
    let connection: HostConnection | undefined;
    try {
      connection = await host.connect();
      await connection.run(['true']);
      return connection;
    } catch (error) {
      await connection?.close();
      if (operationErrorCode(error) === undefined) throw error;
      // Whoever takes it out says that it cannot be reached.
      return undefined;
    }
  });
  return new Map(
    found.flatMap(([host, connection]) => (connection === undefined ? [] : [[host, connection]])),
  );
}

async function drain(
  masters: readonly ConnectedHost[],
  leaving: readonly ProvidedHost[],
  surroundings: Surroundings,
): Promise<void> {
  if (leaving.length === 0) return;
  const endMs = performance.now() + DRAIN_TIMEOUT_MS;
  for (;;) {
    const problem = await ask(masters, leaving, 'drain', SLICE_MS);
    if (problem === undefined) return;
    throwIfInterrupted(surroundings);
    if (performance.now() < endMs) continue;
    throw new OperationError(
      'AGENTS_NOT_DRAINED',
      `${counted(leaving.length, 'agent')} did not drain in ${DRAIN_TIMEOUT_MS / 60_000} minutes: ${problem}. ` +
        'They get nothing more. End what runs there and run it again, or put them back into the configuration',
    );
  }
}

/**
 * Through the first master that can be asked; undefined when it is done.
 * @throws OperationError `MASTERS_SILENT` when none can be asked: the ways to them do not come back by waiting.
 */
async function ask(
  masters: readonly ConnectedHost[],
  agents: readonly ProvidedHost[],
  action: 'drain' | 'gone',
  timeoutMs: number,
): Promise<string | undefined> {
  const question = {
    masters: masters.map(({ place }) => `${place.address}:${PORTS.master}`),
    agents: agents.map(({ address }) => address),
    action,
    timeoutMs,
  };
  const words = ['--input-type=module', '-e', hostProgram('agents.mjs'), JSON.stringify(question)];
  let reason = 'there is no master that can be asked';
  for (const { place, connection } of masters) {
    try {
      const { code, stdout, stderr } = await connection.run(
        [`${ACTIVE}/${RELEASE_NODE}`, ...words],
        {
          timeoutMs: timeoutMs + MARGIN_MS,
        },
      );
      if (code === 0) {
        const answer = JSON.parse(stdout) as { readonly done: boolean; readonly reason?: string };
        return answer.done ? undefined : (answer.reason ?? 'no reason given');
      }
      reason = `${place.name}: ${stderr.trim()}`;
    } catch (error) {
      if (operationErrorCode(error) === undefined) throw error;
      reason = `${place.name}: ${errorText(error)}`;
    }
  }
  throw new OperationError(
    'MASTERS_SILENT',
    `the masters cannot be told of agents that leave: ${reason}; mend it and run again`,
  );
}
