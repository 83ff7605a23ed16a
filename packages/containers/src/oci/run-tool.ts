/** Runs a program of the host to its end: the OCI runtime, network plug-ins. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { containerError } from '../errors.ts';
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
