/** Words for how a container ended, as the original's executors put them. */

import type { ExitStatus, RuntimeName } from './model.ts';

/** Descriptions of signals, as `strsignal` of common systems gives them. */
const SIGNALS: { readonly [signal: number]: string } = {
  1: 'Hangup',
  2: 'Interrupt',
  3: 'Quit',
  4: 'Illegal instruction',
  5: 'Trace/breakpoint trap',
  6: 'Aborted',
  7: 'Bus error',
  8: 'Floating point exception',
  9: 'Killed',
  10: 'User defined signal 1',
  11: 'Segmentation fault',
  12: 'User defined signal 2',
  13: 'Broken pipe',
  14: 'Alarm clock',
  15: 'Terminated',
};

/** `Command exited with status 1`, `Command terminated with signal Killed`. */
export function exitMessage(runtime: RuntimeName, status: ExitStatus): string {
  const subject = runtime === 'docker' ? 'Container' : 'Command';
  switch (status.kind) {
    case 'exited':
      return `${subject} exited with status ${status.code}`;
    case 'signaled':
      return `${subject} terminated with signal ${SIGNALS[status.signal] ?? `Unknown signal ${status.signal}`}`;
    case 'unknown':
      return `The end of the task was not observed: ${status.message}`;
    default:
      return status satisfies never;
  }
}
