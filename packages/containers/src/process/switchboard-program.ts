/**
 * What a switchboard runs: the process that holds the terminal of one container, as the original's I/O switchboard
 * does. It starts the program at a terminal, appends what comes from it to its own standard output, which is the
 * sandbox's `stdout`, and lets whoever connects to its socket type and resize. It outlives the agent, and ends with
 * the program, when all output is written. Like the launcher it is started with `node -e`, from the text of this
 * function: nothing outside of the function exists there.
 *
 * It says on descriptor 3, in one line, whether the container is there: when the file `pid` is in its directory. What
 * came from the terminal before that is only written then; of a container that never was it is the reason.
 */

import type { Duplex } from 'node:stream';
import type * as NodePty from '@lydell/node-pty';

/** Its first argument, as JSON. Variables of the environment come in its own, with {@link VARIABLE_PREFIX}. */
export interface SwitchboardRequest {
  /** File of a package that has node-pty. */
  readonly from: string;
  /** The program that runs at the terminal. */
  readonly file: string;
  readonly vector: readonly string[];
  readonly directory: string;
  readonly account?: { readonly uid: number; readonly gid: number } | undefined;
  readonly rows: number;
  readonly columns: number;
  /** Where its socket is, and where the pid will be. */
  readonly statePath: string;
  /** The directory is made here, for the account; one that is there is a launch that was given up. */
  readonly makesState: boolean;
  /** Where its own pid and, at the end, the exit code go; without it others see to that. */
  readonly files?: { readonly pid: string; readonly exit: string } | undefined;
}

/** A line from who is connected. */
export type TerminalRequest =
  | { readonly kind: 'data'; readonly base64: string }
  | { readonly kind: 'end' }
  | { readonly kind: 'resize'; readonly rows: number; readonly columns: number };

/** The socket's name. */
export const TERMINAL_SOCKET = 'terminal';
/** Variables with this before their names are the program's: none of them may mean anything to us. */
export const VARIABLE_PREFIX = 'AT_TERMINAL_';

/** The program. */
export function switchboardProgram(): void {
  const { createRequire } = process.getBuiltinModule('node:module');
  const { createServer } = process.getBuiltinModule('node:net');
  const { chmodSync, chownSync, closeSync, mkdirSync, readFileSync, renameSync } =
    process.getBuiltinModule('node:fs');
  const { writeFileSync, writeSync } = process.getBuiltinModule('node:fs');
  const ANSWER = 3;
  const LOOK_MS = 5;
  const LINE_CHARACTERS_MAX = 1024 * 1024;
  const SIGNAL_BASE = 128;
  const END_OF_TRANSMISSION = Uint8Array.of(4);
  const request = JSON.parse(process.argv[1] ?? '') as SwitchboardRequest;
  const prefix = process.argv[2] ?? '';
  const socketName = process.argv[3] ?? '';
  let isAnswered = false;
  const early: Buffer[] = [];

  function answer(what: { readonly data: number } | { readonly error: string }): void {
    if (isAnswered) return;
    isAnswered = true;
    try {
      writeSync(ANSWER, `${JSON.stringify(what)}\n`);
      closeSync(ANSWER);
    } catch {
      // Who asked is gone; the next agent finds the files.
    }
  }

  function fail(error: unknown): never {
    answer({ error: error instanceof Error ? error.message : String(error) });
    process.exit(1);
  }

  function write(bytes: Uint8Array): void {
    try {
      for (let done = 0; done < bytes.length;) done += writeSync(1, bytes, done);
    } catch {
      // The disk is full: there is nobody at a terminal's other end who could be told.
    }
  }

  function open(): NodePty.IPty {
    const pty = createRequire(request.from)('@lydell/node-pty') as typeof NodePty;
    const environment = Object.entries(process.env).flatMap(([name, value = '']) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), value] as const] : [],
    );
    return pty.spawn(request.file, [...request.vector], {
      name: 'xterm',
      rows: request.rows,
      cols: request.columns,
      cwd: request.directory,
      env: Object.fromEntries(environment),
      encoding: null,
      ...request.account,
    });
  }

  /** True once the container is there; tells who asked. */
  function hasBegun(): boolean {
    if (isAnswered) return true;
    let text = '';
    try {
      text = readFileSync('pid', 'utf8');
    } catch {
      // Not yet.
    }
    if (!text.endsWith('\n')) return false;
    for (const bytes of early.splice(0)) write(bytes);
    answer({ data: Number(text) });
    return true;
  }

  function end(code: number): never {
    if (!hasBegun()) fail(Buffer.concat(early).toString().trim() || `it ended with ${code}`);
    if (request.files !== undefined) {
      const { exit } = request.files;
      try {
        writeFileSync(`${exit}.new`, String(code));
        renameSync(`${exit}.new`, exit);
      } catch {
        // The container was removed meanwhile, and nobody asks for its end.
      }
    }
    process.exit(0);
  }

  function run(terminal: NodePty.IPty): void {
    const looks = setInterval(() => {
      if (hasBegun()) clearInterval(looks);
    }, LOOK_MS);
    // Bytes, whatever its type says: no encoding is set.
    terminal.onData((data: Uint8Array | string) => {
      if (isAnswered) write(Buffer.from(data));
      else early.push(Buffer.from(data));
    });
    terminal.onExit(({ exitCode, signal = 0 }) =>
      end(signal === 0 ? exitCode : SIGNAL_BASE + signal),
    );
  }

  function take(terminal: NodePty.IPty, line: string): boolean {
    const { _socket: input } = terminal as unknown as { readonly _socket: Duplex };
    const asked = JSON.parse(line) as TerminalRequest;
    if (asked.kind === 'data') return input.write(Buffer.from(asked.base64, 'base64'));
    if (asked.kind === 'end') return input.write(END_OF_TRANSMISSION);
    // A client that knows no size says zero, which no terminal has.
    if (asked.rows > 0 && asked.columns > 0) terminal.resize(asked.columns, asked.rows);
    return true;
  }

  let terminal: NodePty.IPty | undefined;
  const server = createServer((client) => {
    let rest = '';
    client.setEncoding('utf8');
    client.on('error', () => client.destroy());
    client.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > LINE_CHARACTERS_MAX) client.destroy();
      let hasRoom = true;
      try {
        for (const line of lines)
          if (terminal !== undefined) hasRoom = take(terminal, line) && hasRoom;
      } catch {
        // The terminal is closing, or this is nobody of ours.
        client.destroy();
      }
      if (hasRoom || terminal === undefined) return;
      const { _socket: input } = terminal as unknown as { readonly _socket: Duplex };
      client.pause();
      input.once('drain', () => client.resume());
    });
  });
  try {
    const { statePath, account, files } = request;
    if (request.makesState) {
      mkdirSync(statePath, { mode: 0o700 });
      if (account !== undefined) chownSync(statePath, account.uid, account.gid);
    }
    // Names below it are short, whatever its own is: those of sockets are limited.
    process.chdir(statePath);
    if (files !== undefined) writeFileSync(files.pid, String(process.pid));
    server.on('error', fail);
    server.listen(socketName, () => {
      try {
        chmodSync(socketName, 0o600);
        terminal = open();
        run(terminal);
      } catch (error) {
        fail(error);
      }
    });
  } catch (error) {
    fail(error);
  }
}
