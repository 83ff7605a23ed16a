/** A release as it goes to hosts: the archive that `npm run build` makes, checked before anything is sent. */

import { createHash, createPublicKey } from 'node:crypto';
import { createReadStream, readFileSync, statSync } from 'node:fs';
import { OperationError } from '@dcos/base';
import type { ReleasePlan } from '../core/cluster.ts';
import {
  bringsAll,
  parseJars,
  releaseError,
  verifyRelease,
  type Platform,
} from '../release/index.ts';
import type { UploadSource } from './connection.ts';
import { zooKeeperList } from './host-programs.ts';

export interface Release extends ReleasePlan {
  readonly platform: Platform;
  readonly archive: UploadSource;
}

const CHUNK_BYTES = 256 * 1024;

/**
 * @param keyFile public key of who may have made the release, in PEM.
 * @throws OperationError with a code of `release/errors.ts`, or `RELEASE_KEY_UNREADABLE`.
 */
export async function openRelease(file: string, keyFile: string): Promise<Release> {
  const manifest = await verifyRelease(file, { trustedKeys: [readKey(keyFile)] });
  if (!bringsAll(parseJars(zooKeeperList()), manifest.files)) {
    throw releaseError(
      'RELEASE_OF_ANOTHER_INSTALLER',
      `${file} brings another ZooKeeper than this installer knows: take the installer of its own checkout`,
    );
  }
  const sha256 = await fileHash(file);
  return {
    hash: manifest.contentHash.slice(0, HASH_LENGTH),
    version: manifest.version,
    platform: manifest.platform,
    archive: {
      sizeBytes: statSync(file).size,
      sha256,
      open: (start) => createReadStream(file, { start, highWaterMark: CHUNK_BYTES }),
    },
  };
}

/** Enough to tell releases of one cluster apart. */
const HASH_LENGTH = 32;

function readKey(keyFile: string): ReturnType<typeof createPublicKey> {
  try {
    return createPublicKey(readFileSync(keyFile));
  } catch (error) {
    throw new OperationError('RELEASE_KEY_UNREADABLE', `${keyFile} has no public key in PEM`, {
      cause: error,
    });
  }
}

async function fileHash(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest('hex');
}
