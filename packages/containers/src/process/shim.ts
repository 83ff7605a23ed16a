/**
 * The shell program that stands over every task of the `process` runtime. It leads a session of its own, so
 * it outlives the agent; it writes down who it is, starts the task, and records how the task ended.
 *
 * What it leaves in the state directory (`$1`):
 * - `shim`: its pid, the boot id, and the line that tells it from a later process with the same pid;
 * - `pid`: the task's pid;
 * - `status`: `<status>` or `<status> signal`, in one write over blanks, so that it is there whole or not at all.
 *
 * Details that matter:
 * - One fork and, on Linux, no program but the task's own: everything else is built into the shell.
 * - No task is started when the files cannot be written, be it that the disk is full or that the directory was
 *   taken away because the launch was given up. The place of the status is reserved before, so that a
 *   disk that fills up meanwhile cannot hide how the task ended.
 * - A caught signal is reset in children, an ignored one is not: `trap :` lets the shim survive a signal to
 *   the whole group while the task sees defaults.
 * - `$?` above 128 does not tell `exit 137` from a kill. Shells announce a killed child on their standard
 *   error, except for INT and PIPE; the shim's own goes to a file whose size answers the question.
 * - The last act kills what the task left behind in the group, the shim included; the status is safe by then.
 * - Descriptor 3 is a pipe to the agent, which may be dead: PIPE is ignored around the one write to it. The
 *   number of the launch (`$2`) says which one it is.
 * - The environment is the task's: a variable that is set here could be one of its own, hence their names.
 */

import type { ExitStatus } from '../runtime.ts';

/** Names that the shim uses in the state directory. */
export const SHIM_FILE = 'shim';
export const PID_FILE = 'pid';
export const STATUS_FILE = 'status';
/** Written by the runtime before SIGKILL, which the shim does not survive. */
export const KILLED_FILE = 'killed';

/** Reserves the place of the longest status. */
const NO_STATUS = ' '.repeat(16);

/** Run as `/bin/sh -c SHIM_PROGRAM dcos-shim <state directory> <launch> <program> <arguments…>`. */
export const SHIM_PROGRAM = [
  '__dcos_state=$1',
  '__dcos_launch=$2',
  'shift 2',
  'trap : HUP INT QUIT TERM USR1 USR2',
  'exec 4>&2 2>"$__dcos_state/notices"',
  `echo "${NO_STATUS}" >"$__dcos_state/status" || exit 1`,
  '{',
  '  if [ -r /proc/self/stat ]; then',
  '    read -r __dcos_line </proc/sys/kernel/random/boot_id',
  '    read -r __dcos_rest </proc/$$/stat',
  '  else',
  '    __dcos_line=-; __dcos_rest=$(LC_ALL=C /bin/ps -o lstart= -p $$)',
  '  fi',
  '  echo "$$',
  '$__dcos_line',
  '$__dcos_rest"',
  '} >"$__dcos_state/shim" || exit 1',
  '(',
  // `$$` is the shim here as well.
  '  if [ -r /proc/self/stat ]; then',
  '    read -r __dcos_line __dcos_rest </proc/self/stat',
  '  else',
  "    __dcos_line=$(exec /bin/sh -c 'echo $PPID')",
  '  fi',
  '  echo "$__dcos_line" >"$__dcos_state/pid" || exit 1',
  '  trap "" PIPE',
  '  echo "$__dcos_launch $__dcos_line" >&3',
  '  trap - PIPE',
  '  exec 3>&- 2>&4 4>&-',
  '  exec "$@"',
  ')',
  '__dcos_line=$?',
  'exec 3>&- 4>&-',
  'if [ $__dcos_line -eq 130 ] || [ $__dcos_line -eq 141 ] || [ -s "$__dcos_state/notices" ]; then',
  '  __dcos_line="$__dcos_line signal"',
  'fi',
  'echo "$__dcos_line" 1<>"$__dcos_state/status"',
  'kill -KILL 0',
].join('\n');

/** The same at a terminal, through which no other descriptor comes: nobody listens on the third. */
export const SHIM_AT_TERMINAL = `exec 3>/dev/null\n${SHIM_PROGRAM}`;

/** Reads the `status` file; undefined when no status is in it yet. */
export function parseStatus(text: string): ExitStatus | undefined {
  const match = /^(\d{1,3})( signal)?\n/.exec(text);
  if (match === null) return undefined;
  const status = Number(match[1]);
  if (match[2] !== undefined && status > 128) return { kind: 'signaled', signal: status - 128 };
  return { kind: 'exited', code: status };
}

/** Who the shim says it is. */
export interface ShimIdentity {
  readonly pid: number;
  readonly bootId: string;
  /** Start time in ticks since boot (Linux) or as text (elsewhere). */
  readonly startedAt: string;
}

/** Reads the `shim` file; undefined when it is not (wholly) there. */
export function parseShimIdentity(text: string): ShimIdentity | undefined {
  const [pid, bootId, origin] = text.split('\n');
  if (pid === undefined || bootId === undefined || origin === undefined) return undefined;
  if (!/^\d+$/.test(pid) || !text.endsWith('\n')) return undefined;
  const startedAt = bootId === '-' ? origin.trim() : (parseStatLine(origin)?.startTicks ?? '');
  return startedAt === '' ? undefined : { pid: Number(pid), bootId, startedAt };
}

/** The fields of `/proc/<pid>/stat` that this package reads. */
export interface StatLine {
  readonly pid: number;
  readonly state: string;
  readonly parent: number;
  readonly processGroup: number;
  readonly session: number;
  /** Of the process itself and of those children of it that have ended. */
  readonly userTicks: number;
  readonly systemTicks: number;
  readonly startTicks: string;
  readonly residentPages: number;
}

/** Parses a line of `/proc/<pid>/stat`. The command name may hold spaces and parentheses. */
export function parseStatLine(line: string): StatLine | undefined {
  const open = line.indexOf('(');
  const close = line.lastIndexOf(')');
  if (open === -1 || close === -1) return undefined;
  const fields = line
    .slice(close + 2)
    .trim()
    .split(' ');
  // `fields[0]` is the third field of the manual's numbering.
  const field = (number: number): string => fields[number - 3] ?? '';
  if (field(24) === '') return undefined;
  return {
    pid: Number(line.slice(0, open)),
    state: field(3),
    parent: Number(field(4)),
    processGroup: Number(field(5)),
    session: Number(field(6)),
    userTicks: Number(field(14)) + Number(field(16)),
    systemTicks: Number(field(15)) + Number(field(17)),
    startTicks: field(22),
    residentPages: Number(field(24)),
  };
}
