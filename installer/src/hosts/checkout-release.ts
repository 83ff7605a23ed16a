/**
 * A release made from the checkout that the installer runs in: the sources, which Node runs as they are, their
 * dependencies, the pinned Node and the built console. For development and demos on hosts of this machine's kind.
 */

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { OperationError } from '@dcos/base';
import type { Component } from '../core/cluster.ts';
import type { UploadSource } from './connection.ts';
import type { Release } from './release.ts';

const PROGRAMS = ['master', 'agent', 'marathon', 'mesos-dns', 'router', 'cli', 'ops'];
const CONSOLE = 'packages/ui/dist';
/** Not needed where programs run. */
const LEFT_OUT = new Set([
  'node_modules',
  'dist',
  'testing',
  'e2e',
  'testdata',
  'fixtures',
  '.cache',
]);

interface LockedPackage {
  readonly link?: boolean;
  readonly resolved?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/**
 * @param root of the checkout.
 * @param cache folder for the archive.
 */
export function checkoutRelease(root: string, cache: string): Release {
  const node = `node_modules/node-linux-${process.arch}/bin/node`;
  if (!existsSync(join(root, node))) {
    throw new OperationError(
      'RELEASE_NO_NODE',
      `a checkout makes releases for its own platform only, and there is no ${node}; use a release archive`,
    );
  }
  if (!existsSync(join(root, CONSOLE, 'index.html')))
    throw new OperationError('RELEASE_NO_CONSOLE', `the console is not built: npm run build`);
  const packages = neededPackages(root);
  const sources = [
    ...packages
      .filter((path) => !path.includes('node_modules'))
      .flatMap((path) => filesBelow(root, path)),
    ...filesBelow(root, CONSOLE, new Set()),
    'package.json',
  ].sort();
  const hash = contentHash(root, [...sources, 'package-lock.json']);
  const paths = [...sources, ...packages.filter((path) => path.includes('node_modules')), node];
  const entry = (component: Component): string => `packages/${component}/src/main.ts`;
  let made: Promise<UploadSource> | undefined;
  return {
    hash,
    version: versionOf(root),
    node,
    nodeFlags: ['--conditions=@dcos/source', '--disable-warning=ExperimentalWarning'],
    uiDirectory: CONSOLE,
    entries: {
      master: entry('master'),
      agent: entry('agent'),
      marathon: entry('marathon'),
      'mesos-dns': entry('mesos-dns'),
      router: entry('router'),
    },
    archive: async () => await (made ??= archiveOf(root, paths, join(cache, `${hash}.tar`))),
  };
}

function versionOf(root: string): string {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly version: string;
  };
  return version;
}

/** Paths of all packages that the programs need: workspaces, links to them, and what npm installed. */
function neededPackages(root: string): readonly string[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  const needed = new Set<string>();
  const visit = (path: string): void => {
    if (needed.has(path) || !existsSync(join(root, path))) return;
    needed.add(path);
    const locked = packages[path];
    if (locked?.link === true && locked.resolved !== undefined) visit(locked.resolved);
    const names = { ...locked?.dependencies, ...locked?.optionalDependencies };
    for (const name of Object.keys(names)) {
      const found = lookUp(packages, path, name);
      if (found !== undefined) visit(found);
    }
  };
  for (const program of PROGRAMS) visit(`packages/${program}`);
  return [...needed].sort();
}

/** Where Node finds a package from another one: in the nearest folder upwards. */
function lookUp(
  packages: Readonly<Record<string, LockedPackage>>,
  from: string,
  name: string,
): string | undefined {
  for (let at = from; ; at = dirname(at)) {
    const path = at === '.' ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    if (path in packages) return path;
    if (at === '.') return undefined;
  }
}

function filesBelow(root: string, path: string, leftOut = LEFT_OUT): readonly string[] {
  return readdirSync(join(root, path), { withFileTypes: true }).flatMap((entry) => {
    const below = `${path}/${entry.name}`;
    if (entry.isDirectory()) return leftOut.has(entry.name) ? [] : filesBelow(root, below, leftOut);
    return /\.test\.tsx?$/.test(entry.name) ? [] : [below];
  });
}

function contentHash(root: string, paths: readonly string[]): string {
  const hash = createHash('sha256');
  for (const path of paths)
    hash
      .update(path)
      .update('\0')
      .update(readFileSync(join(root, path)))
      .update('\0');
  return hash.digest('hex').slice(0, 32);
}

async function archiveOf(
  root: string,
  paths: readonly string[],
  file: string,
): Promise<UploadSource> {
  const sumFile = `${file}.sha256`;
  if (!existsSync(file) || !existsSync(sumFile)) {
    await mkdir(dirname(file), { recursive: true });
    // One archive is kept: each takes much room.
    for (const old of readdirSync(dirname(file)))
      if (/\.tar/.test(old)) rmSync(join(dirname(file), old));
    const list = `${file}.list`;
    await writeFile(list, paths.map((path) => `${path}\0`).join(''));
    await promisify(execFile)('tar', [
      '--create',
      `--file=${file}.new`,
      `--directory=${root}`,
      '--owner=0',
      '--group=0',
      '--exclude=*/.cache',
      '--null',
      `--files-from=${list}`,
    ]);
    rmSync(list);
    await writeFile(sumFile, await fileHash(`${file}.new`));
    await rename(`${file}.new`, file);
  }
  return {
    sizeBytes: statSync(file).size,
    sha256: readFileSync(sumFile, 'utf8'),
    open: (start) => createReadStream(file, { start, highWaterMark: 1024 * 1024 }),
  };
}

async function fileHash(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest('hex');
}
