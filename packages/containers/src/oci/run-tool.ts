/** Runs a program of the host to its end: the OCI runtime, network plug-ins. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { containerError } from '../errors.ts';
import type { ShimLauncher } from '../process/shim-launcher.ts';
import { TOOL_ENVIRONMENT } from './conmon.ts';

const run = promisify(execFile);

/** How long one may take on a busy host. */
const TOOL_TIMEOUT_MS = 60_000;

/** Resolves with its output. Throws CONTAINER_LAUNCH_FAILED with what it said. */
export async function runTool(file: string, vector: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run(file, vector, {
      env: TOOL_ENVIRONMENT,
      timeout: TOOL_TIMEOUT_MS,
    });
    return stdout;
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    throw containerError('CONTAINER_LAUNCH_FAILED', said === '' ? `${file} failed` : said, error);
  }
}

/**
 * The same in the launcher, for what each container needs: a fork of the agent costs its event loop some
 * milliseconds. When the launcher dies the program is run once more, so it must bear that.
 */
export async function runToolIn(
  launcher: Pick<ShimLauncher, 'run'>,
  file: string,
  vector: readonly string[],
): Promise<string> {
  const call = { file, vector, environment: TOOL_ENVIRONMENT, timeoutMs: TOOL_TIMEOUT_MS };
  const end = (await launcher.run(call)) ?? (await launcher.run(call));
  if (end?.succeeded === true) return end.stdout;
  const said = end?.stderr.trim() ?? 'the launcher of tasks died';
  throw containerError('CONTAINER_LAUNCH_FAILED', said === '' ? `${file} failed` : said);
}
