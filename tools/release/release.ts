/**
 * `npm run build`, second half: one archive for each platform in `dist/release`, and the public key beside them.
 *
 * Flags: `--platform=linux-x64` (may be repeated) for some of them only, `--signing-key=FILE`, `--out=FOLDER`.
 */

import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { errorText } from '@dcos/base';
import { PLATFORMS, writeRelease, type Platform } from '@dcos/installer/release';
import { buildCommon, platformContent } from './content.ts';
import { Packages } from './packages.ts';
import { publicKeyText, signingKey } from './signing-key.ts';

const root = join(import.meta.dirname, '..', '..');

interface Flags {
  readonly platforms: readonly Platform[];
  readonly signingKey: string | undefined;
  readonly out: string;
}

function readFlags(args: readonly string[]): Flags {
  const { values } = parseArgs({
    args: [...args],
    options: {
      platform: { type: 'string', multiple: true, default: [...PLATFORMS] },
      'signing-key': { type: 'string' },
      out: { type: 'string', default: join(root, 'dist', 'release') },
    },
  });
  const platforms = values.platform.map((name) => {
    const platform = PLATFORMS.find((known) => known === name);
    if (platform === undefined)
      throw new Error(`--platform takes one of ${PLATFORMS.join(', ')}, not '${name}'`);
    return platform;
  });
  return { platforms, signingKey: values['signing-key'], out: values.out };
}

async function main(): Promise<void> {
  const flags = readFlags(process.argv.slice(2));
  const key = signingKey(root, flags.signingKey);
  mkdirSync(flags.out, { recursive: true });
  writeFileSync(join(flags.out, 'dcos-release.pub'), publicKeyText(key));
  const common = await buildCommon(root);
  const packages = new Packages(root);
  for (const platform of flags.platforms) {
    const archive = join(flags.out, `dcos-${common.version}-${platform}.tar.gz`);
    try {
      const content = platformContent(common, platform, packages);
      const { contentHash, files } = await writeRelease(archive, content, key);
      const megabytes = (statSync(archive).size / 1e6).toFixed(1);
      process.stdout.write(
        `${relative(process.cwd(), archive)}  ${megabytes} MB, ${files.length} files, ${contentHash}\n`,
      );
    } catch (error) {
      // Without the network there is no Node of another platform: that is no reason to have none for this one.
      fail(error);
    }
  }
}

function fail(error: unknown): void {
  process.stderr.write(`release: ${errorText(error)}\n`);
  process.exitCode = 1;
}

main().catch(fail);
