/**
 * Names of instances and tasks: `<safe path>.instance-<uuid>` and `<instance id>._app.<attempt>`.
 * The safe path is the app id with `_` between segments; segments never contain `_`, so it can be read back.
 */

import { randomBytes, uuidText, type Instant, type Random } from '@dcos/base';
import { fromSafePath, safePath } from '../model/index.ts';

/** Milliseconds between the start of the Gregorian calendar, where time-based UUIDs count from, and 1970. */
const GREGORIAN_OFFSET_MS = 12_219_292_800_000;

const INSTANCE_ID = /^(.+)\.(instance-|marathon-)([^.]+)$/;
const TASK_ID = /^(.+\.(?:instance-|marathon-)[^.]+)\.([^.]+)\.(\d+)$/;
/** Forms of before instances existed: `<safe path>.<uuid>` and `<safe path>_<uuid>`, with an attempt or not. */
const LEGACY_TASK_ID =
  /^(.+)[._]([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?:\.(\d+))?$/;

/**
 * A new instance id. Its UUID is time-based (version 1), as clients that sort instances expect; the node
 * is random with the multicast bit set, so it can never equal a network card.
 */
export function newInstanceId(appId: string, now: Instant, random: Random): string {
  return `${safePath(appId)}.instance-${timeUuid(now, random)}`;
}

function timeUuid(now: Instant, random: Random): string {
  const ticks =
    BigInt(Math.floor(now) + GREGORIAN_OFFSET_MS) * 10_000n + BigInt(random.nextU32() % 10_000);
  const bytes = randomBytes(random, 16);
  const low = Number(ticks & 0xffffffffn);
  const mid = Number((ticks >> 32n) & 0xffffn);
  const high = Number((ticks >> 48n) & 0x0fffn) | 0x1000;
  for (let index = 0; index < 4; index++) bytes[index] = (low >>> (24 - 8 * index)) & 0xff;
  bytes[4] = mid >> 8;
  bytes[5] = mid & 0xff;
  bytes[6] = high >> 8;
  bytes[7] = high & 0xff;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  bytes[10] = (bytes[10] ?? 0) | 0x01;
  return uuidText(bytes);
}

/** The id of an instance's task at an attempt, which counts from 1. */
export function taskIdOf(instanceId: string, attempt: number): string {
  return `${instanceId}._app.${attempt}`;
}

export interface ParsedTaskId {
  readonly appId: string;
  readonly instanceId: string;
  /** 0 for a legacy id without attempt. */
  readonly attempt: number;
}

/** Takes a task id apart; undefined when it is not one of Marathon's. */
export function parseTaskId(taskId: string): ParsedTaskId | undefined {
  const match = TASK_ID.exec(taskId);
  if (match !== null) {
    const instanceId = match[1] ?? '';
    const instance = INSTANCE_ID.exec(instanceId);
    return { appId: fromSafePath(instance?.[1] ?? ''), instanceId, attempt: Number(match[3]) };
  }
  const legacy = LEGACY_TASK_ID.exec(taskId);
  if (legacy === null) return undefined;
  const safe = legacy[1] ?? '';
  return {
    appId: fromSafePath(safe),
    instanceId: `${safe}.marathon-${legacy[2] ?? ''}`,
    attempt: Number(legacy[3] ?? 0),
  };
}

/** True for the text form of an instance id. */
export function isInstanceId(text: string): boolean {
  return INSTANCE_ID.test(text);
}
