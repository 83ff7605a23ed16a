/** From the configuration to how each host is reached: files and secrets are read here, once. */

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { errorText, OperationError } from '@dcos/base';
import type { HostPlace, Role } from '../../core/cluster.ts';
import { readSecret, type SecretSurroundings } from './secret-source.ts';
import type { SshSettings } from './ssh-settings.ts';
import type { SshProof, SshTarget } from './ssh-target.ts';

/** How the configuration lists hosts. */
export interface HostLists {
  readonly masters: readonly string[];
  readonly privateAgents: readonly string[];
  readonly publicAgents: readonly string[];
}

/** An address is all that is known of a host, so it is its name, too. */
export function placesOf({
  masters,
  privateAgents,
  publicAgents,
}: HostLists): readonly HostPlace[] {
  const places = (role: Role, addresses: readonly string[]): readonly HostPlace[] =>
    addresses.map((address) => ({ name: address, role, address }));
  return [
    ...places('master', masters),
    ...places('private', privateAgents),
    ...places('public', publicAgents),
  ];
}

/**
 * @param ownKnownHosts file for keys of hosts where the configuration names none.
 * @throws OperationError `INSTALLER_SECRET_MISSING`, `SSH_KEY_UNREADABLE`
 */
export function sshTargets(
  settings: SshSettings,
  ownKnownHosts: string,
  surroundings: SecretSurroundings,
): (host: HostPlace) => SshTarget {
  const secret = (reference: string | undefined): string | undefined =>
    reference === undefined ? undefined : readSecret(reference, surroundings);
  const proof = proofOf(settings, secret(settings.password), surroundings);
  const sudoPassword = secret(settings.sudoPassword);
  const common: Omit<SshTarget, 'host'> = {
    port: settings.port,
    user: settings.user,
    proof,
    bastions: settings.bastions.map(({ host, port, user, keyFile, passphrase }) => ({
      host,
      port,
      user: user ?? settings.user,
      proof:
        keyFile === undefined
          ? proof
          : proofOf(
              { keyFile, ...(passphrase !== undefined && { passphrase }) },
              undefined,
              surroundings,
            ),
    })),
    ...(settings.user !== 'root' && {
      sudo: sudoPassword === undefined ? {} : { password: sudoPassword },
    }),
    hostKeys: {
      file:
        settings.knownHosts === undefined
          ? ownKnownHosts
          : resolve(surroundings.directory, settings.knownHosts),
      pinsFirst: settings.pinHostKeys,
    },
    connectTimeoutMs: settings.connectTimeoutMs,
    keepAliveIntervalMs: settings.keepAliveIntervalMs,
  };
  return ({ address }) => ({ ...common, host: address });
}

function proofOf(
  { keyFile, passphrase }: Pick<SshSettings, 'keyFile' | 'passphrase'>,
  password: string | undefined,
  surroundings: SecretSurroundings,
): SshProof {
  const agentSocket = surroundings.environment['SSH_AUTH_SOCK'];
  return {
    ...(keyFile === undefined
      ? agentSocket !== undefined && { agentSocket }
      : { privateKey: readKey(resolve(surroundings.directory, keyFile)) }),
    ...(passphrase !== undefined && { passphrase: readSecret(passphrase, surroundings) }),
    ...(password !== undefined && { password }),
  };
}

function readKey(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new OperationError('SSH_KEY_UNREADABLE', `no private key: ${errorText(error)}`);
  }
}
