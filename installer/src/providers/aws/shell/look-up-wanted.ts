/** Settings, EC2's offers and the key put together to what is wanted. */

import { present } from '@dcos/base';
import type { Found } from '../core/found.ts';
import { TAG_CLUSTER_ID } from '../core/names.ts';
import { parsePorts } from '../core/ports.ts';
import { toWanted, type RoleSettings } from '../core/to-wanted.ts';
import type { Wanted, WantedKey } from '../core/wanted.ts';
import { awsError } from '../errors.ts';
import type { AwsSettings } from '../settings.ts';
import type { Ec2 } from './ec2.ts';
import { makeKeyFile, readKeyFile } from './key-file.ts';
import { lookUpImages, lookUpNetwork } from './look-up.ts';

export interface WantedQuery {
  readonly ec2: Ec2;
  readonly cluster: string;
  readonly settings: AwsSettings;
  readonly found: Found;
  readonly privateKeyFile: string;
  /** A plan makes none. */
  readonly mayMakeKey: boolean;
  /** Of the cluster; undefined when none was made yet. */
  readonly clusterId: string | undefined;
}

/** @throws OperationError `AWS_NOT_OFFERED`, `AWS_KEY`, `AWS_REFUSED` */
export async function lookUpWanted(query: WantedQuery): Promise<Wanted> {
  const { ec2, cluster, settings, found, clusterId } = query;
  const [network, images] = await Promise.all([
    lookUpNetwork(ec2, settings, found),
    lookUpImages(ec2, settings),
  ]);
  return toWanted({
    cluster,
    network,
    key: wantedKey(query),
    roles: {
      master: roleSettings(settings.masters),
      private: roleSettings(settings.privateAgents),
      public: roleSettings(settings.publicAgents),
    },
    locations: {
      adminLocations: settings.adminLocations,
      publicLocations: settings.publicLocations,
      publicPorts: settings.publicPorts.map((text) => present(parsePorts(text), `ports ${text}`)),
    },
    imageOf: (type) => present(images.get(type), `the image for ${type}`),
    hasPublicAddresses: settings.publicAddresses,
    ...(settings.userData !== undefined && { userData: settings.userData }),
    tags: {
      ...settings.tags,
      ...(clusterId !== undefined && { [TAG_CLUSTER_ID]: clusterId }),
    },
  });
}

function roleSettings(hosts: AwsSettings['masters'] | AwsSettings['privateAgents']): RoleSettings {
  const { count, instanceType, volume, spot, elasticAddress } = hosts;
  return {
    count,
    instanceType,
    volume: {
      sizeGib: volume.sizeGib,
      type: volume.type,
      isEncrypted: volume.encrypted,
      ...(volume.kmsKeyId !== undefined && { kmsKeyId: volume.kmsKeyId }),
    },
    isSpot: spot,
    hasElasticAddress: elasticAddress,
  };
}

function wantedKey({
  cluster,
  settings,
  found,
  privateKeyFile,
  mayMakeKey,
}: WantedQuery): WantedKey {
  if (settings.keyPair !== undefined) return { kind: 'existing', keyName: settings.keyPair.name };
  const key = readKeyFile(privateKeyFile);
  if (key !== undefined) return { kind: 'made', ...key };
  if (found.keys.length > 0) {
    throw awsError(
      'AWS_KEY',
      `the private key of the hosts is not here: ${privateKeyFile}; bring it from the machine that made the cluster`,
    );
  }
  if (mayMakeKey) return { kind: 'made', ...makeKeyFile(privateKeyFile, `dcos ${cluster}`) };
  return { kind: 'made', publicKey: '', fingerprint: '(made at deployment)' };
}
