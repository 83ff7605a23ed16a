/**
 * `restore FILE`: what a cluster knew, put into one that is there. Marathons stop, then masters, so that nobody writes;
 * the state is put in; then they start again, masters first. Cut short anywhere, it goes on when it is run again with
 * the same file; until then masters stay down, since half a state is none.
 */

import { createHash } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { errorText, OperationError } from '@dcos/base';
import { stringify } from 'yaml';
import { parseClusterBackup, workIn, type ClusterBackup } from '../core/cluster-backup.ts';
import type { Cluster } from '../core/cluster.ts';
import { clusterReadiness } from '../core/wanted-host.ts';
import {
  BACKUP_FOLDER,
  lookAtState,
  putState,
  removeFile,
  takeState,
} from '../hosts/cluster-state.ts';
import { READY_TIMEOUT_MS } from '../hosts/perform-step.ts';
import { unitReport, waitUntilReady } from '../hosts/readiness.ts';
import { STATE_BYTES_MAX } from './backup.ts';
import {
  ANY_RELEASE,
  clusterOf,
  closeHosts,
  connectHosts,
  unusableHosts,
  type ConnectedHost,
} from './converge.ts';
import { existingCluster } from './existing.ts';
import { throwIfInterrupted } from './interrupted.ts';
import { Reporter } from './reporter.ts';
import type { CommonOptions, Session, Surroundings } from './session.ts';

export interface RestoreOptions extends CommonOptions {
  /** Whether state that people made goes. */
  readonly replace?: boolean;
  /** Where the configuration that is in the file goes, in place of a restore. */
  readonly writeConfig?: string;
}

/** In the order in which they stop; they start in the other one. */
const WRITERS = ['dcos-marathon', 'dcos-mesos-master'];
const HEADER_BYTES_MAX = 2 * 1024 * 1024;

/** `--write-config`: writes the configuration that a backup has; true when that was asked for. */
export async function writeConfiguration(
  options: RestoreOptions,
  { directory, streams }: Pick<Surroundings, 'directory' | 'streams'>,
): Promise<boolean> {
  if (options.writeConfig === undefined) return false;
  const { document, createdAt } = readFile(options, directory);
  const path = resolve(directory, options.writeConfig);
  try {
    writeFileSync(path, stringify(document), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    throw new OperationError('INSTALLER_USAGE', `${path} cannot be written: ${errorText(error)}`);
  }
  new Reporter(streams, { json: options.json ?? false, verbose: false }).tell(
    { event: 'configuration.written', file: path },
    `wrote ${path}, the configuration of ${createdAt}`,
  );
  return true;
}

/** @throws OperationError `BACKUP_DAMAGED`, `RESTORE_NOT_EMPTY`, `INSTALLER_HOSTS_MISSING`, `CLUSTER_STATE` */
export async function restore(
  session: Session,
  options: RestoreOptions,
  surroundings: Surroundings,
): Promise<void> {
  const { configuration, reporter } = session;
  const backup = readFile(options, surroundings.directory);
  const infrastructure = await existingCluster(session);
  const cluster = clusterOf(configuration, infrastructure);
  const connected = await connectHosts(cluster, infrastructure.hosts, ANY_RELEASE);
  const { hosts } = connected;
  try {
    const lost = unusableHosts(connected).filter(({ place }) => place.role === 'master');
    const masters = hosts.filter(({ place }) => place.role === 'master');
    const [first] = masters;
    if (lost.length > 0 || first === undefined) {
      const names = lost.map(({ place, problem }) => `${place.name}: ${problem}`).join('\n');
      throw new OperationError(
        'INSTALLER_HOSTS_MISSING',
        `all masters have to be there, so that none of them writes meanwhile\n${names}`,
      );
    }
    const kept = await checkPlace(first, cluster, backup, options);
    await confirmRestore(backup, cluster, options, surroundings);
    throwIfInterrupted(surroundings);
    const remote = `${BACKUP_FOLDER}/restore.backup`;
    await first.connection.upload(sourceOf(backup.state), remote, { mode: 0o600 });
    const tell = (host: string, text: string): void =>
      reporter.tell({ event: 'restore.step', host, text }, `  ${host.padEnd(12)} ${text}`);
    for (const unit of WRITERS) {
      for (const { place, connection } of masters) {
        tell(place.name, `stop ${unit}`);
        await systemctl(connection, 'stop', unit);
      }
    }
    tell(first.place.name, `put in the state of ${backup.createdAt}`);
    await putState(first.connection, cluster, remote);
    for (const unit of WRITERS.toReversed()) await startOn(masters, unit, tell);
    await removeFile(first.connection, remote);
    const agents = cluster.hosts.length - masters.length;
    const question = { readiness: clusterReadiness(cluster, agents), timeoutMs: READY_TIMEOUT_MS };
    const problem = await waitUntilReady(first.connection, question);
    if (problem !== undefined)
      throw new OperationError('INSTALLER_POSTFLIGHT', `restored, but the cluster: ${problem}`);
    reporter.tell(
      { event: 'restore.done', createdAt: backup.createdAt, ...(kept !== undefined && { kept }) },
      `restored what ${backup.cluster.name} knew at ${backup.createdAt}${kept === undefined ? '' : `; what was here before is in ${kept} on ${first.place.name}`}`,
    );
  } finally {
    await closeHosts(hosts);
  }
}

function sha256Of(part: Uint8Array): string {
  return createHash('sha256').update(part).digest('hex');
}

function readFile({ argument = '' }: CommonOptions, directory: string): ClusterBackup {
  const path = resolve(directory, argument);
  let bytes: Buffer;
  try {
    if (statSync(path).size > STATE_BYTES_MAX + HEADER_BYTES_MAX)
      throw new OperationError('BACKUP_DAMAGED', `${path} is larger than any backup`);
    bytes = readFileSync(path);
  } catch (error) {
    if (error instanceof OperationError) throw error;
    throw new OperationError('INSTALLER_USAGE', `${path} cannot be read`, { cause: error });
  }
  const parsed = parseClusterBackup(bytes, {
    digest: sha256Of,
    decode: (part) => new TextDecoder().decode(part),
  });
  if (parsed.ok) return parsed.value;
  throw new OperationError('BACKUP_DAMAGED', `${path} is no whole backup: ${parsed.error}`);
}

/**
 * Whether the state that is there may go. What people made is kept on the master first.
 * @returns the file that it is kept in.
 */
async function checkPlace(
  { connection }: ConnectedHost,
  cluster: Cluster,
  backup: ClusterBackup,
  { replace = false }: RestoreOptions,
): Promise<string | undefined> {
  const path = `${BACKUP_FOLDER}/before-restore-${Date.now()}.backup`;
  await takeState(connection, cluster, path);
  const { counts, restoring } = await lookAtState(connection, path);
  const work = restoring === innerChecksum(backup) ? [] : workIn(counts);
  if (work.length > 0 && replace) return path;
  await removeFile(connection, path);
  if (work.length === 0) return undefined;
  throw new OperationError(
    'RESTORE_NOT_EMPTY',
    `the cluster has state that would go: ${work.join(', ')}; say with --replace that it may`,
  );
}

/** As the state's own last line has it. */
function innerChecksum({ state }: ClusterBackup): string | undefined {
  const [, sha256] =
    /\{"sha256":"([0-9a-f]{64})"\}\s*$/.exec(Buffer.from(state.subarray(-100)).toString()) ?? [];
  return sha256;
}

async function confirmRestore(
  { createdAt, cluster: { name } }: ClusterBackup,
  { settings }: Cluster,
  { yes = false }: CommonOptions,
  { confirm }: Pick<Surroundings, 'confirm'>,
): Promise<void> {
  if (yes) return;
  if (confirm === undefined) {
    throw new OperationError(
      'INSTALLER_USAGE',
      'nobody can be asked whether masters may stop for the restore; say so with --yes',
    );
  }
  const question = `Stop the masters of ${settings.name} and give them what ${name} knew at ${createdAt}?`;
  if (!(await confirm(question)))
    throw new OperationError('INSTALLER_DECLINED', 'nothing was changed');
}

async function startOn(
  masters: readonly ConnectedHost[],
  unit: string,
  tell: (host: string, text: string) => void,
): Promise<void> {
  await Promise.all(
    masters.map(async ({ place, connection, wanted }) => {
      tell(place.name, `start ${unit}`);
      await systemctl(connection, 'start', unit);
      const readiness = wanted.units.find(({ name }) => name === unit)?.readiness;
      if (readiness === undefined) return;
      const question = { readiness, unit, timeoutMs: READY_TIMEOUT_MS };
      const problem = await waitUntilReady(connection, question);
      if (problem === undefined) return;
      throw new OperationError(
        'UNIT_NOT_READY',
        `${place.name}: ${unit} does not serve: ${problem}\n${await unitReport(connection, unit)}`,
      );
    }),
  );
}

async function systemctl(
  connection: ConnectedHost['connection'],
  action: 'start' | 'stop',
  unit: string,
): Promise<void> {
  const { code, stderr } = await connection.run(['systemctl', action, `${unit}.service`]);
  if (code === 0) return;
  throw new OperationError('HOST_PROGRAM_FAILED', `${action} ${unit}: ${stderr.trim()}`);
}

function sourceOf(state: Uint8Array): Parameters<ConnectedHost['connection']['upload']>[0] {
  return {
    sizeBytes: state.length,
    sha256: sha256Of(state),
    open: (fromByte) => Readable.from([Buffer.from(state.subarray(fromByte))]),
  };
}
