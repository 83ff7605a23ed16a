/**
 * What conmon's exit file and the memory group say about the end of a container. conmon writes a number as shells
 * do: above 128 it tells of a signal, and nothing distinguishes a program that ended with such a number itself.
 */

import { constants } from 'node:os';
import type { ExitStatus } from '../runtime.ts';
import type { MemoryFate } from './cgroup-usage.ts';

/** Codes above this tell of a signal. */
const SIGNAL_BASE = 128;
const SIGNAL_MAX = 64;

/** The status for the text of an exit file, which is empty when conmon was killed. */
export function exitStatusOf(text: string, memory: MemoryFate): ExitStatus {
  const { kills, limitBytes, peakBytes } = memory;
  const isOutOfMemory = kills > 0;
  const how = isOutOfMemory && {
    outOfMemory: true,
    memory: {
      ...(limitBytes !== undefined && { limitBytes }),
      ...(peakBytes !== undefined && { peakBytes }),
    },
  };
  if (!/^\d{1,3}\s*$/.test(text)) {
    if (isOutOfMemory) return { kind: 'signaled', signal: constants.signals.SIGKILL, ...how };
    return { kind: 'unknown', message: 'the process that watched over the container died' };
  }
  return { ...statusOfCode(Number(text)), ...how };
}

/** An exit code as shells give it. */
export function statusOfCode(
  code: number,
): Extract<ExitStatus, { readonly kind: 'exited' | 'signaled' }> {
  return code > SIGNAL_BASE && code <= SIGNAL_BASE + SIGNAL_MAX
    ? { kind: 'signaled', signal: code - SIGNAL_BASE }
    : { kind: 'exited', code };
}
