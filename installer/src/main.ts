/**
 * The process of the installer. Ctrl-C lets what runs come to its end and begins nothing new; a second one ends at once.
 */

import { createInterface } from 'node:readline/promises';
import { run } from './commands/run.ts';
import { EXIT_CODES } from './core/errors.ts';

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (interruption.signal.aborted) process.exit(EXIT_CODES.interrupted);
    process.stderr.write('interrupted: waits for what is under way; once more ends at once\n');
    interruption.abort();
  });
}

async function confirm(question: string): Promise<boolean> {
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await reader.question(`${question} [y/N] `, { signal: interruption.signal });
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    reader.close();
  }
}

try {
  process.exitCode = await run(process.argv.slice(2), {
    streams: {
      out: (text) => void process.stdout.write(text),
      err: (text) => void process.stderr.write(text),
    },
    environment: process.env,
    directory: process.cwd(),
    signal: interruption.signal,
    confirm: process.stdin.isTTY ? confirm : undefined,
  });
} catch (error) {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`Error: this is a bug in the installer: ${text}\n`);
  process.exitCode = EXIT_CODES.failed;
}
