/**
 * Lets hosts listen for a moment and others connect to them. systemd does the listening, since a bare host has nothing
 * else that surely can; it ends by itself when we do not come back.
 */

import { randomUUID } from 'node:crypto';
import { OperationError } from '@dcos/base';
import { testPortsOf, type Way, type WayAnswer } from '../core/connectivity.ts';
import type { HostConnection } from './connection.ts';
import { hostProgram } from './host-programs.ts';
import { onAll, sideBySide } from './side-by-side.ts';

const AT_ONCE_MAX = 20;
/** One machine may have two addresses, by a mistake that is to be told. */
const unitOf = (address: string): string => `dcos-preflight-${address}.service`;
/** A listener that nobody stopped ends after this long; the looks of all hosts take less. */
const LISTEN_SECONDS_MAX = 300;
const REACH_TIMEOUT_MS = 240_000;
const ANSWERS: readonly string[] = ['right', 'wrong', 'refused', 'silent'] satisfies WayAnswer[];

const LISTEN = `
unit=$1 seconds=$2 word=$3
shift 3
systemctl stop "$unit" 2>/dev/null
exec systemd-run --quiet --collect --unit="$unit" --property=RuntimeMaxSec="$seconds" \\
  systemd-socket-activate --accept --inetd "$@" /bin/echo "$word"
`;

/** A host that takes part. */
export interface WayHost {
  readonly place: { readonly name: string; readonly address: string };
  readonly connection: HostConnection;
}

/** @throws OperationError of the first host that could not listen or look. */
export async function lookForWays(
  ways: readonly Way[],
  hosts: readonly WayHost[],
): Promise<readonly { readonly way: Way; readonly answer: WayAnswer }[]> {
  const known = new Map(hosts.map(({ place }) => [place.name, randomUUID()]));
  const listening = hosts.filter(({ place }) => testPortsOf(ways, place.name).length > 0);
  try {
    await onAll(listening, async ({ place, connection }) => {
      const sockets = testPortsOf(ways, place.name).map((port) => `${place.address}:${port}`);
      const flags = sockets.flatMap((socket) => ['-l', socket]);
      const word = known.get(place.name) ?? '';
      const words = [unitOf(place.address), String(LISTEN_SECONDS_MAX), word, ...flags];
      await output(connection, ['sh', '-c', LISTEN, 'listen', ...words]);
    });
    const looking = hosts.filter(({ place }) => ways.some(({ from }) => from === place.name));
    const answers = await onAll(looking, async ({ place, connection }) => {
      const own = ways.filter(({ from }) => from === place.name);
      const text = await output(connection, [
        'bash',
        '-c',
        hostProgram('reach.sh'),
        'reach',
        ...own.map(({ address, port, to, isTest }) =>
          [address, port, isTest ? known.get(to) : '-'].join(':'),
        ),
      ]);
      return readAnswers(text, own);
    });
    return answers.flatMap(([, found]) => found);
  } finally {
    await sideBySide(listening, AT_ONCE_MAX, async ({ place, connection }) => {
      await connection.run(['systemctl', 'stop', unitOf(place.address)]);
    });
  }
}

/** Of a look that was killed: nobody listens any more. Where there is no systemd, nobody did. */
export async function endListening(connection: HostConnection): Promise<void> {
  await connection.run(['systemctl', 'stop', unitOf('*')]);
}

function readAnswers(
  text: string,
  ways: readonly Way[],
): readonly { readonly way: Way; readonly answer: WayAnswer }[] {
  const lines = text.split('\n').map((line) => line.split('\t'));
  return ways.map((way) => {
    const said = lines.find(
      ([address, port]) => address === way.address && port === String(way.port),
    )?.[2];
    return { way, answer: isAnswer(said) ? said : 'silent' };
  });
}

function isAnswer(word: string | undefined): word is WayAnswer {
  return word !== undefined && ANSWERS.includes(word);
}

async function output(connection: HostConnection, argv: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await connection.run(argv, { timeoutMs: REACH_TIMEOUT_MS });
  if (code === 0) return stdout;
  throw new OperationError('HOST_PROGRAM_FAILED', `the look at the network: ${stderr.trim()}`);
}
