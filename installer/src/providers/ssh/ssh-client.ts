/**
 * Opens a connection by SSH, over bastions where there are any, and says what was wrong when it cannot: the host, the
 * way to it, its key, or who we are. Secrets are in no message.
 *
 * Invariant: nothing is sent to a host, not even who we are, before its key was found to be the right one.
 */

import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { Client, type ClientChannel, type ConnectConfig, type ServerHostKeyAlgorithm } from 'ssh2';
import { errorText, OperationError } from '@dcos/base';
import {
  fingerprintOf,
  judgeKey,
  knownKeysOf,
  pinKey,
  readKnownHosts,
  type KnownKey,
} from './known-hosts.ts';
import {
  placeText,
  type HostKeys,
  type SshPlace,
  type SshProof,
  type SshTarget,
} from './ssh-target.ts';

const CONNECT_TIMEOUT_MS = 20_000;
const KEEP_ALIVE_INTERVAL_MS = 10_000;
const KEEP_ALIVE_MISSED_MAX = 3;

type Place = SshPlace & { readonly proof: SshProof };

export interface OpenSshClient {
  readonly client: Client;
  /** Ends it and the connections to the bastions below it. Idempotent. */
  end(): void;
}

export async function openSshClient(target: SshTarget): Promise<OpenSshClient> {
  const clients: Client[] = [];
  const end = (): void => {
    for (const client of clients.toReversed()) client.destroy();
  };
  try {
    let way: Duplex | undefined;
    const places = [...target.bastions, target];
    for (const [index, place] of places.entries()) {
      const client = await logIn(place, target, way);
      clients.push(client);
      const next = places[index + 1];
      if (next === undefined) return { client, end };
      way = await forward(client, place, next);
    }
    throw new Error('unreachable: the last place is the target');
  } catch (error) {
    end();
    throw error;
  }
}

async function logIn(place: Place, target: SshTarget, way: Duplex | undefined): Promise<Client> {
  const { hostKeys } = target;
  const known = knownKeysOf(await readKnownHosts(hostKeys.file), place.host, place.port);
  const gate = new KeyGate(place, hostKeys, known);
  const client = new Client();
  // Errors after the log-in end the connection, which its owner sees; without a listener they would end the process.
  client.on('error', () => undefined);
  client.on('keyboard-interactive', (_name, _instructions, _language, prompts, finish) =>
    finish(prompts.map(() => place.proof.password ?? '')),
  );
  const ready = once(client, 'ready');
  try {
    client.connect({
      ...settingsOf(place, known),
      readyTimeout: target.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
      keepaliveInterval: target.keepAliveIntervalMs ?? KEEP_ALIVE_INTERVAL_MS,
      keepaliveCountMax: KEEP_ALIVE_MISSED_MAX,
      ...(way !== undefined && { sock: way }),
      hostVerifier: (key: Buffer, verified: (isRight: boolean) => void) => {
        void gate.check(key).then(verified, () => verified(false));
      },
    });
    await ready;
    return client;
  } catch (error) {
    client.destroy();
    throw gate.problem ?? problemOf(place, error);
  }
}

function settingsOf({ host, port, user, proof }: Place, known: readonly KnownKey[]): ConnectConfig {
  return {
    host,
    port,
    username: user,
    algorithms: { serverHostKey: signaturesWanted(known) },
    ...(proof.agentSocket !== undefined && { agent: proof.agentSocket }),
    ...(proof.privateKey !== undefined && { privateKey: proof.privateKey }),
    ...(proof.passphrase !== undefined && { passphrase: proof.passphrase }),
    ...(proof.password !== undefined && { password: proof.password, tryKeyboard: true }),
  };
}

const SIGNATURES: readonly ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
];

/** Those of known keys first: a host has keys of several kinds, and one of another kind would look like a changed one. */
function signaturesWanted(known: readonly KnownKey[]): ServerHostKeyAlgorithm[] {
  const isKnown = (signature: string): boolean =>
    known.some(({ type, isRevoked }) => !isRevoked && typeOf(signature) === type);
  return [
    ...SIGNATURES.filter((signature) => isKnown(signature)),
    ...SIGNATURES.filter((signature) => !isKnown(signature)),
  ];
}

/** An RSA key has one type and several ways to sign. */
function typeOf(signature: string): string {
  return signature.startsWith('rsa-') ? 'ssh-rsa' : signature;
}

/** Judges the key that a host shows, and keeps why it was refused. */
class KeyGate {
  problem: OperationError | undefined;
  readonly #place: SshPlace;
  readonly #hostKeys: HostKeys;
  readonly #known: readonly KnownKey[];

  constructor(place: SshPlace, hostKeys: HostKeys, known: readonly KnownKey[]) {
    this.#place = place;
    this.#hostKeys = hostKeys;
    this.#known = known;
  }

  async check(key: Buffer): Promise<boolean> {
    const { host, port } = this.#place;
    const { file, pinsFirst } = this.#hostKeys;
    const verdict = judgeKey(this.#known, key);
    const shown = `${host}:${port} shows the key ${fingerprintOf(key)}`;
    switch (verdict.kind) {
      case 'known':
        return true;
      case 'unknown':
        if (!pinsFirst)
          return this.#refuse(
            'HOST_KEY_UNKNOWN',
            `${shown}, and ${file} does not name this host: add its key there when it is the right one`,
          );
        await pinKey(file, host, port, key);
        return true;
      case 'changed':
        return this.#refuse(
          'HOST_KEY_CHANGED',
          `${shown}, but line ${verdict.line} of ${file} has another one: somebody may stand in between. If the host was made anew, remove that line`,
        );
      case 'revoked':
        return this.#refuse(
          'HOST_KEY_REVOKED',
          `${shown}, which line ${verdict.line} of ${file} revokes`,
        );
      default:
        return verdict satisfies never;
    }
  }

  #refuse(code: string, message: string): false {
    this.problem = new OperationError(code, message);
    return false;
  }
}

/** A connection from one host on the way to the next. */
async function forward(client: Client, from: SshPlace, to: SshPlace): Promise<ClientChannel> {
  return await new Promise((resolve, reject) => {
    client.forwardOut('127.0.0.1', 0, to.host, to.port, (error, channel) => {
      if (error === undefined) resolve(channel);
      else
        reject(
          new OperationError(
            'HOST_UNREACHABLE',
            `${to.host}:${to.port} cannot be reached over ${placeText(from)}`,
            { cause: error, retry: 'later' },
          ),
        );
    });
  });
}

function problemOf(place: SshPlace, error: unknown): OperationError {
  const level = (error as { readonly level?: string }).level;
  if (level === 'client-authentication')
    return new OperationError(
      'HOST_LOGIN_REFUSED',
      `${placeText(place)} does not let us in: it took none of the keys and passwords that the configuration names`,
    );
  // A key that cannot be read is told before anything is sent.
  if (/privateKey|passphrase|private key/i.test(errorText(error)))
    return new OperationError(
      'SSH_KEY_UNREADABLE',
      `the private key for ${placeText(place)} cannot be read: wrong passphrase, or a format that is not understood`,
      { cause: error },
    );
  return new OperationError('HOST_UNREACHABLE', `${placeText(place)} cannot be reached`, {
    cause: error,
    retry: 'later',
  });
}
