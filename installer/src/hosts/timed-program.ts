/** Programs that the host itself ends after their time: who only turns away leaves them running there. */

import type { RunResult } from './connection.ts';

/** A program that does not end when asked to is killed after this long. */
export const KILL_AFTER_SECONDS = 5;
/** What timeout(1) ends with when it had to end the program, and when it had to kill it. */
const TIMED_OUT = [124, 137];

/** The vector of a program that has this many seconds. */
export function timedArgv(argv: readonly string[], seconds: number): readonly string[] {
  return ['timeout', `--kill-after=${KILL_AFTER_SECONDS}`, String(seconds), ...argv];
}

export function wasTimedOut({ code }: RunResult): boolean {
  return TIMED_OUT.includes(code);
}
