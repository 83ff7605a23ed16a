/**
 * Between two rounds of a rolling change: the cluster has to be whole, and what was started again has to stay up for a
 * while, since a program that ends after some seconds serves, too, in the first of them.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { OperationError } from '@dcos/base';
import type { Readiness, WantedUnit } from '../core/wanted-host.ts';
import type { HostConnection } from './connection.ts';
import { READY_TIMEOUT_MS } from './perform-step.ts';
import { unitReport, waitUntilReady } from './readiness.ts';

export interface WatchedHost {
  readonly name: string;
  readonly connection: HostConnection;
  readonly units: readonly WantedUnit[];
}

export interface GateOptions {
  /** Of the cluster as a whole. */
  readonly readiness: Readiness;
  /** Where it is asked. */
  readonly asked: HostConnection;
  /** What was started again. */
  readonly watched: readonly WatchedHost[];
  /** How long it has to stay up. */
  readonly soakMs: number;
  /** Ends the wait at once; what follows does not begin then. */
  readonly signal: AbortSignal;
}

/** Throws an OperationError that says what to look at, or `INSTALLER_INTERRUPTED`. */
export async function passGate(options: GateOptions): Promise<void> {
  const { watched, soakMs, signal } = options;
  await isWhole(options);
  if (soakMs === 0) return;
  const before = await Promise.all(watched.map(restartsOf));
  await soak(soakMs, signal);
  const after = await Promise.all(watched.map(restartsOf));
  for (const [index, { name, connection, units }] of watched.entries()) {
    for (const [at, unit] of units.entries()) {
      if (before[index]?.[at] === after[index]?.[at]) continue;
      throw new OperationError(
        'UNIT_NOT_READY',
        `${name}: ${unit.name}.service served, and ended again within ${soakMs / 1000} s\n${await unitReport(connection, unit.name)}`,
      );
    }
  }
  await isWhole(options);
}

async function soak(durationMs: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(durationMs, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new OperationError('INSTALLER_INTERRUPTED', 'interrupted before it was seen to stay up');
  }
}

async function isWhole({ readiness, asked }: GateOptions): Promise<void> {
  const problem = await waitUntilReady(asked, { readiness, timeoutMs: READY_TIMEOUT_MS });
  if (problem !== undefined)
    throw new OperationError('CLUSTER_NOT_WHOLE', `the cluster is not whole: ${problem}`);
}

/** How often systemd started each unit again, with its state. */
async function restartsOf({ connection, units }: WatchedHost): Promise<readonly string[]> {
  return await Promise.all(
    units.map(async ({ name }) => {
      const shown = ['systemctl', 'show', `${name}.service`, '-p', 'NRestarts,MainPID'];
      return (await connection.run(shown)).stdout;
    }),
  );
}
