/** Numbers, amounts and times as the console writes them. Pure; times take `nowMs`. */

/** `0.5`, `12`, `1.25`: at most two decimals, no trailing zeros. */
export function formatNumber(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** Mebibytes with a unit that keeps the figure short: `512 MiB`, `1.5 GiB`, `2 TiB`. */
export function formatMebibytes(mebibytes: number): string {
  if (mebibytes >= 1024 * 1024) return `${short(mebibytes / 1024 / 1024)} TiB`;
  if (mebibytes >= 1024) return `${short(mebibytes / 1024)} GiB`;
  return `${short(mebibytes)} MiB`;
}

/** Bytes: `512 B`, `1.5 KiB`, `2 MiB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${short(bytes / 1024)} KiB`;
  return formatMebibytes(bytes / 1024 / 1024);
}

function short(value: number): string {
  return value >= 100 ? String(Math.round(value)) : String(Math.round(value * 10) / 10);
}

/** Part of a whole in percent, 0 for an empty whole. */
export function percentOf(used: number, total: number): number {
  return total > 0 ? Math.min(100, Math.max(0, (used / total) * 100)) : 0;
}

/** `now`, `42 s ago`, `3 min ago`, `5 h ago`, `2 d ago`. */
export function formatAge(timeMs: number, nowMs: number): string {
  if (!Number.isFinite(timeMs)) return '';
  const seconds = Math.round((nowMs - timeMs) / 1000);
  return seconds < 2 ? 'now' : `${formatDuration(seconds)} ago`;
}

/** Seconds as one unit: `42 s`, `3 min`, `5 h`, `2 d`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h`;
  return `${Math.floor(whole / 86_400)} d`;
}

/** A point in time in the reader's own zone: `2026-11-20 14:03:07`. */
export function formatTimestamp(timeMs: number): string {
  if (!Number.isFinite(timeMs)) return '';
  const date = new Date(timeMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** `1 instance`, `2 instances`. */
export function countOf(count: number, word: string): string {
  return `${count} ${count === 1 ? word : `${word}s`}`;
}

/** The last segment of a path id. */
export function shortName(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1);
}

/** The telling end of a task id, `…3f2a` for a UUID tail; short ids stay whole. */
export function shortTaskId(id: string): string {
  const match = /(?:instance-|\.)([0-9a-f]{8})-[0-9a-f-]{27}(.*)$/.exec(id);
  if (match === null) return id;
  const [, head = '', tail = ''] = match;
  return `${head}${tail.replace('._app', '')}`;
}
