/**
 * What a host is and has, as its probe tells it: one fact a line, words separated by tabs. The probe is a program of the
 * plainest shell, since nothing else is sure to be there before an installation.
 *
 * What the probe does not tell is absent here, never guessed.
 */

import { err, ok, type Result } from '@dcos/base';

export interface UnitFacts {
  /** As systemd says it: `active`, `activating`, `failed`, `inactive`. */
  readonly active: string;
  readonly isEnabled: boolean;
  /** Of the process that runs; undefined when none does. */
  readonly fingerprint?: string;
  /** How often systemd started it again. */
  readonly restarts: number;
}

export interface DiskFacts {
  /** Where it is mounted. */
  readonly mount: string;
  readonly sizeBytes: number;
  readonly freeBytes: number;
}

export interface HostFacts {
  /** `ID` of os-release, such as `debian`. */
  readonly os: string;
  /** `ID_LIKE`, with blanks. */
  readonly osLike: string;
  readonly osVersion: string;
  /** As `uname -m` says it. */
  readonly architecture: string;
  /** First number of systemd's version; 0 where systemd is not the first process. */
  readonly systemd: number;
  readonly isRoot: boolean;
  readonly memoryBytes: number;
  /** Free where the release and the state go. */
  readonly diskFreeBytes: number;
  /** By what we use of it. */
  readonly disks: ReadonlyMap<string, DiskFacts>;
  /** The host's clock when it was asked, in seconds since 1970. */
  readonly clockSeconds: number;
  /** Programs that were asked for and are there. */
  readonly programs: ReadonlySet<string>;
  /** Packages of the distribution that were asked for and are installed. */
  readonly packages: ReadonlySet<string>;
  /** IPv4 addresses of its own. */
  readonly addresses: ReadonlySet<string>;
  /** Ports on which anybody listens, TCP or UDP. */
  readonly ports: ReadonlySet<number>;
  /** Hash of the release that is in use. */
  readonly activeRelease?: string;
  readonly releases: ReadonlySet<string>;
  /** Files of ours by path: permissions in octal, and SHA-256. */
  readonly files: ReadonlyMap<string, string>;
  readonly units: ReadonlyMap<string, UnitFacts>;
  /** Certificates in files of ours, in PEM. */
  readonly certificates: ReadonlyMap<string, string>;
  /** Public part of the key of this host (SPKI in base64); empty when that key cannot be used, undefined when nobody could look. */
  readonly publicKey?: string;
}

/** How a file of {@link HostFacts.files} is written. */
export function fileState(mode: number, sha256: string): string {
  return `${mode.toString(8)} ${sha256}`;
}

/** Reads what the probe printed; the error says which fact is missing. */
export function parseHostFacts(text: string): Result<HostFacts, string> {
  const lines = text.split('\n').map((line) => line.split('\t'));
  const one = (key: string): string | undefined => lines.find(([word]) => word === key)?.[1];
  const all = (key: string): readonly string[] =>
    lines.flatMap(([word, value]) => (word === key && value !== undefined ? [value] : []));
  const number = (key: string): number => Number.parseInt(one(key) ?? '', 10) || 0;
  if (one('end') === undefined) return err('the probe did not run to its end');
  const active = one('release.active');
  const publicKey = one('public.key');
  return ok({
    os: one('os.id') ?? '',
    osLike: one('os.like') ?? '',
    osVersion: one('os.version') ?? '',
    architecture: one('architecture') ?? '',
    systemd: number('systemd'),
    isRoot: one('user') === '0',
    memoryBytes: number('memory.kib') * 1024,
    diskFreeBytes: number('disk.kib') * 1024,
    disks: new Map(
      lines.flatMap(([word, path = '', mount = '', sizeKib = '', freeKib = '']) =>
        word === 'disk'
          ? [
              [
                path,
                { mount, sizeBytes: kibibytes(sizeKib), freeBytes: kibibytes(freeKib) },
              ] as const,
            ]
          : [],
      ),
    ),
    clockSeconds: number('clock'),
    programs: new Set(all('program')),
    packages: new Set(all('package')),
    addresses: new Set(all('address')),
    ports: new Set(all('port').map((hexadecimal) => Number.parseInt(hexadecimal, 16))),
    ...(active !== undefined && { activeRelease: active }),
    releases: new Set(all('release')),
    files: new Map(
      lines.flatMap(([word, sha256 = '', mode = '', path = '']) =>
        word === 'file' ? [[path, `${mode} ${sha256}`] as const] : [],
      ),
    ),
    certificates: new Map(
      lines.flatMap(([word, path = '', pem = '']) =>
        word === 'certificate' ? [[path, pem.replaceAll('~', '\n')] as const] : [],
      ),
    ),
    ...(publicKey !== undefined && { publicKey }),
    units: new Map(
      lines.flatMap(
        ([word, name = '', activeState = '', enabled = '', restarts = '', fingerprint]) =>
          word === 'unit'
            ? [[name, unitFacts({ activeState, enabled, restarts, fingerprint })] as const]
            : [],
      ),
    ),
  });
}

function kibibytes(text: string): number {
  return (Number.parseInt(text, 10) || 0) * 1024;
}

function unitFacts(words: {
  readonly activeState: string;
  readonly enabled: string;
  readonly restarts: string;
  readonly fingerprint: string | undefined;
}): UnitFacts {
  const { activeState, enabled, restarts, fingerprint = '' } = words;
  return {
    active: activeState,
    isEnabled: enabled === 'enabled',
    restarts: Number.parseInt(restarts, 10) || 0,
    ...(fingerprint !== '' && { fingerprint }),
  };
}
