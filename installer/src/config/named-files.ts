/** Files that a configuration names and that are not there: told together with all else that is wrong with it. */

import type { Fault } from './faults.ts';

type Raw = Readonly<Record<string, unknown>>;

const SECRETS = ['password', 'passphrase', 'sudoPassword'];

/** @param exists whether there is a file at a path, as the document has it. */
export function namedFileFaults(
  document: unknown,
  exists: (path: string) => boolean,
): readonly Fault[] {
  return filesOf(asGroup(asGroup(document)['ssh']), 'ssh')
    .filter(({ path }) => !exists(path))
    .map(({ key, path }) => ({
      key,
      reason: `there is no file ${path}`,
      remedy: path.startsWith('~')
        ? 'write the whole path: ~ is not resolved here'
        : 'name one that is there; paths begin in the folder where the installer is run',
    }));
}

interface NamedFile {
  readonly key: string;
  readonly path: string;
}

function filesOf(group: Raw, place: string): readonly NamedFile[] {
  const files = [
    { key: 'keyFile', path: group['keyFile'] },
    // One that need not be there is made.
    { key: 'knownHosts', path: group['pinHostKeys'] === false ? group['knownHosts'] : undefined },
    ...SECRETS.map((key) => ({ key, path: fileOfSecret(group[key]) })),
  ];
  const bastions = Array.isArray(group['bastions']) ? (group['bastions'] as unknown[]) : [];
  return [
    ...files.flatMap(({ key, path }) =>
      typeof path === 'string' && path !== '' ? [{ key: `${place}.${key}`, path }] : [],
    ),
    ...bastions.flatMap((bastion, index) =>
      filesOf(asGroup(bastion), `${place}.bastions.${index}`),
    ),
  ];
}

function fileOfSecret(reference: unknown): string | undefined {
  if (typeof reference !== 'string' || !reference.startsWith('file:')) return undefined;
  return reference.slice('file:'.length);
}

function asGroup(value: unknown): Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Raw) : {};
}
