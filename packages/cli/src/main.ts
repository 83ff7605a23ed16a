/**
 * The process of the `dcos` command. Exit codes: 0 success, 1 a reported error, 2 a bug; `task exec` and `task attach`
 * end with the code of what they ran.
 */

import { createProcessTerminal } from './shell/process-terminal.ts';
import { run } from './shell/run.ts';

try {
  // Not `process.exit`: output that a slow reader has not taken yet must still leave.
  process.exitCode = await run(process.argv.slice(2), createProcessTerminal());
} catch (error) {
  process.stderr.write(`Error: this is a bug in dcos: ${describe(error)}\n`);
  process.exitCode = 2;
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
