// What both README commands do before anything else: look at the Node at hand, install the dependencies
// when they are missing or stale, find the pinned Node, build the UI when its sources changed.
// Plain JavaScript for Node 20, since nothing else is there on a fresh clone.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

export const root = join(import.meta.dirname, '..', '..');
const NODE_MAJOR_MIN = 20;
const NODE_MAJOR_PINNED = 24;
const installedMark = join(root, 'node_modules', '.dcos-installed');
const uiDist = join(root, 'packages', 'ui', 'dist');

/** Ends the process with a message that says what to do. */
export function fail(message, code = 1) {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}

/** Refuses a Node that is too old to run even the set-up. */
export function checkNode() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < NODE_MAJOR_MIN) {
    fail(
      `Node ${process.versions.node} is too old: Node ${NODE_MAJOR_MIN} or newer is needed to begin with.`,
    );
  }
}

/** Runs `npm ci` when node_modules does not match the lock file. `progress` is told what happens. */
export function ensureDependencies(progress) {
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const installed = existsSync(installedMark) ? readFileSync(installedMark, 'utf8').trim() : '';
  if (installed === wanted) return;
  progress(
    'dependencies',
    existsSync(join(root, 'node_modules')) ? 'stale, installing' : 'missing, installing',
  );
  const npm = process.env.npm_execpath;
  const [command, first] = npm === undefined ? ['npm', []] : [process.execPath, [npm]];
  // npm's own output goes to standard error, so that --json keeps standard output clean.
  const result = spawnSync(
    command,
    [...first, 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    {
      cwd: root,
      stdio: ['ignore', 2, 2],
    },
  );
  if (result.status !== 0) {
    fail('npm ci failed: see above. The registry must be reachable for the first start.');
  }
  writeFileSync(installedMark, `${wanted}\n`);
}

/** The path of a Node that can run the product: the pinned package, or the running one if new enough. */
export function pinnedNode() {
  for (const arch of ['x64', 'arm64']) {
    const path = join(root, 'node_modules', `node-linux-${arch}`, 'bin', 'node');
    if (process.platform === 'linux' && process.arch === arch && existsSync(path)) return path;
  }
  if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR_PINNED) return process.execPath;
  return fail(
    `No Node ${NODE_MAJOR_PINNED} for ${process.platform} ${process.arch} comes as a package: install Node ${NODE_MAJOR_PINNED} and try again.`,
  );
}

/** Builds the UI unless the built one came from these very sources. */
export function ensureUi(node, progress) {
  const wanted = sourceHash();
  const mark = join(uiDist, '.source-hash');
  if (
    existsSync(join(uiDist, 'index.html')) &&
    existsSync(mark) &&
    readFileSync(mark, 'utf8') === wanted
  )
    return;
  progress('ui', 'building');
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  const result = spawnSync(node, [vite, 'build', 'packages/ui', '--logLevel', 'error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (result.status !== 0) fail('The UI could not be built: see above.');
  mkdirSync(uiDist, { recursive: true });
  writeFileSync(mark, wanted);
}

function sourceHash() {
  const hash = createHash('sha256');
  const visit = (path) => {
    if (!existsSync(path)) return;
    if (statSync(path).isDirectory()) {
      for (const name of readdirSync(path).sort()) visit(join(path, name));
      return;
    }
    hash.update(relative(root, path)).update('\0').update(readFileSync(path)).update('\0');
  };
  for (const name of ['src', 'public', 'index.html', 'package.json', 'vite.config.ts']) {
    visit(join(root, 'packages', 'ui', name));
  }
  visit(join(root, 'package-lock.json'));
  return hash.digest('hex');
}
