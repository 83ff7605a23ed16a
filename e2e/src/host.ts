/**
 * A container that acts as a host of its own: systemd, a network address, a disk that survives power losses.
 * Its faults have the names that talks give them.
 *
 * Capabilities: all but CAP_SYS_RESOURCE, which test machines often lack; `privileged` would not start there.
 */

import { PassThrough } from 'node:stream';
import type Docker from 'dockerode';
import { waitFor } from '@dcos/testkit';
import { engine, HOST_IMAGE, OWNER_LABEL } from './engine.ts';
import type { HostNetwork } from './host-network.ts';

const WRITE_FILES = `
import json, os, sys
for path, text in json.loads(sys.argv[1]).items():
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
`;
const FILL_DISK = `
import errno, sys
with open(sys.argv[1], "ab", buffering=0) as file:
    for size in (1 << 20, 1 << 12, 1):
        try:
            while True:
                file.write(b"x" * size)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
`;
/** Where the packet filter's rules are read from. */
const RULES = '/run/packets.rules';
/** How many seconds the clock is ahead; read again every second. */
const CLOCK = '/var/lib/dcos/clock';
const LIBRARIES = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
const CLOCK_SETTINGS = `[Service]
Environment=LD_PRELOAD=/usr/lib/${LIBRARIES}/faketime/libfaketime.so.1
Environment=FAKETIME_TIMESTAMP_FILE=${CLOCK} FAKETIME_CACHE_DURATION=1 DONT_FAKE_MONOTONIC=1
`;
const BOOT_TIMEOUT_MS = 60_000;

export interface CommandResult {
  readonly code: number;
  /** Standard output and standard error. */
  readonly output: string;
}

export interface HostOptions {
  readonly name: string;
  /** Directories of this machine that the host sees, read-only: path here, path there. */
  readonly mounts: Readonly<Record<string, string>>;
  /** Of the network's range; the next that is free when absent. */
  readonly address?: string;
}

/** The types of the engine's client lack the mode of the cgroup namespace. */
interface HostContainer extends Docker.ContainerCreateOptions {
  readonly HostConfig: Docker.HostConfig & { readonly CgroupnsMode: 'private' };
}

export class Host {
  readonly name: string;
  readonly address: string;
  readonly #container: Docker.Container;

  private constructor(name: string, address: string, container: Docker.Container) {
    this.name = name;
    this.address = address;
    this.#container = container;
  }

  /** Boots a host; resolves when systemd has started everything. */
  static async boot(
    network: HostNetwork,
    { name, mounts, address = network.nextAddress() }: HostOptions,
  ): Promise<Host> {
    const options: HostContainer = {
      Image: HOST_IMAGE,
      Hostname: name,
      Labels: { [OWNER_LABEL]: String(process.pid) },
      StopSignal: 'SIGRTMIN+3',
      Tty: true,
      HostConfig: {
        CapAdd: ['ALL'],
        CapDrop: ['SYS_RESOURCE'],
        CgroupnsMode: 'private',
        SecurityOpt: ['seccomp=unconfined', 'apparmor=unconfined'],
        MaskedPaths: [],
        ReadonlyPaths: [],
        Tmpfs: { '/run': 'exec', '/run/lock': '' },
        Binds: Object.entries(mounts).map(([here, there]) => `${here}:${there}:ro`),
        NetworkMode: network.name,
      },
      NetworkingConfig: {
        EndpointsConfig: { [network.name]: { IPAMConfig: { IPv4Address: address } } },
      },
    };
    const container = await engine.createContainer(options);
    const host = new Host(name, address, container);
    try {
      await container.start();
      await host.#booted();
    } catch (error) {
      await host.isRemoved();
      throw error;
    }
    return host;
  }

  async #booted(): Promise<void> {
    await waitFor(
      `${this.name} to boot`,
      async () => {
        const { output } = await this.run('systemctl', 'is-system-running');
        if (/running|degraded/.test(output)) return true;
        const { output: jobs } = await this.run('systemctl', 'list-jobs', '--no-pager');
        throw new Error(`it is ${output.trim()}: ${jobs.trim()}`);
      },
      BOOT_TIMEOUT_MS,
    );
  }

  /** Runs a program; an argument vector, never a line for a shell. */
  async run(...command: readonly string[]): Promise<CommandResult> {
    const exec = await this.#container.exec({
      Cmd: [...command],
      AttachStdout: true,
      AttachStderr: true,
    });
    const stream = await exec.start({});
    const output = new PassThrough();
    engine.modem.demuxStream(stream, output, output);
    stream.once('end', () => output.end());
    const chunks: Buffer[] = [];
    for await (const chunk of output) chunks.push(chunk as Buffer);
    const { ExitCode } = await exec.inspect();
    return { code: ExitCode ?? -1, output: Buffer.concat(chunks).toString() };
  }

  /** As {@link run}, but an exit code other than 0 is an error. */
  async does(...command: readonly string[]): Promise<string> {
    const { code, output } = await this.run(...command);
    if (code !== 0)
      throw new Error(`${this.name}: ${command.join(' ')} ended with ${code}: ${output}`);
    return output;
  }

  /** Writes files by their paths, and the folders that they are in. */
  async writes(files: Readonly<Record<string, string>>): Promise<void> {
    await this.does('python3', '-c', WRITE_FILES, JSON.stringify(files));
  }

  /** Lets the owner of a key in by SSH as root, by a server with keys of its own. */
  async opensDoor(publicKey: string): Promise<void> {
    await this.writes({ '/root/.ssh/authorized_keys': `${publicKey.trim()}\n` });
    await this.does('ssh-keygen', '-A');
    // The server has failed for want of keys, and may be about to fail once more.
    await waitFor('sshd', async () => {
      await this.run('systemctl', 'reset-failed', 'ssh');
      return (await this.run('systemctl', 'restart', 'ssh')).code === 0;
    });
  }

  /** Starts units now and after each boot. */
  async starts(...units: readonly string[]): Promise<void> {
    await this.does('systemctl', 'enable', '--now', '--quiet', ...units);
  }

  /** `kill -9` of a unit's main process; systemd starts it again if the unit says so. */
  async kills(unit: string): Promise<void> {
    await this.does('systemctl', 'kill', '--kill-who=main', '--signal=KILL', unit);
  }

  /** Stops a unit's main process without its noticing. */
  async freezesUnit(unit: string): Promise<void> {
    await this.does('systemctl', 'kill', '--kill-who=main', '--signal=STOP', unit);
  }

  async thawsUnit(unit: string): Promise<void> {
    await this.does('systemctl', 'kill', '--kill-who=main', '--signal=CONT', unit);
  }

  /** The last lines that a unit wrote. */
  async journal(unit: string, lines: number | 'all' = 40): Promise<string> {
    return (
      await this.run('journalctl', '--no-pager', '-o', 'cat', '-n', String(lines), '-u', unit)
    ).output;
  }

  /** Everything on it dies at once. The disk stays. */
  async losesPower(): Promise<void> {
    await this.#container.kill({ signal: 'SIGKILL' });
    await this.#container.wait();
  }

  /** Boots again after {@link losesPower}. */
  async getsPower(): Promise<void> {
    await this.#container.start();
    await this.#booted();
  }

  /** It is gone with all that it had, and does not come back. */
  async burns(): Promise<void> {
    await this.isRemoved();
  }

  /** Everything on it stands still; nobody there notices. */
  async freezes(): Promise<void> {
    await this.#container.pause();
  }

  async thaws(): Promise<void> {
    await this.#container.unpause();
  }

  /** Whether packets of an address are dropped, both ways, without a word to either side; those of some ports, or all. */
  async dropsPackets(
    address: string,
    dropped: boolean,
    ports: readonly number[] = [],
  ): Promise<void> {
    const verb = dropped ? '-I' : '-D';
    const kinds =
      ports.length === 0
        ? ['']
        : ports.flatMap((port) => [` -p tcp --dport ${port}`, ` -p tcp --sport ${port}`]);
    const rules = kinds.flatMap((kind) => [
      `${verb} INPUT -s ${address}${kind} -j DROP`,
      `${verb} OUTPUT -d ${address}${kind} -j DROP`,
    ]);
    await this.writes({ [RULES]: ['*filter', ...rules, 'COMMIT', ''].join('\n') });
    await this.does('iptables-restore', '-w', '--noflush', RULES);
  }

  /**
   * What is below a folder lies on a small disk of its own from now on; nobody may use it meanwhile. It does not
   * survive a loss of power.
   */
  async getsSmallDisk(folder: string, sizeMb: number): Promise<void> {
    const aside = `${folder}.aside`;
    await this.does('mkdir', '-p', folder);
    await this.does('cp', '-a', folder, aside);
    await this.does('mount', '-t', 'tmpfs', '-o', `size=${sizeMb}m`, 'tmpfs', folder);
    await this.does('cp', '-a', `${aside}/.`, folder);
    await this.does('rm', '-r', aside);
  }

  /** From now on a unit's main process waits this long whenever it wants something to be on the disk. */
  async slowsDisk(unit: string, delayMs: number): Promise<void> {
    const pid = await this.does('systemctl', 'show', '--property=MainPID', '--value', unit);
    const calls = 'fsync,fdatasync';
    const trace = ['strace', '--follow-forks', '--quiet=all', `--attach=${pid.trim()}`];
    const inject = [`--trace=${calls}`, `--inject=${calls}:delay_enter=${delayMs}ms`];
    const words = [...trace, ...inject, '--output=/dev/null'];
    await this.does('systemd-run', '--quiet', `--unit=slow-disk-of-${unit}`, ...words);
  }

  async speedsDiskUp(unit: string): Promise<void> {
    await this.does('systemctl', 'stop', `slow-disk-of-${unit}`);
  }

  /** Units are started anew with a clock that can be set wrong; it is right until then. */
  async hasClockThatErrs(...units: readonly string[]): Promise<void> {
    const paths = units.map((unit) => `/etc/systemd/system/${unit}.service.d/clock.conf`);
    await this.writes(Object.fromEntries(paths.map((path) => [path, CLOCK_SETTINGS])));
    await this.clockErrsBy(0);
    await this.does('systemctl', 'daemon-reload');
    await this.does('systemctl', 'restart', ...units);
  }

  /** Wall clocks jump, and are this many seconds ahead from now on; time goes on as fast as ever. */
  async clockErrsBy(seconds: number): Promise<void> {
    await this.writes({ [CLOCK]: `${seconds < 0 ? '' : '+'}${seconds}\n` });
  }

  /** Not a byte is free on the disk of a folder. */
  async fillsDisk(folder: string): Promise<void> {
    await this.does('python3', '-c', FILL_DISK, `${folder}/ballast`);
  }

  async freesDisk(folder: string): Promise<void> {
    await this.does('rm', '-f', `${folder}/ballast`);
  }

  /** From now on no packet comes to it or leaves it; nobody there or elsewhere is told. */
  async losesNetwork(): Promise<void> {
    await this.#cutsOff('-I');
  }

  async getsNetwork(): Promise<void> {
    await this.#cutsOff('-D');
  }

  async #cutsOff(action: '-I' | '-D'): Promise<void> {
    await this.does('iptables', '-w', action, 'INPUT', '!', '-i', 'lo', '-j', 'DROP');
    await this.does('iptables', '-w', action, 'OUTPUT', '!', '-o', 'lo', '-j', 'DROP');
  }

  /** Removes the container; no error when it is gone. */
  async isRemoved(): Promise<void> {
    try {
      await this.#container.remove({ force: true, v: true });
    } catch (error) {
      if ((error as { readonly statusCode?: number }).statusCode !== 404) throw error;
    }
  }
}
