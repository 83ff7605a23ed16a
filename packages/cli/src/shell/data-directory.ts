/**
 * The data directory: `clusters/<id>/dcos.toml` for each cluster, and an empty file `attached` in
 * the directory of the current one. A configuration file is replaced as a whole, so that a command
 * that is killed leaves the old or the new one.
 */

import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { compareText } from '@dcos/base';
import { parse, stringify } from 'smol-toml';
import { configValue } from '../core/config-document.ts';
import type { ConfigDocument } from '../core/config-document.ts';
import type { ClusterEntry } from '../core/cluster-choice.ts';
import { cliError } from './errors.ts';
import type { Terminal } from './terminal.ts';

export interface StoredCluster extends ClusterEntry {
  readonly directory: string;
  readonly config: ConfigDocument;
}

const configFile = 'dcos.toml';
const attachedFile = 'attached';
const clustersMax = 1000;

/** The data directory: `DCOS_DIR`, or `.dcos` in the home directory. */
export function dataDirectory(terminal: Terminal): string {
  const configured = terminal.environment['DCOS_DIR'];
  if (configured === undefined || configured === '') return join(terminal.homeDirectory, '.dcos');
  return resolve(terminal.workingDirectory, configured);
}

/** All configured clusters, by name. */
export async function readClusters(terminal: Terminal): Promise<readonly StoredCluster[]> {
  const root = join(dataDirectory(terminal), 'clusters');
  const names = await readdirOrNone(root);
  const clusters = await Promise.all(
    names.slice(0, clustersMax).map((name) => readCluster(join(root, name), name)),
  );
  return clusters
    .filter((cluster) => cluster !== undefined)
    .toSorted(
      (left, right) => compareText(left.name, right.name) || compareText(left.id, right.id),
    );
}

/** Writes the configuration of a cluster, which need not exist yet. */
export async function writeCluster(
  terminal: Terminal,
  id: string,
  config: ConfigDocument,
): Promise<string> {
  const directory = clusterDirectory(terminal, id);
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const path = join(directory, configFile);
  const temporary = `${path}.${process.pid}.new`;
  await writeFile(temporary, stringify(config), { mode: 0o600 });
  await rename(temporary, path);
  return directory;
}

/** Makes this cluster the attached one, and no other. */
export async function attachCluster(terminal: Terminal, id: string): Promise<void> {
  const directory = clusterDirectory(terminal, id);
  await writeFile(join(directory, attachedFile), '', { mode: 0o644 });
  for (const cluster of await readClusters(terminal)) {
    if (cluster.id !== id) await rm(join(cluster.directory, attachedFile), { force: true });
  }
}

/** Forgets a cluster and everything that was kept about it. */
export async function removeCluster(cluster: StoredCluster): Promise<void> {
  await rm(cluster.directory, { recursive: true, force: true });
}

/** The directory of a cluster. An ID comes from a server, so it is checked before it is a path. */
export function clusterDirectory(terminal: Terminal, id: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(id)) {
    throw cliError('CLI_BAD_REPLY', `the cluster has an ID that is no name of a folder: "${id}"`);
  }
  return join(dataDirectory(terminal), 'clusters', id);
}

async function readCluster(directory: string, id: string): Promise<StoredCluster | undefined> {
  const information = await statOrNone(directory);
  if (information?.isDirectory() !== true) return undefined;
  const path = join(directory, configFile);
  const config = parseConfig(await readFileOrEmpty(path), path);
  const name = configValue(config, 'cluster.name');
  const url = configValue(config, 'core.dcos_url');
  return {
    id,
    directory,
    config,
    name: typeof name === 'string' && name !== '' ? name : id,
    url: typeof url === 'string' ? url : '',
    attached: (await statOrNone(join(directory, attachedFile))) !== undefined,
  };
}

function parseConfig(text: string, path: string): ConfigDocument {
  try {
    return parse(text) as ConfigDocument;
  } catch (error) {
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw cliError('CLI_INPUT', `${path} is not valid TOML: ${reason}`, { cause: error });
  }
}

async function readdirOrNone(path: string): Promise<readonly string[]> {
  return (await orMissing(readdir(path))) ?? [];
}

async function readFileOrEmpty(path: string): Promise<string> {
  return (await orMissing(readFile(path, 'utf8'))) ?? '';
}

async function statOrNone(path: string): Promise<Awaited<ReturnType<typeof stat>> | undefined> {
  return orMissing(stat(path));
}

async function orMissing<T>(operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
