/** A second command in a running container, such as a health check, bounded in time and output. */

import type Docker from 'dockerode';
import { errorText, type Logger } from '@dcos/base';
import { commandVector } from '../process/run-command.ts';
import { EXEC_OUTPUT_BYTES_MAX, type ExecOptions, type ExecResult } from '../runtime.ts';
import { engineError } from './engine-errors.ts';
import { frames } from './log-pump.ts';

/** Runs it to its end or its time-out. */
export async function execInContainer(
  container: Docker.Container,
  options: ExecOptions,
  logger: Logger,
): Promise<ExecResult> {
  const { command } = options;
  const exec = await container.exec({
    Cmd: [...commandVector(command)],
    Env: Object.entries(options.environment ?? {}).map(([name, value]) => `${name}=${value}`),
    AttachStdout: true,
    AttachStderr: true,
    ...(command.user === undefined ? {} : { User: command.user }),
  });
  const stream = await exec.start({});
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    void killExec(exec, stream, logger);
  }, options.timeoutMs);
  let output = '';
  try {
    for await (const { bytes } of frames(stream)) {
      const room = EXEC_OUTPUT_BYTES_MAX - output.length;
      if (room > 0) output += Buffer.from(bytes).toString('utf8').slice(0, room);
    }
  } catch (error) {
    if (!timedOut) throw engineError('the command broke off', error);
  } finally {
    clearTimeout(timer);
  }
  if (timedOut) return { exitCode: undefined, timedOut, output };
  const { ExitCode } = await exec.inspect();
  return { exitCode: ExitCode ?? undefined, timedOut, output };
}

/** The engine has no call for it; its process is killed where the agent may do that. */
async function killExec(
  exec: Docker.Exec,
  stream: { destroy(): void },
  logger: Logger,
): Promise<void> {
  try {
    const { Pid } = await exec.inspect();
    if (Pid > 1) process.kill(Pid, 'SIGKILL');
  } catch (error) {
    logger.debug(
      { event: 'exec.kill_failed', error: errorText(error) },
      'a check that timed out goes on',
    );
  } finally {
    stream.destroy();
  }
}
