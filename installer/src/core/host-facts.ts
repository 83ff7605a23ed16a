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
  /** Programs on it cannot be started. */
  readonly isNoexec: boolean;
}

/** When a host was asked and had answered, by the installer's own clock. */
export interface Asked {
  readonly fromSeconds: number;
  readonly untilSeconds: number;
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
  /** Why not, where that is known. */
  readonly rootProblem?: string;
  /** What systemd gave the machine; empty where it has none. */
  readonly machineId: string;
  /** Of the control groups that are mounted; 0 where none are. */
  readonly cgroups: number;
  readonly isSelinuxEnforcing: boolean;
  readonly hasFirewalld: boolean;
  /** Whether it finds an address for its own name. */
  readonly resolvesOwnName: boolean;
  /** Undefined where it cannot say. */
  readonly isClockSynchronised?: boolean;
  readonly memoryBytes: number;
  /** Free where the release and the state go. */
  readonly diskFreeBytes: number;
  /** By what we use of it. */
  readonly disks: ReadonlyMap<string, DiskFacts>;
  /** How far the host's clock is ahead of the installer's at least, in seconds; below 0 when it is behind. */
  readonly clockSkewSeconds: number;
  /** Programs that were asked for and are there. */
  readonly programs: ReadonlySet<string>;
  /** IPv4 addresses of its own. */
  readonly addresses: ReadonlySet<string>;
  /** Ports on which anybody listens, TCP or UDP, for others than the host itself. */
  readonly ports: ReadonlySet<number>;
  /** Ports on which anybody listens for the host itself. */
  readonly loopbackPorts: ReadonlySet<number>;
  /** Hash of the release that is in use. */
  readonly activeRelease?: string;
  /** Hash of the one before, where the host can go back to it. */
  readonly formerRelease?: string;
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
export function parseHostFacts(text: string, asked: Asked): Result<HostFacts, string> {
  const lines = text.split('\n').map((line) => line.split('\t'));
  const one = (key: string): string | undefined => lines.find(([word]) => word === key)?.[1];
  const all = (key: string): readonly string[] =>
    lines.flatMap(([word, value]) => (word === key && value !== undefined ? [value] : []));
  const number = (key: string): number => Number.parseInt(one(key) ?? '', 10) || 0;
  if (one('end') === undefined) return err('the probe did not run to its end');
  const active = one('release.active');
  const synchronised = one('clock.synchronised') ?? '';
  const former = one('release.former');
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
    disks: new Map(lines.flatMap(diskFacts)),
    machineId: one('machine') ?? '',
    cgroups: number('cgroups'),
    isSelinuxEnforcing: one('selinux') === 'enforcing',
    hasFirewalld: one('firewall') === 'firewalld',
    resolvesOwnName: one('name.resolves') !== undefined,
    ...(['yes', 'no'].includes(synchronised) && { isClockSynchronised: synchronised === 'yes' }),
    clockSkewSeconds: skewSeconds(number('clock'), asked),
    programs: new Set(all('program')),
    addresses: new Set(all('address')),
    ports: new Set(all('port').map(fromHexadecimal)),
    loopbackPorts: new Set(all('port.loopback').map(fromHexadecimal)),
    ...(active !== undefined && { activeRelease: active }),
    ...(former !== undefined && { formerRelease: former }),
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

function fromHexadecimal(text: string): number {
  return Number.parseInt(text, 16);
}

/** The host's clock had a whole second, at any moment in between. */
function skewSeconds(clockSeconds: number, { fromSeconds, untilSeconds }: Asked): number {
  if (clockSeconds > untilSeconds) return clockSeconds - untilSeconds;
  return Math.min(0, clockSeconds + 1 - fromSeconds);
}

function diskFacts(words: readonly string[]): readonly (readonly [string, DiskFacts])[] {
  const [word, path = '', mount = '', sizeKib = '', freeKib = '', option] = words;
  if (word !== 'disk') return [];
  const isNoexec = option === 'noexec';
  const [sizeBytes, freeBytes] = [kibibytes(sizeKib), kibibytes(freeKib)];
  return [[path, { mount, sizeBytes, freeBytes, isNoexec }]];
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
