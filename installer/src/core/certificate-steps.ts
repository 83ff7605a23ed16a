/** Which steps of a plan are about nothing but certificates. */

import { AUTHORITIES_FILE, AUTHORITY_FILE, NODE_FILE } from './certificates.ts';
import type { Step } from './plan.ts';

const FILES = [AUTHORITY_FILE, AUTHORITIES_FILE, NODE_FILE];

/** ZooKeeper takes up files with its next start; all others take them up as they run. */
export function isOfCertificates(step: Step): boolean {
  if (step.kind === 'gate') return true;
  if (step.kind === 'unit') return step.unit.name === 'dcos-zookeeper' && step.action !== 'enable';
  if (step.kind !== 'configuration') return false;
  const { files, removed, activate } = step;
  return (
    activate === undefined &&
    removed.length === 0 &&
    files.every(({ path }) => FILES.includes(path) || path === ZOOKEEPER_UNIT)
  );
}

/** It carries a fingerprint of what it reads. */
const ZOOKEEPER_UNIT = '/etc/systemd/system/dcos-zookeeper.service';
