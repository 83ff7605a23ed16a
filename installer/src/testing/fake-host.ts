/**
 * A host in memory: it answers the programs that the installer runs on hosts as those programs would. Units run what
 * their files said when they started; nothing takes time. What a test wants otherwise it says by {@link FakeWorld}.
 */

import { OperationError } from '@dcos/base';
import { FORMER, KEPT, RELEASES, type HostPlace } from '../core/cluster.ts';
import type { Leaders } from '../core/plan.ts';
import type { Readiness } from '../core/wanted-host.ts';
import type { HostConnection, RunOptions, RunResult, UploadSource } from '../hosts/connection.ts';
import { hostProgram, type HostProgram } from '../hosts/host-programs.ts';
import { factsText } from './fake-facts.ts';
import { runStateProgram } from './fake-state.ts';

/** What a host cannot know alone. */
export interface FakeWorld {
  /** What the cluster knows. */
  state: string;
  /** Addresses with ports that nobody reaches. */
  readonly closedWays: readonly string[];
  /** Called before every program and file, in words such as `master-1: restart dcos-marathon`; it may throw. */
  begins(host: FakeHost, what: string): void;
  /** Why something does not serve; undefined when it does. */
  problemOf(host: FakeHost, readiness: Readiness): string | undefined;
  /** As `leaders.mjs` finds them. */
  leaders(): Leaders;
  /** What the leading master says of agents that leave. */
  agentsLeave(action: string, addresses: readonly string[]): object;
}

export interface FakeUnit {
  active: 'active' | 'inactive';
  isEnabled: boolean;
  /** What it runs with. */
  fingerprint: string;
  restarts: number;
  /** The release whose program runs. */
  release: string | undefined;
}

interface FakeFile {
  readonly text: string;
  readonly mode: number;
}

const PROGRAMS: readonly HostProgram[] = [
  'probe.sh',
  'packages.sh',
  'reach.sh',
  'ready.mjs',
  'apply.mjs',
  'back.mjs',
  'leaders.mjs',
  'agents.mjs',
];
const UNIT_FOLDER = '/etc/systemd/system/';
/** Certificates and state are no matter of releases. */
const isOfRelease = (path: string): boolean =>
  path.startsWith(UNIT_FOLDER) || /^\/etc\/dcos\/(?!tls\/|override\/)/.test(path);

const done = (stdout = ''): RunResult => ({ code: 0, stdout, stderr: '' });

export class FakeHost {
  readonly place: HostPlace;
  readonly #world: FakeWorld;
  isReachable = true;
  readonly units = new Map<string, FakeUnit>();
  readonly files = new Map<string, FakeFile>();
  /** What was put there by itself, such as archives. */
  readonly uploads = new Map<string, string>();
  readonly releases = new Set<string>();
  active: string | undefined;
  former: string | undefined;
  /** Files by the release that they were for. */
  readonly kept = new Map<string, ReadonlyMap<string, FakeFile>>();
  hasJava = false;
  #open = 0;

  constructor(place: HostPlace, world: FakeWorld) {
    this.place = place;
    this.#world = world;
  }

  /** The same host in another world. */
  copy(world: FakeWorld): FakeHost {
    const copy = new FakeHost(this.place, world);
    copy.isReachable = this.isReachable;
    for (const [name, unit] of this.units) copy.units.set(name, { ...unit });
    for (const [path, file] of this.files) copy.files.set(path, file);
    for (const hash of this.releases) copy.releases.add(hash);
    for (const [hash, files] of this.kept) copy.kept.set(hash, files);
    copy.hasJava = this.hasJava;
    [copy.active, copy.former] = [this.active, this.former];
    return copy;
  }

  /** Ways to it that nobody has closed. */
  get open(): number {
    return this.#open;
  }

  connect(): HostConnection {
    this.#open += 1;
    let isOpen = true;
    return {
      run: async (argv, options) => await this.#run(argv, options ?? {}),
      upload: async (source, path) => await this.#upload(source, path),
      close: async () => {
        if (isOpen) this.#open -= 1;
        isOpen = false;
        await Promise.resolve();
      },
    };
  }

  #begins(what: string): void {
    if (!this.isReachable)
      throw new OperationError('HOST_UNREACHABLE', `${this.place.address} does not answer`);
    this.#world.begins(this, `${this.place.name}: ${what}`);
  }

  async #upload(source: UploadSource, path: string): Promise<void> {
    this.#begins(`upload ${path}`);
    let text = '';
    if (source.sizeBytes > 0) for await (const part of source.open(0)) text += String(part);
    this.uploads.set(path, text);
  }

  async #run(argv: readonly string[], { input }: RunOptions): Promise<RunResult> {
    await Promise.resolve();
    const program = PROGRAMS.find((name) => argv.includes(hostProgram(name)));
    if (program !== undefined) return this.#runProgram(program, argv, input);
    const [command = '', ...words] = argv;
    if (command === 'systemctl') return this.#systemctl(words);
    const [what, ...rest] = command === 'sh' ? words.slice(2) : [command, ...words];
    if (what === 'start') return this.#start(rest);
    this.#begins([what, ...rest].join(' '));
    const place = { state: this.#world.state, files: this.uploads };
    const answer = runStateProgram(what ?? '', rest, place);
    this.#world.state = place.state;
    if (answer !== undefined) return answer;
    switch (what) {
      case 'packages':
        this.hasJava = true;
        return done();
      case 'unpack':
        this.releases.add((rest[1] ?? '').slice(RELEASES.length + 1));
        this.uploads.delete(rest[0] ?? '');
        return done();
      case 'rm':
        this.#remove(rest.slice(1));
        return done();
      default:
        return done();
    }
  }

  #remove(paths: readonly string[]): void {
    for (const path of paths) {
      this.uploads.delete(path);
      if (path.startsWith(`${RELEASES}/`)) this.releases.delete(path.slice(RELEASES.length + 1));
      if (path.startsWith(`${KEPT}/`)) this.kept.delete(path.slice(KEPT.length + 1));
      if (path === FORMER) this.former = undefined;
    }
  }

  #runProgram(
    program: HostProgram,
    argv: readonly string[],
    input: RunOptions['input'],
  ): RunResult {
    const last = argv.at(-1) ?? '';
    if (program !== 'ready.mjs') this.#begins(program);
    switch (program) {
      case 'probe.sh':
        return done(factsText(this));
      case 'reach.sh':
        return done(
          argv
            .slice(4)
            .map((way) => this.#reach(way))
            .join('\n'),
        );
      case 'ready.mjs': {
        const { readiness } = JSON.parse(last) as { readonly readiness: Readiness };
        this.#begins(`ready ${readiness.kind}`);
        const reason = this.#world.problemOf(this, readiness);
        return done(JSON.stringify({ ready: reason === undefined, reason }));
      }
      case 'leaders.mjs':
        return done(JSON.stringify(this.#world.leaders()));
      case 'agents.mjs': {
        const { action, agents } = JSON.parse(last) as {
          readonly action: string;
          readonly agents: readonly string[];
        };
        return done(JSON.stringify(this.#world.agentsLeave(action, agents)));
      }
      case 'apply.mjs':
        this.#apply(JSON.parse(typeof input === 'string' ? input : '') as Configuration);
        return done();
      case 'back.mjs':
        return done(JSON.stringify({ restarts: this.#back(last) }));
      default:
        return done();
    }
  }

  #reach(way: string): string {
    const [address = '', port = ''] = way.split(':');
    const isClosed = this.#world.closedWays.includes(`${address}:${port}`);
    return [address, port, isClosed ? 'silent' : 'right'].join('\t');
  }

  #apply({ files, removed, activate }: Configuration): void {
    const isOverAnother =
      activate !== undefined && this.active !== undefined && this.active !== activate;
    if (isOverAnother) {
      const before = this.active ?? '';
      if (!this.kept.has(before))
        this.kept.set(before, new Map([...this.files].filter(([path]) => isOfRelease(path))));
      this.former = before;
    }
    for (const { path, text, mode } of files) this.files.set(path, { text, mode });
    for (const path of removed) this.files.delete(path);
    if (activate === undefined) return;
    this.kept.delete(activate);
    this.active = activate;
  }

  /** Units that run with something else than their file says then. */
  #back(release: string): readonly string[] {
    const kept = this.kept.get(release);
    if (kept !== undefined) {
      for (const path of [...this.files.keys()].filter(isOfRelease)) this.files.delete(path);
      for (const [path, file] of kept) this.files.set(path, file);
      this.active = release;
    }
    return [...this.units]
      .filter(([name]) => name !== 'dcos.target')
      .filter(([name, { fingerprint, active }]) => {
        return active !== 'active' || fingerprint !== this.#fingerprintInFile(name);
      })
      .map(([name]) => `${name}.service`);
  }

  #fingerprintInFile(unit: string): string {
    const text = this.files.get(`${UNIT_FOLDER}${unit}.service`)?.text ?? '';
    return /DCOS_UNIT_FINGERPRINT=(\w*)/.exec(text)?.[1] ?? '';
  }

  #systemctl(words: readonly string[]): RunResult {
    const [action = '', ...rest] = words.filter((word) => !word.startsWith('-'));
    const names = rest.map((name) => name.replace(/\.service$/, ''));
    this.#begins(`${action} ${names.join(' ')}`.trim());
    for (const name of names.filter((one) => one.startsWith('dcos')))
      this.#act(action, name, words);
    if (action !== 'show') return done();
    const { active, restarts } = this.units.get(names[0] ?? '') ?? {
      active: 'inactive',
      restarts: 0,
    };
    return done(`NRestarts=${restarts}\nActiveState=${active}\n`);
  }

  /** All that one program does to start a unit; told as the last of it. */
  #start([service = '', action = '']: readonly string[]): RunResult {
    const unit = service.replace(/\.service$/, '');
    this.#begins(`${action === 'enable' ? 'enable' : 'restart'} ${unit}`);
    this.#act('enable', 'dcos.target', ['--now']);
    this.#act('enable', unit, []);
    if (action !== 'enable') this.#act('restart', unit, []);
    return done();
  }

  #act(action: string, name: string, words: readonly string[]): void {
    const before = this.units.get(name);
    const unit: FakeUnit = before ?? {
      active: 'inactive',
      isEnabled: false,
      fingerprint: '',
      restarts: 0,
      release: undefined,
    };
    if (['enable', 'restart', 'start'].includes(action)) this.units.set(name, unit);
    if (action === 'enable') unit.isEnabled = true;
    const starts = action === 'restart' || action === 'start' || words.includes('--now');
    if (starts && action !== 'disable') {
      unit.active = 'active';
      unit.fingerprint = this.#fingerprintInFile(name);
      unit.release = this.active;
    }
    if (action === 'stop') unit.active = 'inactive';
    if (action === 'disable') this.units.delete(name);
  }
}

interface Configuration {
  readonly files: readonly {
    readonly path: string;
    readonly text: string;
    readonly mode: number;
  }[];
  readonly removed: readonly string[];
  readonly activate?: string;
}
