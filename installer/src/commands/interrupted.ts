/** Ctrl-C: what runs comes to its end, nothing new begins. */

import { OperationError } from '@dcos/base';
import type { Surroundings } from './session.ts';

/** @throws OperationError `INSTALLER_INTERRUPTED` */
export function throwIfInterrupted({ signal }: Pick<Surroundings, 'signal'>): void {
  if (!signal.aborted) return;
  throw new OperationError(
    'INSTALLER_INTERRUPTED',
    'interrupted; what is done stays, run it again to go on',
  );
}
