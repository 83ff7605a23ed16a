// Builds images for tests from Debian's packages and gives them names. No image registry is asked; Debian's
// mirror is the one that apt on this machine uses. What is there already is not built again.
// Usage: node tools/images/debian-image.mjs <kind>=<name:tag>…   (root, Debian, mmdebstrap, a Docker Engine)
// Kinds: `python`, what examples run in; `host`, a machine with systemd and what a cluster's hosts need.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SUITE = 'bookworm';
const HOST_INIT = join(import.meta.dirname, 'host-init.sh');
const KINDS = {
  python: { packages: ['python3'], hooks: [], command: ['python3'] },
  host: {
    packages: [
      'systemd',
      'systemd-sysv',
      'dbus',
      'openssh-server',
      'iproute2',
      'iptables',
      'procps',
      'python3',
      'default-jre-headless',
      'zookeeper',
      'sudo',
      // A load balancer as people have it before their services.
      'haproxy',
      // Clocks that are wrong and disks that are slow, for tests.
      'faketime',
      'strace',
    ],
    hooks: [
      `upload ${HOST_INIT} /sbin/host-init`,
      'chmod 755 "$1/sbin/host-init"',
      // Hosts that have one start it.
      'rm -f "$1"/etc/systemd/system/multi-user.target.wants/haproxy.service',
      // Each host makes its own when it boots for the first time.
      'rm -f "$1"/etc/ssh/ssh_host_*',
    ],
    command: ['/sbin/host-init'],
  },
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

function build({ packages, hooks, command }, tag) {
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
      `--include=${packages.join(',')}`,
      ...hooks.map((hook) => `--customize-hook=${hook}`),
      SUITE,
      archive,
      ...(mirror ? [mirror] : []),
    ]);
    run('docker', ['import', '--change', `CMD ${JSON.stringify(command)}`, archive, tag]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

for (const argument of process.argv.slice(2)) {
  const [kind, tag] = argument.split('=');
  if (KINDS[kind] === undefined || tag === undefined)
    fail(`${argument} is not <kind>=<name:tag>; kinds: ${Object.keys(KINDS).join(', ')}`);
  if (spawnSync('docker', ['image', 'inspect', tag], { stdio: 'ignore' }).status !== 0)
    build(KINDS[kind], tag);
}
