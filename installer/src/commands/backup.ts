/** `backup FILE`: what the cluster knows, with its configuration, in one file that its owner alone can read. */

import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { errorText, OperationError } from '@dcos/base';
import { endLine, headerLine } from '../core/cluster-backup.ts';
import { BACKUP_FOLDER, removeFile, takeState } from '../hosts/cluster-state.ts';
import type { HostConnection } from '../hosts/connection.ts';
import { downloadByPrograms } from '../hosts/download.ts';
import { clusterOf } from './converge.ts';
import { existingCluster } from './existing.ts';
import type { CommonOptions, Session, Surroundings } from './session.ts';

/** Bytes of a state: far more than a registry and all versions of all apps have. */
export const STATE_BYTES_MAX = 512 * 1024 * 1024;

/** @throws OperationError `INSTALLER_USAGE` for a file that is there already */
export async function backup(
  session: Session,
  { argument: file = '' }: CommonOptions,
  { directory }: Pick<Surroundings, 'directory'>,
): Promise<void> {
  const { configuration, reporter } = session;
  const path = resolve(directory, file);
  if (existsSync(path))
    throw new OperationError('INSTALLER_USAGE', `${path} is there already; name another file`);
  const infrastructure = await existingCluster(session);
  const cluster = clusterOf(configuration, infrastructure);
  const problems: string[] = [];
  for (const { name, role, connect } of infrastructure.hosts) {
    if (role !== 'master') continue;
    const connection = await connect();
    const remote = `${BACKUP_FOLDER}/${randomUUID()}.backup`;
    try {
      await takeState(connection, cluster, remote);
      const createdAt = new Date().toISOString();
      const header = headerLine({
        createdAt,
        cluster: { name: cluster.settings.name, id: cluster.id },
        document: configuration.document,
      });
      const sizeBytes = await writeWhole(path, header, connection, remote);
      reporter.tell(
        { event: 'backup.done', file: path, host: name, createdAt, sizeBytes },
        `${path}: ${sizeBytes} bytes, by ${name}`,
      );
      return;
    } catch (error) {
      // Another master may have what this one has not.
      problems.push(`${name}: ${errorText(error)}`);
    } finally {
      await removeFile(connection, remote).catch((error: unknown) =>
        reporter.note({ event: 'backup.left', host: name, text: `${remote}: ${errorText(error)}` }),
      );
      await connection.close();
    }
  }
  throw new OperationError('BACKUP_FAILED', `no master gives a backup:\n${problems.join('\n')}`);
}

/** The file appears when all of it is there. */
async function writeWhole(
  path: string,
  header: string,
  connection: HostConnection,
  remote: string,
): Promise<number> {
  const unfinished = `${path}.${process.pid}.new`;
  const hash = createHash('sha256');
  let sizeBytes = 0;
  try {
    const file = await open(unfinished, 'wx', 0o600);
    try {
      const write = async (part: string | Buffer): Promise<void> => {
        hash.update(part);
        sizeBytes += Buffer.byteLength(part);
        await file.appendFile(part);
      };
      await write(header);
      for await (const piece of downloadByPrograms(connection, remote, {
        bytesMax: STATE_BYTES_MAX,
      }))
        await write(piece);
      await file.appendFile(endLine(hash.digest('hex')));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(unfinished, path);
  } finally {
    await rm(unfinished, { force: true });
  }
  return sizeBytes;
}
