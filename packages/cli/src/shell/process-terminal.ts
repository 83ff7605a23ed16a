/**
 * The real terminal: the standard streams of this process.
 */

import { once } from 'node:events';
import { homedir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { createInterface } from 'node:readline';
import { isatty } from 'node:tty';
import { cliError } from './errors.ts';
import type { Terminal } from './terminal.ts';

/** Bytes of standard input that are read; an app definition has thousands. */
const inputBytesMax = 64 * 1024 * 1024;

const repeatedInterruptMs = 500;
const interruptedExitCode = 130;

/** The terminal of the running process. */
export function createProcessTerminal(): Terminal {
  // A reader that went away (`dcos task list | head -1`) is no error of ours.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  return {
    environment: process.env,
    workingDirectory: process.cwd(),
    homeDirectory: homedir(),
    inputIsTerminal: isatty(0),
    outputIsTerminal: isatty(1),
    print: async (text) => {
      if (text !== '' && !process.stdout.write(text)) await once(process.stdout, 'drain');
    },
    notice: (text) => {
      process.stderr.write(`${text}\n`);
    },
    readInput,
    inputBytes,
    printBytes: async (stream, bytes) => {
      const target = process[stream];
      if (!target.write(bytes)) await once(target, 'drain');
    },
    takeKeys: () => {
      process.stdin.setRawMode(true);
      return () => void process.stdin.setRawMode(false);
    },
    windowSize: () => {
      const { rows, columns, isTTY } = process.stdout;
      return isTTY ? { rows, columns } : undefined;
    },
    onResize: (changed) => {
      process.stdout.on('resize', changed);
      return () => void process.stdout.off('resize', changed);
    },
    ask,
    now: () => Date.now(),
    sleep: async (durationMs, signal) => {
      try {
        await delay(durationMs, undefined, { signal });
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    },
    catchInterrupt,
  };
}

async function* inputBytes(ended: AbortSignal): AsyncGenerator<Uint8Array> {
  // Left open it would keep the process from ending.
  ended.addEventListener('abort', () => process.stdin.destroy(), { once: true });
  try {
    yield* process.stdin as AsyncIterable<Buffer>;
  } catch (error) {
    if (!ended.aborted) throw error;
  }
}

async function readInput(): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of process.stdin as AsyncIterable<Buffer>) {
    bytes += piece.byteLength;
    if (bytes > inputBytesMax) {
      throw cliError('CLI_INPUT', `standard input holds more than ${inputBytesMax} bytes`);
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

async function ask(
  question: string,
  options: { readonly hidden: boolean } = { hidden: false },
): Promise<string | undefined> {
  const { createInterface } = await import('node:readline');
  process.stdout.write(question);
  if (!process.stdin.isTTY) return await pipedLine(createInterface);
  // Without an output readline echoes nothing; the terminal itself echoes unless it is in raw mode.
  const { hidden } = options;
  const lines = createInterface({ input: process.stdin, terminal: hidden, crlfDelay: Infinity });
  try {
    return await new Promise<string | undefined>((resolve) => {
      lines.once('line', resolve);
      lines.once('close', () => resolve(undefined));
      lines.once('SIGINT', () => resolve(undefined));
    });
  } finally {
    lines.close();
    if (hidden) process.stdout.write('\n');
  }
}

let pipedLines: AsyncIterator<string> | undefined;

// One reader for all questions: what comes through a pipe may hold the answers to the next ones, too.
async function pipedLine(create: typeof createInterface): Promise<string | undefined> {
  pipedLines ??= create({ input: process.stdin, terminal: false, crlfDelay: Infinity })[
    Symbol.asyncIterator
  ]();
  process.stdin.resume();
  const { done, value } = await pipedLines.next();
  // A pipe that stays open must not keep the process from ending.
  process.stdin.pause();
  return done === true ? undefined : value;
}

// One Ctrl-C may arrive twice, from the terminal and through a parent that passes it on. A later
// one means that the person is tired of waiting.
function catchInterrupt(): AbortSignal {
  const controller = new AbortController();
  let firstAt: number | undefined;
  const onSignal = (): void => {
    if (firstAt !== undefined && performance.now() - firstAt > repeatedInterruptMs) {
      process.exit(interruptedExitCode);
    }
    firstAt ??= performance.now();
    controller.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return controller.signal;
}
