/**
 * npm packages as the lock file has them. What is installed here is taken from `node_modules`; what is for another
 * platform only is fetched by npm, held against the integrity in the lock file, and kept in `.release/cache`.
 */

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join, relative } from 'node:path';

export interface NpmPackage {
  readonly name: string;
  readonly version: string;
  /** As in its package.json: an SPDX expression, mostly. */
  readonly licence: string;
  /** `sha512-` and the digest of the package's archive in base64, as npm writes it. */
  readonly integrity: string;
  /** Where its files are. */
  readonly folder: string;
}

interface LockEntry {
  readonly version?: string;
  readonly integrity?: string;
}

const MARK = 'node_modules/';

export class Packages {
  readonly #root: string;
  readonly #cache: string;
  readonly #lock: Readonly<Record<string, LockEntry>>;

  constructor(root: string) {
    this.#root = root;
    this.#cache = join(root, '.release', 'cache');
    const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
      readonly packages: Readonly<Record<string, LockEntry>>;
    };
    this.#lock = lock.packages;
  }

  /** The packages that modules are of; those of this repository are none. */
  ofModules(modules: Iterable<string>): readonly NpmPackage[] {
    const places = new Set<string>();
    for (const module of modules) {
      const place = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(relative(this.#root, module))?.[0];
      if (place !== undefined) places.add(place);
    }
    return [...places].sort().map((place) => this.#at(place));
  }

  /** A package at the top of `node_modules`. @throws Error when it is not installed and cannot be fetched */
  named(name: string): NpmPackage {
    return this.#at(`${MARK}${name}`);
  }

  #at(place: string): NpmPackage {
    const name = place.slice(place.lastIndexOf(MARK) + MARK.length);
    const { version, integrity } = this.#lock[place] ?? {};
    if (version === undefined || integrity === undefined)
      throw new Error(`package-lock.json has no integrity for ${place}`);
    const installed = join(this.#root, place);
    const folder = existsSync(join(installed, 'package.json'))
      ? installed
      : this.#fetched(name, version, integrity);
    const description = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      readonly version?: string;
      readonly license?: string;
    };
    if (description.version !== version)
      throw new Error(`${place} is ${description.version}, not ${version}: run npm ci`);
    return { name, version, integrity, licence: description.license ?? 'NOASSERTION', folder };
  }

  /** The folder of a package that npm does not install on this platform. */
  #fetched(name: string, version: string, integrity: string): string {
    const folder = join(this.#cache, `${name.replace('/', '+')}@${version}`);
    if (existsSync(folder)) return folder;
    mkdirSync(this.#cache, { recursive: true });
    const scratch = mkdtempSync(join(this.#cache, 'fetch-'));
    try {
      const wanted = `${name}@${version}`;
      run('npm', ['pack', wanted, '--loglevel=error', '--pack-destination', scratch]);
      const archive = join(scratch, readdirSync(scratch)[0] ?? '');
      const digest = createHash('sha512').update(readFileSync(archive)).digest('base64');
      if (`sha512-${digest}` !== integrity)
        throw new Error(`${wanted} of the registry is not that of package-lock.json`);
      run('tar', ['-xzf', archive, '-C', scratch, '--no-same-owner']);
      renameSync(join(scratch, 'package'), folder);
    } finally {
      rmSync(scratch, { recursive: true });
    }
    return folder;
  }
}

function run(command: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')} failed: ${error?.message ?? stderr.trim()}`);
}
