// Builds a small Debian image with Python from the distribution's packages and gives it the names on the
// command line. No image registry is asked; Debian's mirror is the one that apt on this machine uses.
// Usage: node tools/images/base-image.mjs <name:tag>…   (root, Debian, debootstrap, a Docker Engine)
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SUITE = 'bookworm';
const tags = process.argv.slice(2);
const missing = tags.filter(
  (tag) => spawnSync('docker', ['image', 'inspect', tag], { stdio: 'ignore' }).status !== 0,
);
if (missing.length === 0) process.exit(0);

function fail(text) {
  process.stderr.write(text);
  return process.exit(1);
}

function run(command, args) {
  const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (result.status === 0) return result.stdout;
  return fail(`${result.stdout ?? ''}${result.stderr ?? ''}
${command} ${args.join(' ')} failed
`);
}

const mirror = run('apt-get', [
  'indextargets',
  '--format',
  '$(SITE)',
  `Codename: ${SUITE}`,
  'Created-By: Packages',
])
  .trim()
  .split('\n')[0];
const root = mkdtempSync(join(tmpdir(), 'image-'));
try {
  run('debootstrap', [
    '--variant=minbase',
    '--include=python3',
    SUITE,
    root,
    ...(mirror ? [mirror] : []),
  ]);
  const tar = spawn('tar', [
    '--numeric-owner',
    '--exclude=./var/cache/apt/*',
    '--exclude=./var/lib/apt/lists/*',
    '-C',
    root,
    '-c',
    '.',
  ]);
  const load = spawn('docker', ['import', '--change', 'CMD ["python3"]', '-', missing[0]], {
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  tar.stdout.pipe(load.stdin);
  const [code] = await once(load, 'exit');
  if (code !== 0) process.exit(1);
  for (const tag of missing.slice(1)) run('docker', ['tag', missing[0], tag]);
} finally {
  rmSync(root, { recursive: true, force: true });
}
