/** What every command works with: its configuration, the provider, the folder of the cluster, and how it tells. */

import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { OperationError } from '@dcos/base';
import { parseConfiguration, type Configuration } from '../config/configuration.ts';
import { editText, type ConfigurationEdit } from '../config/edit.ts';
import { PORTS } from '../core/component-settings.ts';
import type { Fault } from '../config/faults.ts';
import { noHosts, sshDefaults, type ClusterDocument } from '../config/schema.ts';
import { checkoutRelease } from '../hosts/checkout-release.ts';
import { openRelease, type Release } from '../hosts/release.ts';
import type { Provider } from '../providers/provider.ts';
import { systemClock, systemRandom } from '../system-clock.ts';
import { ClusterFolder, installerDirectory, knownClusters } from './cluster-folder.ts';
import { Reporter, type Streams } from './reporter.ts';

export interface CommonOptions {
  /** The word after the command, where it takes one. */
  readonly argument?: string;
  readonly config?: string;
  readonly provider?: string;
  readonly name?: string;
  readonly release?: string;
  readonly releaseKey?: string;
  readonly json?: boolean;
  readonly yes?: boolean;
  readonly verbose?: boolean;
}

export interface Surroundings {
  readonly streams: Streams;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly directory: string;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Asks a question with yes or no; undefined where nobody can be asked. */
  readonly confirm: ((question: string) => Promise<boolean>) | undefined;
}

export interface Session {
  readonly configuration: Configuration;
  /** Keeps the configuration: with the cluster, and in its file if it was changed here. */
  readonly keep: () => void;
  readonly provider: Provider;
  readonly folder: ClusterFolder;
  readonly reporter: Reporter;
  /** What goes to hosts; built when it is asked for, if there is none. */
  readonly release: () => Promise<Release>;
}

interface FoundConfiguration {
  /** Of its file; undefined for what was kept of an earlier run, or assumed. */
  readonly path?: string;
  readonly text: string;
  readonly configuration: Configuration;
}

const WORKSPACE = join(import.meta.dirname, '..', '..', '..');
export const DEFAULT_FILE = 'cluster.yaml';
/** Of a cluster that nobody gave one. */
const DEFAULT_NAME = 'dcos';

/** @param edit changes the configuration; kept by {@link Session.keep}, not before. */
export async function openSession(
  options: CommonOptions,
  surroundings: Surroundings,
  edit?: ConfigurationEdit,
): Promise<Session> {
  const directory = installerDirectory(surroundings.environment);
  const found = readConfiguration(options, surroundings, directory);
  const { configuration, write } = edit === undefined ? unedited(found) : edited(found, edit);
  const reporter = new Reporter(surroundings.streams, {
    json: options.json ?? false,
    verbose: options.verbose ?? false,
  });
  const folder = new ClusterFolder(directory, configuration.settings.name);
  return {
    configuration,
    keep() {
      write?.();
      folder.keepDocument(configuration.document);
    },
    provider: await providerOf(configuration, folder, surroundings),
    folder,
    reporter,
    release: async () => await releaseOf(options, surroundings, directory, reporter),
  };
}

async function releaseOf(
  { release, releaseKey }: CommonOptions,
  { directory }: Pick<Surroundings, 'directory'>,
  installerFolder: string,
  reporter: Reporter,
): Promise<Release> {
  if (release !== undefined) {
    if (releaseKey === undefined) {
      throw new OperationError(
        'INSTALLER_USAGE',
        'a release is taken from those only whose public key you name: --release-key',
      );
    }
    return await openRelease(resolve(directory, release), resolve(directory, releaseKey));
  }
  const files = await checkoutRelease(WORKSPACE, join(installerFolder, 'cache'), () =>
    reporter.tell({ event: 'release.built' }, '  release: build, since the sources have changed'),
  );
  return await openRelease(files.archive, files.key);
}

/**
 * The configuration from the file that is named, from `cluster.yaml`, from the last deployment of that name, or from
 * nothing but the provider's name.
 * @throws OperationError `INSTALLER_CONFIGURATION` with all faults, or `INSTALLER_USAGE`.
 */
export function readConfiguration(
  { config, provider, name }: CommonOptions,
  { directory }: Pick<Surroundings, 'directory'>,
  installerFolder: string,
): FoundConfiguration {
  const file = config ?? (provider === undefined && name === undefined ? DEFAULT_FILE : undefined);
  const path = file === undefined ? undefined : resolve(directory, file);
  if (path !== undefined && existsSync(path))
    return { path, ...parsed(path, readFileSync(path, 'utf8'), directory) };
  if (config !== undefined)
    throw new OperationError('INSTALLER_USAGE', `there is no file ${config}`);
  const kept = keptDocument({ provider, name }, installerFolder);
  if (kept !== undefined) return parsed('the configuration', JSON.stringify(kept), directory);
  throw new OperationError(
    'INSTALLER_USAGE',
    `there is no ${DEFAULT_FILE} here; write one with "installer init", name one with --config, or deploy without one: --provider docker`,
  );
}

function parsed(what: string, text: string, directory: string): FoundConfiguration {
  const exists = (path: string): boolean => existsSync(resolve(directory, path));
  return { text, configuration: orThrow(what, parseConfiguration(text, exists)) };
}

interface UsedConfiguration {
  readonly configuration: Configuration;
  /** Puts what was changed into the file. */
  readonly write?: () => void;
}

function unedited({ configuration }: FoundConfiguration): UsedConfiguration {
  return { configuration };
}

function edited(
  { path, text, configuration }: FoundConfiguration,
  edit: ConfigurationEdit,
): UsedConfiguration {
  const changed = editText(text, edit(configuration));
  const what = `${path ?? 'the configuration'}, changed,`;
  // The files that it names were there before the change.
  const result = orThrow(what, parseConfiguration(changed));
  if (path === undefined || changed === text) return { configuration: result };
  const write = (): void => {
    writeFileSync(`${path}.new`, changed, { mode: statSync(path).mode });
    renameSync(`${path}.new`, path);
  };
  return { configuration: result, write };
}

function keptDocument(
  { provider, name }: { readonly provider: string | undefined; readonly name: string | undefined },
  installerFolder: string,
): unknown {
  const known = knownClusters(installerFolder);
  const wanted = name ?? (known.length === 1 ? known[0] : DEFAULT_NAME);
  const kept =
    wanted !== undefined && known.includes(wanted)
      ? new ClusterFolder(installerFolder, wanted).document()
      : undefined;
  // A cluster of another kind is another cluster.
  if (kept !== undefined && (provider === undefined || providerIn(kept) === provider)) return kept;
  if (provider === undefined) return undefined;
  return { provider, ...(name !== undefined && { name }) };
}

function providerIn(document: unknown): unknown {
  return (document as { readonly provider?: unknown }).provider;
}

function orThrow(
  what: string,
  result:
    | { readonly ok: true; readonly value: Configuration }
    | { readonly ok: false; readonly error: readonly Fault[] },
): Configuration {
  if (result.ok) return result.value;
  throw new OperationError('INSTALLER_CONFIGURATION', faultsText(what, result.error), {
    details: { faults: result.error.map((fault) => ({ ...fault })) },
  });
}

/** All faults, a line each. */
export function faultsText(what: string, faults: readonly Fault[]): string {
  const lines = faults.map(
    ({ key, reason, remedy }) => `${key === '' ? 'the file' : key}: ${reason}; ${remedy}`,
  );
  return `${what} has ${faults.length} fault${faults.length === 1 ? '' : 's'}:\n${lines.join('\n')}`;
}

async function providerOf(
  configuration: Configuration,
  folder: ClusterFolder,
  surroundings: Surroundings,
): Promise<Provider> {
  const { provider, docker, settings, document } = configuration;
  if (provider === 'ssh') return await sshProviderOf(document, folder, surroundings);
  if (provider === 'aws' && document.aws !== undefined) {
    const { openAwsInfrastructure } = await import('../providers/aws/aws-infrastructure.ts');
    return await openAwsInfrastructure({
      cluster: settings.name,
      settings: document.aws,
      context: { clock: systemClock, random: systemRandom, signal: surroundings.signal },
      folder: folder.path,
    });
  }
  if (provider !== 'docker') {
    throw new OperationError(
      'INSTALLER_CONFIGURATION',
      'the provider aws needs settings: give aws.region and aws.adminLocations',
    );
  }
  const [{ default: Docker }, { DockerProvider }] = await Promise.all([
    import('dockerode'),
    import('../providers/docker/docker-provider.ts'),
  ]);
  return new DockerProvider(new Docker(), settings.name, {
    ...docker,
    uiPort: docker.uiPort ?? DEFAULT_UI_PORT,
    isUiPortFixed: document.docker?.uiPort !== undefined,
    routerPort: settings.tls ? PORTS.routerTls : PORTS.router,
  });
}

const DEFAULT_UI_PORT = 8180;

async function sshProviderOf(
  { name, ssh = sshDefaults(), hosts = noHosts() }: ClusterDocument,
  folder: ClusterFolder,
  surroundings: Surroundings,
): Promise<Provider> {
  const [{ SshProvider }, { SshConnection }, { placesOf, sshTargets }, { HostRegister }] =
    await Promise.all([
      import('../providers/ssh/ssh-provider.ts'),
      import('../providers/ssh/ssh-connection.ts'),
      import('../providers/ssh/ssh-targets.ts'),
      import('../providers/ssh/host-register.ts'),
    ]);
  return new SshProvider({
    cluster: name,
    hosts: placesOf(hosts),
    targetOf: sshTargets(ssh, join(folder.path, 'known_hosts'), surroundings),
    connect: (target) => new SshConnection(target),
    register: new HostRegister(join(folder.path, 'hosts.json')),
    parallelMax: ssh.parallel,
  });
}
