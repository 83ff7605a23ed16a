/**
 * The programs of a release and what of their sources is treated specially. Programs are bundled; whatever reads files
 * beside itself, or is started by its path, cannot be, and is named here with what becomes of it. The build fails for
 * code that does so and is not named: nobody has looked at it yet.
 */

export interface Component {
  /** `lib/<name>.js`, with what is loaded later in `lib/<name>/`. */
  readonly name: string;
  readonly main: string;
  /** A command in `bin/` for people, in addition. */
  readonly command?: string;
}

export const COMPONENTS: readonly Component[] = [
  { name: 'master', main: 'packages/master/src/main.ts' },
  { name: 'agent', main: 'packages/agent/src/main.ts' },
  { name: 'marathon', main: 'packages/marathon/src/main.ts' },
  { name: 'mesos-dns', main: 'packages/mesos-dns/src/main.ts' },
  { name: 'router', main: 'packages/router/src/main.ts' },
  { name: 'box', main: 'packages/box/src/main.ts', command: 'dcos-box' },
  { name: 'ops', main: 'packages/ops/src/main.ts', command: 'dcos-ops' },
  { name: 'dcos', main: 'packages/cli/src/main.ts', command: 'dcos' },
];

/**
 * npm packages with native code: they lie in `lib/node_modules`, with the one of the platform. Their paths there are
 * those of the installation.
 */
export const NATIVE_PACKAGES: readonly string[] = ['@lydell/node-pty'];

/** Packages that their users try and do without; none of them is installed without its install script. */
export const ABSENT_MODULES: readonly RegExp[] = [/^cpu-features$/, /\/sshcrypto\.node$/];

/** Modules that are not in a release: what they are for is never asked of them there, and they are big. */
export const LEFT_OUT: Readonly<Record<string, string>> = {
  'dockerode/lib/session.js': 'BuildKit sessions',
  'dockerode/lib/buildkit.js': 'progress of BuildKit',
  'docker-modem/lib/ssh.js': 'a Docker Engine behind SSH',
};

/** Modules that know where they are, and why that is right in a bundle. */
export const KNOW_THEIR_PLACE: Readonly<Record<string, string>> = {
  'packages/agent/src/main.ts': 'names a cache that the entry has opened elsewhere by then',
  'packages/box/src/main.ts': 'asks which installation it is part of',
  'packages/containers/src/process/switchboard.ts': 'finds native packages in lib/node_modules',
  'thread-stream/index.js': 'starts the worker of transports of the log; none is used',
  'pino/lib/transport.js': 'resolves transports of the log; none is used',
  'undici/index.js': 'leaves itself out of the stack traces of fetch',
  'commander/lib/command.js':
    'looks for subcommands that are programs of their own; there are none',
};
