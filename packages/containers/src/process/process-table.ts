/**
 * What the host says about processes: is this pid still the process we knew, and what do the processes of
 * a session use. `/proc` on Linux, `ps` elsewhere.
 */

import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { platform } from 'node:process';
import { promisify } from 'node:util';
import type { ContainerStats } from '../runtime.ts';
import { parseStatLine, type ShimIdentity, type StatLine } from './shim.ts';

const run = promisify(execFile);

/** Ticks per second of `/proc/<pid>/stat`; fixed by the kernel's interface to user space. */
const TICKS_PER_SECOND = 100;
/** Page size behind the resident pages; the kernels that we run on use 4 KiB or report in it. */
const PAGE_BYTES = 4096;
/** How long `ps` may take. */
const PS_TIMEOUT_MS = 5_000;
const PS_OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

/** Processes that are looked at together. */
const READS_AT_ONCE = 16;

const isLinux = platform === 'linux';

let bootIdOfHost: Promise<string> | undefined;

async function hostBootId(): Promise<string> {
  bootIdOfHost ??= readFile('/proc/sys/kernel/random/boot_id', 'utf8').then((text) => text.trim());
  return await bootIdOfHost;
}

/** What became of a process: `reused` means that its pid names another one now. */
export type Fate = 'running' | 'gone' | 'reused';

/** True when there is a process of that number, be it a zombie or another one by now: one system call. */
export function hasProcess(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // One of another account is there as well.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** True when that very process still runs; a zombie does not. */
export async function isRunning(identity: ShimIdentity): Promise<boolean> {
  return (await fateOf(identity)) === 'running';
}

/** True when the process of that id has ended, whoever has still to take notice of it. */
export async function hasEnded(pid: number): Promise<boolean> {
  if (pid <= 0) return false;
  if (isLinux) {
    const stat = await readStat(pid);
    return stat === undefined || stat.state === 'Z';
  }
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}

/** Looks a process up. After a reboot every earlier pid counts as reused. */
export async function fateOf(identity: ShimIdentity): Promise<Fate> {
  if (isLinux) {
    if (identity.bootId !== (await hostBootId())) return 'reused';
    const stat = await readStat(identity.pid);
    if (stat === undefined) return 'gone';
    if (stat.startTicks !== identity.startedAt) return 'reused';
    return stat.state === 'Z' ? 'gone' : 'running';
  }
  try {
    const { stdout } = await run('/bin/ps', ['-o', 'state=,lstart=', '-p', String(identity.pid)], {
      timeout: PS_TIMEOUT_MS,
      env: { LC_ALL: 'C' },
    });
    const [, state, startedAt] = /^\s*(\S+)\s+(.*)$/.exec(stdout.trim()) ?? [];
    if (startedAt?.trim() !== identity.startedAt) return 'reused';
    return state?.startsWith('Z') === true ? 'gone' : 'running';
  } catch {
    // `ps` ends with status 1 when there is no such process.
    return 'gone';
  }
}

/** Who a process is, as the `shim` file says it; empty when it is gone already. */
export async function identityTextOf(pid: number): Promise<string> {
  if (isLinux) {
    try {
      return `${pid}\n${await hostBootId()}\n${await readFile(`/proc/${pid}/stat`, 'utf8')}`;
    } catch {
      // The process is gone; that is an answer.
      return '';
    }
  }
  try {
    const { stdout } = await run('/bin/ps', ['-o', 'lstart=', '-p', String(pid)], {
      timeout: PS_TIMEOUT_MS,
      env: { LC_ALL: 'C' },
    });
    return `${pid}\n-\n${stdout.trim()}\n`;
  } catch {
    return '';
  }
}

async function readStat(pid: number): Promise<StatLine | undefined> {
  try {
    return parseStatLine(await readFile(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    // The process is gone; that is an answer.
    return undefined;
  }
}

export interface SessionMembers {
  readonly groups: Set<number>;
  leaderLives: boolean;
}

/** The living groups of these sessions; empty where there is no `/proc`, which alone tells of sessions. */
export async function groupsOfSessions(
  sessions: ReadonlySet<number>,
): Promise<ReadonlyMap<number, SessionMembers>> {
  const found = new Map<number, SessionMembers>();
  if (!isLinux) return found;
  for (const stat of await allStats()) {
    if (stat.state === 'Z' || !sessions.has(stat.session)) continue;
    let members = found.get(stat.session);
    if (members === undefined) {
      members = { groups: new Set(), leaderLives: false };
      found.set(stat.session, members);
    }
    members.groups.add(stat.processGroup);
    if (stat.pid === stat.session) members.leaderLives = true;
  }
  return found;
}

async function allStats(): Promise<readonly StatLine[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found: StatLine[] = [];
  // A few at a time: a big host would keep the whole thread pool from everything else.
  for (let first = 0; first < names.length; first += READS_AT_ONCE) {
    const some = names.slice(first, first + READS_AT_ONCE);
    const stats = await Promise.all(some.map(async (name) => await readStat(Number(name))));
    for (const stat of stats) if (stat !== undefined) found.push(stat);
  }
  return found;
}

/** Usage by session leader, of every session of the host, from one look at the process table. */
export async function usageBySession(at: number): Promise<ReadonlyMap<number, ContainerStats>> {
  const sessions = new Map<number, ContainerStats>();
  const add = (session: number, user: number, system: number, resident: number): void => {
    const sum = sessions.get(session);
    sessions.set(session, {
      at,
      cpuUserSeconds: (sum?.cpuUserSeconds ?? 0) + user,
      cpuSystemSeconds: (sum?.cpuSystemSeconds ?? 0) + system,
      memoryResidentBytes: (sum?.memoryResidentBytes ?? 0) + resident,
      processes: (sum?.processes ?? 0) + 1,
    });
  };
  if (isLinux) {
    for (const stat of await allStats()) {
      const user = stat.userTicks / TICKS_PER_SECOND;
      const system = stat.systemTicks / TICKS_PER_SECOND;
      add(stat.session, user, system, stat.residentPages * PAGE_BYTES);
    }
    return sessions;
  }
  const { stdout } = await run('/bin/ps', ['-A', '-o', 'pgid=,rss=,utime=,time='], {
    timeout: PS_TIMEOUT_MS,
    maxBuffer: PS_OUTPUT_BYTES_MAX,
    env: { LC_ALL: 'C' },
  });
  for (const line of stdout.split('\n')) {
    const [group, kilobytes, user, total] = line.trim().split(/\s+/);
    if (group === undefined || kilobytes === undefined || user === undefined) continue;
    const userSeconds = clockSeconds(user);
    const systemSeconds = Math.max(0, clockSeconds(total ?? user) - userSeconds);
    add(Number(group), userSeconds, systemSeconds, Number(kilobytes) * 1024);
  }
  return sessions;
}

/** Seconds of `[[hours:]minutes:]seconds.hundredths`. */
function clockSeconds(text: string): number {
  return text.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
}
