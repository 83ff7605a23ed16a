/**
 * Second processes in a running container: checks, and sessions with their streams at hand. The OCI runtime starts
 * them; what it writes to the pid file is who they are on the host, and is signalled directly.
 */

import { mkdir, rm, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { sendToGroup } from '../process/process-group.ts';
import { commandVector, runCommand } from '../process/run-command.ts';
import { openProcessSession } from '../process/session.ts';
import { readText } from '../process/state-files.ts';
import type { ExecOptions, ExecResult, ExitStatus } from '../runtime.ts';
import type { ContainerSession, SessionOptions } from '../session.ts';
import { statusOfCode } from './exit-status.ts';
import { configText } from './oci-config.ts';
import type { OciProcess } from './oci-spec.ts';

/** How often the runtime is looked at until it tells the pid. */
const PID_LOOK_MS = 10;

export interface InContainer {
  /** The OCI runtime with its general options. */
  readonly runtime: readonly [string, ...string[]];
  readonly id: string;
  readonly process: Omit<OciProcess, 'args'>;
  /** For this process alone; made and removed here. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
}

type Asked = Pick<SessionOptions, 'command' | 'environment' | 'terminal'>;

/** Runs a command to its end or its time-out. */
export async function execInOci(inside: InContainer, options: ExecOptions): Promise<ExecResult> {
  const vector = await describe(inside, options);
  try {
    const result = await runCommand({
      command: { shell: false, arguments: vector },
      directory: inside.directory,
      environment: inside.environment,
      account: undefined,
      timeoutMs: options.timeoutMs,
    });
    if (result.timedOut) await killInside(inside);
    return result;
  } finally {
    await rm(inside.directory, { recursive: true, force: true });
  }
}

/** Opens a session. */
export async function openOciSession(
  inside: InContainer,
  options: SessionOptions,
): Promise<ContainerSession> {
  const vector = await describe(inside, options);
  const session = await openProcessSession({
    ...options,
    command: { shell: false, arguments: vector },
    statePath: inside.directory,
    directory: '/',
    environment: inside.environment,
    account: undefined,
  });
  const state = { hasEnded: false };
  const ended = (async (): Promise<ExitStatus> => {
    const status = await session.ended;
    state.hasEnded = true;
    return status.kind === 'exited' ? statusOfCode(status.code) : status;
  })();
  const isOver = ended.then(() => true);
  let pid = 0;
  while (pid === 0 && !state.hasEnded) {
    pid = await pidOf(inside);
    if (pid === 0) await Promise.race([isOver, delay(PID_LOOK_MS)]);
  }
  return {
    ...session,
    // Of one that ended at once only the runtime's own is known.
    pid: pid === 0 ? session.pid : pid,
    signal: (signal) => {
      if (state.hasEnded) return;
      if (pid > 1) sendToGroup(pid, signal);
      else session.signal(signal);
    },
    ended,
  };
}

/** Writes the description of the process; gives the vector that starts it. */
async function describe(inside: InContainer, asked: Asked): Promise<readonly string[]> {
  const { runtime, id, process, directory } = inside;
  const args = commandVector(asked.command);
  const added = Object.entries(asked.environment ?? {}).map(([name, value]) => `${name}=${value}`);
  await mkdir(directory, { recursive: true });
  const path = join(directory, 'process.json');
  const described: OciProcess = {
    ...process,
    args,
    env: [...process.env, ...added],
    terminal: asked.terminal !== undefined,
  };
  await writeFile(path, configText(described), { mode: 0o600 });
  return [...runtime, 'exec', `--process=${path}`, `--pid-file=${join(directory, 'pid')}`, id];
}

async function pidOf({ directory }: InContainer): Promise<number> {
  return Number((await readText(join(directory, 'pid'))).trim());
}

/** It leads a session of its own, and with it a group. */
async function killInside(inside: InContainer): Promise<void> {
  const pid = await pidOf(inside);
  if (pid > 1) sendToGroup(pid, constants.signals.SIGKILL);
}
