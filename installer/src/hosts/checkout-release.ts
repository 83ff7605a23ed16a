/**
 * The release of the checkout that the installer runs in: built when the sources have changed since the last time, kept
 * under a name of theirs. The build is a program of the checkout, the same that makes releases for others.
 */

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { OperationError } from '@dcos/base';
import { PLATFORMS, type Platform } from '../release/index.ts';

export interface ReleaseFiles {
  readonly archive: string;
  readonly key: string;
}

/** Of which everything in a release is made. */
const SOURCES = [
  'packages',
  'infra/units',
  'infra/zookeeper',
  'tools/release',
  'tools/start',
  'package-lock.json',
  'LICENSE',
  'tsconfig.base.json',
];
/** Not part of a release. */
const LEFT_OUT = new Set(['node_modules', 'dist', 'testing', 'e2e', 'testdata', 'fixtures']);
const OUTPUT_CHARACTERS_MAX = 4_000;

/**
 * @param root of the checkout.
 * @param cache folder that keeps one build.
 * @throws OperationError `RELEASE_BUILD_FAILED`
 */
export async function checkoutRelease(
  root: string,
  cache: string,
  onBuild: () => void,
): Promise<ReleaseFiles> {
  const platform = hostPlatform();
  const folder = join(cache, sourceHash(root));
  if (!existsSync(folder)) {
    onBuild();
    mkdirSync(cache, { recursive: true });
    const fresh = `${folder}.${process.pid}`;
    await build(root, platform, fresh);
    // Another run may have built it at the same time, and uses it by now.
    if (existsSync(folder)) rmSync(fresh, { recursive: true });
    else {
      // Each takes much room, and the former sources are gone. Whoever still sends one has it open.
      for (const old of readdirSync(cache).filter((name) => /^[0-9a-f]{16}$/.test(name)))
        rmSync(join(cache, old), { recursive: true, force: true });
      renameSync(fresh, folder);
    }
  }
  const archive = readdirSync(folder).find((name) => name.endsWith(`-${platform}.tar.gz`));
  if (archive === undefined)
    throw new OperationError('RELEASE_BUILD_FAILED', `there is no archive in ${folder}; remove it`);
  return { archive: join(folder, archive), key: join(folder, 'dcos-release.pub') };
}

function hostPlatform(): Platform {
  const found = PLATFORMS.find((name) => name === `linux-${process.arch}`);
  if (found !== undefined) return found;
  throw new OperationError(
    'RELEASE_BUILD_FAILED',
    `there are no releases for ${process.arch}; name one for the hosts with --release`,
  );
}

async function build(root: string, platform: Platform, out: string): Promise<void> {
  const script = join(root, 'tools', 'release', 'release.ts');
  const flags = [`--platform=${platform}`, `--out=${out}`];
  const child = spawn(process.execPath, ['--conditions=@dcos/source', script, ...flags], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => (said = `${said}${String(chunk)}`.slice(-OUTPUT_CHARACTERS_MAX)));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code === 0) return;
  rmSync(out, { recursive: true, force: true });
  throw new OperationError('RELEASE_BUILD_FAILED', `the release cannot be built: ${said.trim()}`);
}

function sourceHash(root: string): string {
  const hash = createHash('sha256');
  const visit = (path: string): void => {
    const file = join(root, path);
    if (statSync(file).isFile()) {
      hash.update(path).update('\0').update(readFileSync(file)).update('\0');
      return;
    }
    for (const name of readdirSync(file).sort())
      if (!LEFT_OUT.has(name) && !/\.test\.tsx?$/.test(name)) visit(`${path}/${name}`);
  };
  for (const path of SOURCES) visit(path);
  return hash.digest('hex').slice(0, 16);
}
