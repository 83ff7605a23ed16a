/**
 * A program as root, by way of sudo. Where sudo may ask for a password, the program is begun by a word of its own on
 * standard error: a password is only ever written after sudo has asked, and input only after the program has begun, so
 * that neither can land in the place of the other.
 */

import { randomUUID } from 'node:crypto';
import { Transform } from 'node:stream';
import { OperationError } from '@dcos/base';
import type { RunResult } from '../../hosts/connection.ts';

const BEGIN = 'printf %s "$1" >&2; shift; exec "$@"';

/** What a shell ends with when there is no such program. */
const NOT_FOUND = 127;

/** sudo that must not ask. */
export function sudoArgv(argv: readonly string[]): readonly string[] {
  return ['sudo', '-n', '--', ...argv];
}

/** Throws when it was sudo that refused, and not the program that ended. */
export function checkSudo(where: string, { code, stderr }: RunResult): void {
  const isMissing = code === NOT_FOUND && /sudo: (command )?not found/.test(stderr);
  if (isMissing || (code === 1 && stderr.startsWith('sudo: ')))
    throw refused(where, stderr.trim().slice(-300));
}

function refused(where: string, why: string): OperationError {
  return new OperationError('HOST_SUDO_REFUSED', `${where}: sudo refuses: ${why}`);
}

export interface SudoTalk {
  readonly argv: readonly string[];
  /** Between what the program writes as errors and whoever reads them. */
  readonly stderr: Transform;
  /** The program has begun, and may be given its input. Rejects when sudo refuses or ends without it. */
  readonly begun: Promise<void>;
}

/**
 * @param answer writes to the standard input of sudo.
 */
export function talkToSudo(
  argv: readonly string[],
  { where, password, answer }: SudoTalkOptions,
): SudoTalk {
  const [prompt, begin] = [`[password-${randomUUID()}]`, `[begun-${randomUUID()}]`];
  const begun = Promise.withResolvers<void>();
  // Whoever waits may come late.
  begun.promise.catch(() => undefined);
  let said = '';
  let isAsked = false;
  let isBegun = false;
  const stderr = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (isBegun) return done(null, chunk);
      said += chunk.toString('latin1');
      const at = said.indexOf(begin);
      if (at >= 0) {
        isBegun = true;
        begun.resolve();
        return done(null, Buffer.from(said.slice(at + begin.length), 'latin1'));
      }
      if (said.includes(prompt)) {
        said = '';
        if (isAsked) begun.reject(refused(where, 'the password is wrong'));
        else answer(`${password}\n`);
        isAsked = true;
      }
      return done();
    },
    flush(done) {
      if (!isBegun) begun.reject(refused(where, said.trim().slice(-300)));
      done();
    },
  });
  return {
    argv: ['sudo', '-S', '-p', prompt, '--', 'sh', '-c', BEGIN, 'begin', begin, ...argv],
    stderr,
    begun: begun.promise,
  };
}

interface SudoTalkOptions {
  /** The host, for messages. */
  readonly where: string;
  readonly password: string;
  readonly answer: (text: string) => void;
}
