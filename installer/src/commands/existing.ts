/** A cluster that has to be there. */

import { OperationError } from '@dcos/base';
import type { Infrastructure } from '../providers/provider.ts';
import type { Session } from './session.ts';

/** @throws OperationError `INSTALLER_UNHEALTHY` when nothing is there. */
export async function existingCluster({
  configuration,
  provider,
  reporter,
}: Session): Promise<Infrastructure> {
  const infrastructure = await provider.existing();
  if (infrastructure !== undefined && infrastructure.hosts.length > 0) return infrastructure;
  reporter.tell({ event: 'cluster.absent' }, `there is no cluster ${configuration.settings.name}`);
  throw new OperationError('INSTALLER_UNHEALTHY', 'nothing is there; "installer deploy" makes it');
}
