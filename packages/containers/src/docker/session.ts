/**
 * Sessions in containers of a Docker engine: an exec with its streams attached. The engine has no call that signals
 * one, so its process is signalled directly, where the agent may do that.
 */

import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import { errorText, type Logger } from '@dcos/base';
import { commandVector } from '../process/run-command.ts';
import type { ExitStatus } from '../runtime.ts';
import { END_OF_TRANSMISSION, type ContainerSession, type SessionOptions } from '../session.ts';
import { engineError } from './engine-errors.ts';
import { frames } from './log-pump.ts';

/** How often and how long the engine is asked for a pid that it does not know yet. */
const PID_RETRY_MS = 20;
const PID_TRIES = 100;
/** Codes above this tell of a signal, as shells do. */
const SIGNAL_BASE = 128;

/** Opens one. Throws CONTAINER_LAUNCH_FAILED when the engine refuses. */
export async function openDockerSession(
  container: Docker.Container,
  options: SessionOptions,
  logger: Logger,
): Promise<ContainerSession> {
  const { command, terminal } = options;
  const hasTerminal = terminal !== undefined;
  let exec: Docker.Exec;
  let stream: Duplex;
  try {
    exec = await container.exec({
      Cmd: [...commandVector(command)],
      Env: Object.entries(options.environment ?? {}).map(([name, value]) => `${name}=${value}`),
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: !hasTerminal,
      Tty: hasTerminal,
      ...(command.user === undefined ? {} : { User: command.user }),
    });
    stream = await exec.start({ hijack: true, stdin: true, Tty: hasTerminal });
    if (terminal !== undefined) await exec.resize({ h: terminal.rows, w: terminal.columns });
  } catch (error) {
    throw engineError('cannot open the session', error);
  }
  const pid = await pidOf(exec);
  const note = (event: string, error: unknown): void =>
    logger.debug({ event, error: errorText(error) }, 'a call for a session failed');
  const ended = (async (): Promise<ExitStatus> => {
    try {
      if (hasTerminal)
        for await (const bytes of stream) await options.onOutput('stdout', bytes as Buffer);
      else
        for await (const frame of frames(stream)) await options.onOutput(frame.stream, frame.bytes);
      return await statusOf(exec);
    } catch (error) {
      return { kind: 'unknown', message: errorText(error) };
    }
  })();
  return {
    pid,
    write: async (bytes) => {
      if (stream.destroyed || stream.writableEnded || stream.write(bytes)) return;
      await new Promise<void>((resolve) => stream.once('drain', resolve).once('close', resolve));
    },
    endInput: () => void (hasTerminal ? stream.write(END_OF_TRANSMISSION) : stream.end()),
    resize: ({ rows, columns }) => {
      if (!hasTerminal || rows <= 0 || columns <= 0) return;
      exec.resize({ h: rows, w: columns }).catch((error: unknown) => note('session.resize', error));
    },
    signal: (signal) => {
      try {
        if (pid > 1) process.kill(pid, signal);
      } catch (error) {
        note('session.signal', error);
        stream.destroy();
      }
    },
    ended,
  };
}

async function pidOf(exec: Docker.Exec): Promise<number> {
  for (let attempt = 0; attempt < PID_TRIES; attempt++) {
    const { Pid, ExitCode } = await exec.inspect();
    if (Pid > 0 || ExitCode !== null) return Pid;
    await delay(PID_RETRY_MS);
  }
  return 0;
}

/** The engine ends the stream a moment before it knows the code. */
async function statusOf(exec: Docker.Exec): Promise<ExitStatus> {
  for (let attempt = 0; attempt < PID_TRIES; attempt++) {
    const { ExitCode } = await exec.inspect();
    if (ExitCode === null) await delay(PID_RETRY_MS);
    else if (ExitCode > SIGNAL_BASE && ExitCode < SIGNAL_BASE + 65)
      return { kind: 'signaled', signal: ExitCode - SIGNAL_BASE };
    else return { kind: 'exited', code: ExitCode };
  }
  return { kind: 'unknown', message: 'the engine does not say how the session ended' };
}
