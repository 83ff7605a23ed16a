/**
 * A host reached by SSH. The connection is opened when it is needed, and again when it was lost; a program whose
 * connection is lost is not run again, since nobody knows how far it came.
 *
 * Programs are ended by `timeout` on the host, as nothing else ends them there when we turn away; files go through a
 * program, too, since the protocol's own file transfer could not write as root for another user.
 */

import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Client, ClientChannel } from 'ssh2';
import { OperationError } from '@dcos/base';
import {
  RUN_TIMEOUT_MS,
  type HostConnection,
  type RunOptions,
  type RunResult,
  type UploadOptions,
  type UploadSource,
} from '../../hosts/connection.ts';
import { lastOf } from '../../hosts/last-of.ts';
import { KILL_AFTER_SECONDS, timedArgv, wasTimedOut } from '../../hosts/timed-program.ts';
import { uploadByPrograms } from '../../hosts/upload.ts';
import { shellWords } from './shell-words.ts';
import { openSshClient, type OpenSshClient } from './ssh-client.ts';
import { placeText, type SshTarget } from './ssh-target.ts';
import { checkSudo, sudoArgv, talkToSudo, type SudoTalk } from './sudo.ts';

/** Programs at a time on one connection; servers allow ten unless told otherwise. */
export const CHANNELS_MAX = 8;
/** How much longer than the host we wait for the end of a program before the host is taken for gone. */
const GRACE_MS = 15_000;

export class SshConnection implements HostConnection {
  readonly #target: SshTarget;
  #opening: Promise<OpenSshClient> | undefined;
  #open: OpenSshClient | undefined;
  #isClosed = false;
  #channels = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(target: SshTarget) {
    this.#target = target;
  }

  async run(
    argv: readonly string[],
    { input, timeoutMs = RUN_TIMEOUT_MS, asRoot = true }: RunOptions = {},
  ): Promise<RunResult> {
    const seconds = Math.ceil(timeoutMs / 1000);
    const limitMs = (seconds + KILL_AFTER_SECONDS) * 1000 + GRACE_MS;
    await this.#takeChannel();
    try {
      const result = await this.#runOnce(timedArgv(argv, seconds), { input, limitMs, asRoot });
      if (wasTimedOut(result)) throw this.#tookTooLong(argv, seconds, result);
      return result;
    } catch (error) {
      if (error instanceof OperationError) throw error;
      throw this.#lost(error);
    } finally {
      this.#giveChannel();
    }
  }

  async upload(source: UploadSource, remotePath: string, options: UploadOptions): Promise<void> {
    await uploadByPrograms(this, source, remotePath, options);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#opening?.catch(() => undefined);
    this.#open?.end();
  }

  async #runOnce(
    argv: readonly string[],
    { input, limitMs, asRoot }: RunOnceOptions,
  ): Promise<RunResult> {
    const { sudo } = this.#target;
    const where = placeText(this.#target);
    if (!asRoot || sudo === undefined) return await this.#exchange(argv, { input, limitMs });
    if (sudo.password === undefined) {
      const result = await this.#exchange(sudoArgv(argv), { input, limitMs });
      checkSudo(where, result);
      return result;
    }
    let write: (text: string) => void = () => undefined;
    const answer = (text: string): void => write(text);
    const talk = talkToSudo(argv, { where, password: sudo.password, answer });
    const onOpen = (channel: ClientChannel): void => {
      write = (text) => void channel.write(text);
    };
    return await this.#exchange(talk.argv, { input, limitMs, talk, onOpen });
  }

  async #client(): Promise<OpenSshClient> {
    if (this.#isClosed) throw new Error('the connection was closed');
    this.#opening ??= openSshClient(this.#target).then(
      (opened) => {
        this.#open = opened;
        opened.client.once('close', () => this.#forget());
        return opened;
      },
      (error: unknown) => {
        this.#opening = undefined;
        throw error;
      },
    );
    return await this.#opening;
  }

  #forget(): void {
    this.#open?.end();
    this.#open = undefined;
    this.#opening = undefined;
  }

  /** Gives a program what it reads, and takes what it writes, until its end. */
  async #exchange(argv: readonly string[], options: ExchangeOptions): Promise<RunResult> {
    const { client } = await this.#client();
    const timer = setTimeout(() => this.#forget(), options.limitMs);
    try {
      const { channel, exit } = await begin(client, shellWords(argv));
      // It is waited for below, where something else may fail first.
      exit.catch(() => undefined);
      options.onOpen?.(channel);
      const stdout = channel.pipe(new PassThrough());
      const stderr = channel.stderr.pipe(options.talk?.stderr ?? new PassThrough());
      const texts = Promise.all([lastOf(stdout), lastOf(stderr)]);
      // What was written does not matter where nobody knows how it ended.
      texts.catch(() => undefined);
      try {
        const [code] = await Promise.all([exit, send(channel, options)]);
        const [out, err] = await texts;
        return { code, stdout: out, stderr: err };
      } finally {
        stdout.destroy();
        stderr.destroy();
        // Of no effect after its end; else the program there loses its streams, too.
        channel.close();
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #tookTooLong(argv: readonly string[], seconds: number, { stderr }: RunResult): OperationError {
    const where = placeText(this.#target);
    const said = stderr.trim().slice(-500);
    return new OperationError(
      'HOST_TIMEOUT',
      `${where}: ${argv[0] ?? ''} took more than ${seconds} s: ${said}`,
      { retry: 'later' },
    );
  }

  #lost(error: unknown): OperationError {
    const where = placeText(this.#target);
    return new OperationError('HOST_UNREACHABLE', `${where}: the connection was lost`, {
      cause: error,
      retry: 'later',
    });
  }

  async #takeChannel(): Promise<void> {
    if (this.#channels < CHANNELS_MAX) this.#channels += 1;
    // Whoever gives one back leaves it to us.
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #giveChannel(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#channels -= 1;
    else next();
  }
}

interface RunOnceOptions {
  readonly input: RunOptions['input'];
  /** After this long the host is taken for gone. */
  readonly limitMs: number;
  readonly asRoot: boolean;
}

interface ExchangeOptions extends Omit<RunOnceOptions, 'asRoot'> {
  readonly talk?: SudoTalk;
  readonly onOpen?: (channel: ClientChannel) => void;
}

/** What a program counts as that was ended by a signal. */
const SIGNALLED = 255;

interface RunningProgram {
  readonly channel: ClientChannel;
  /** Its exit code. Rejects when the connection ends without a word about the program. */
  readonly exit: Promise<number>;
}

async function begin(client: Client, line: string): Promise<RunningProgram> {
  return await new Promise((resolve, reject) => {
    client.exec(line, (error, channel) => {
      // Listened to before this returns: a program that ends at once may have done so in the very same packet.
      if (error !== undefined) return reject(error);
      return resolve({ channel, exit: exitOf(channel) });
    });
  });
}

async function exitOf(channel: ClientChannel): Promise<number> {
  return await new Promise((resolve, reject) => {
    let code: number | undefined;
    channel.once('exit', (status: number | null) => (code = status ?? SIGNALLED));
    channel.once('error', reject);
    channel.once('close', () => {
      if (code === undefined) reject(new Error('it ended before the program did'));
      else resolve(code);
    });
  });
}

/** A program that ends before it has read everything is not an error of its own. */
async function send(channel: ClientChannel, { input, talk }: ExchangeOptions): Promise<void> {
  await talk?.begun;
  if (input === undefined) {
    channel.end();
    return;
  }
  const source = typeof input === 'string' ? Readable.from([input]) : input;
  await pipeline(source, channel).catch((error: unknown) => {
    if (!ENDED_EARLY.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  });
}

const ENDED_EARLY = ['EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'];
