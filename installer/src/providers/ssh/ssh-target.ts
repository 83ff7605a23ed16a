/** How a host is reached by SSH: where, as whom, by which proof, and over which hosts on the way. */

export interface SshPlace {
  readonly host: string;
  readonly port: number;
  readonly user: string;
}

/** What may prove who we are; all that are given are tried, in this order. */
export interface SshProof {
  /** Socket of an agent of OpenSSH. */
  readonly agentSocket?: string;
  /** Text of a private key. */
  readonly privateKey?: string;
  /** Of the private key. */
  readonly passphrase?: string;
  /** Of the user; also asked for by servers that ask question by question. */
  readonly password?: string;
}

export interface SshTarget extends SshPlace {
  readonly proof: SshProof;
  /** Hosts on the way, the first one is reached from here. */
  readonly bastions: readonly (SshPlace & { readonly proof: SshProof })[];
  /** How programs run as root; undefined where the user is root. */
  readonly sudo?: SshSudo;
  readonly hostKeys: HostKeys;
  /** From the first packet to the end of the log-in; 20 s. */
  readonly connectTimeoutMs?: number;
  /** A host that is silent for three of these is taken for gone; 10 s. */
  readonly keepAliveIntervalMs?: number;
}

export interface SshSudo {
  /** What sudo asks for; without it sudo must not ask. */
  readonly password?: string;
}

/** Which keys of hosts are trusted. */
export interface HostKeys {
  /** In the format of OpenSSH; keys are pinned here too. */
  readonly file: string;
  /** Whether the first key of a host that nobody named is taken for its key. */
  readonly pinsFirst: boolean;
}

/** For messages: `user@host:port`. */
export function placeText({ user, host, port }: SshPlace): string {
  return `${user}@${host}:${port}`;
}
