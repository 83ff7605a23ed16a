// Builds images for tests from Debian's packages and gives them names. No image registry is asked; Debian's
// mirror is the one that apt on this machine uses. What is there already is not built again.
// Usage: node tools/images/debian-image.mjs <kind>=<name:tag>…   (root, Debian, mmdebstrap, a Docker Engine)
// Kinds: `python`, what examples run in; `host` and `test-host`, see infra/docker/Dockerfile.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SUITE = 'bookworm';
/** What a registry has as `debian:bookworm-slim`. */
const BASE = 'dcos-debian:12';
const HOST_FOLDER = join(import.meta.dirname, '..', '..', 'infra', 'docker');
const KINDS = {
  python: (tag) => bootstrap(tag, { packages: ['python3'], command: ['python3'] }),
  host: (tag) => buildHost('host', tag),
  'test-host': (tag) => buildHost('test-host', tag),
};

function fail(text) {
  process.stderr.write(`${text}\n`);
  return process.exit(1);
}

function run(command, args) {
  const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (result.status === 0) return result.stdout;
  return fail(`${result.stdout ?? ''}${result.stderr ?? ''}\n${command} ${args.join(' ')} failed`);
}

function isThere(tag) {
  return spawnSync('docker', ['image', 'inspect', tag], { stdio: 'ignore' }).status === 0;
}

/** An image of these packages and what they need. */
function bootstrap(tag, { packages, command }) {
  const [mirror] = run('apt-get', [
    'indextargets',
    '--format',
    '$(SITE)',
    `Codename: ${SUITE}`,
    'Created-By: Packages',
  ]).split('\n');
  const folder = mkdtempSync(join(tmpdir(), 'image-'));
  const archive = join(folder, 'root.tar');
  try {
    run('mmdebstrap', [
      '--quiet',
      '--variant=minbase',
      // An image that is half written when the machine stops is built anew: nothing needs to be synced.
      '--dpkgopt=force-unsafe-io',
      '--dpkgopt=path-exclude=/usr/share/doc/*',
      '--dpkgopt=path-exclude=/usr/share/locale/*',
      ...packages.map((name) => `--include=${name}`),
      SUITE,
      archive,
      ...(mirror ? [mirror] : []),
    ]);
    run('docker', ['import', '--change', `CMD ${JSON.stringify(command)}`, archive, tag]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function buildHost(target, tag) {
  if (!isThere(BASE)) bootstrap(BASE, { packages: [], command: ['sh'] });
  run('docker', [
    'build',
    '--quiet',
    `--target=${target}`,
    `--build-arg=BASE=${BASE}`,
    `--tag=${tag}`,
    HOST_FOLDER,
  ]);
}

for (const argument of process.argv.slice(2)) {
  const [kind, tag] = argument.split('=');
  if (KINDS[kind] === undefined || tag === undefined)
    fail(`${argument} is not <kind>=<name:tag>; kinds: ${Object.keys(KINDS).join(', ')}`);
  if (!isThere(tag)) KINDS[kind](tag);
}
