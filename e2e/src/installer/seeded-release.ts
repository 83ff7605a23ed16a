/** Releases of a test: that of this checkout with other files in place of its own, signed by a key of their own. */

import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeRelease } from '@dcos/installer/release';

export class SeededReleases {
  readonly #directory: string;
  readonly #unpacked: string;

  /** @param directory of the installer, which has built the release for a deployment. */
  constructor(directory: string) {
    this.#directory = directory;
    this.#unpacked = join(directory, 'unpacked');
    const cache = join(directory, 'cache');
    // Of several, the last one that was built.
    const built = readdirSync(cache)
      .filter((name) => /^[0-9a-f]{16}$/.test(name))
      .map((name) => join(cache, name))
      .toSorted((one, other) => statSync(other).mtimeMs - statSync(one).mtimeMs);
    const [folder = ''] = built;
    const archive = readdirSync(folder).find((name) => name.endsWith('.tar.gz')) ?? '';
    mkdirSync(this.#unpacked);
    execFileSync('tar', ['xzf', join(folder, archive), '-C', this.#unpacked]);
  }

  /** What a file of the release holds. */
  textOf(path: string): string {
    return readFileSync(join(this.#unpacked, path), 'utf8');
  }

  /**
   * Writes one.
   * @param changed texts by their paths in the release.
   * @returns the flags with which the installer takes it.
   */
  async write(
    version: string,
    changed: Readonly<Record<string, string>>,
  ): Promise<readonly string[]> {
    const paths = readdirSync(this.#unpacked, { recursive: true, encoding: 'utf8' }).filter(
      (path) => statSync(join(this.#unpacked, path)).isFile() && !path.startsWith('manifest.json'),
    );
    const files = paths.map((path) => {
      const file = join(this.#unpacked, path);
      const isProgram = (statSync(file).mode & 0o111) !== 0;
      const text = changed[path];
      const content = text === undefined ? readFileSync(file) : Buffer.from(text);
      return { path, mode: isProgram ? ('0755' as const) : ('0644' as const), content };
    });
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const archive = join(this.#directory, `${version}.tar.gz`);
    const key = join(this.#directory, `${version}.pub`);
    const platform = process.arch === 'arm64' ? 'linux-arm64' : 'linux-x64';
    await writeRelease(archive, { version, platform, files }, privateKey);
    writeFileSync(key, publicKey.export({ type: 'spki', format: 'pem' }));
    return ['--release', archive, '--release-key', key];
  }
}
