/**
 * What a group read and wrote on each block device, from the files of either version. Pure.
 * Source: mesos-kernel §6.6 (cgroups/blkio); the kernel's blkio-controller and cgroup-v2 documents.
 */

import type { BlockIo, BlockIoCounts } from '../runtime.ts';

/** `8:0 Read 4096`, or `Total 4096` for all devices. */
const V1_LINE = /^(?:(\d+):(\d+) )?([A-Z][a-z]+) (\d+)$/;
/** `8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0`. */
const V2_LINE = /^(\d+):(\d+) (.*)$/;

/** The devices in order of their first mention; all of them together are the one without numbers. */
class Table {
  readonly #rows = new Map<string, BlockIo>();

  add(
    [major, minor]: readonly [string | undefined, string | undefined],
    kind: 'bytes' | 'requests',
    counts: BlockIoCounts,
  ): void {
    const key = `${major}:${minor}`;
    const isOfDevice = major !== undefined && minor !== undefined;
    const row: BlockIo = this.#rows.get(key) ?? {
      ...(isOfDevice && { device: { major: Number(major), minor: Number(minor) } }),
      bytes: {},
      requests: {},
    };
    this.#rows.set(key, { ...row, [kind]: { ...row[kind], ...counts } });
  }

  all(): readonly BlockIo[] {
    return [...this.#rows.values()];
  }
}

/** Of `blkio.throttle.io_service_bytes` and `blkio.throttle.io_serviced`. */
export function blockIoOfV1(bytes: string, requests: string): readonly BlockIo[] {
  const table = new Table();
  for (const [kind, text] of [
    ['bytes', bytes],
    ['requests', requests],
  ] as const) {
    for (const line of text.split('\n')) {
      const [match, major, minor, operation = '', value] = V1_LINE.exec(line) ?? [];
      if (match === undefined) continue;
      table.add([major, minor], kind, { [operation.toLowerCase()]: Number(value) });
    }
  }
  return table.all();
}

/** Of `io.stat`. Version 2 does not tell waiting from other requests, and has no sums: they are made here. */
export function blockIoOfV2(text: string): readonly BlockIo[] {
  const table = new Table();
  const sums = { bytes: 0, requests: 0 };
  for (const line of text.split('\n')) {
    const [match, major, minor, rest = ''] = V2_LINE.exec(line) ?? [];
    if (match === undefined) continue;
    const values = new Map(rest.split(' ').map((word) => word.split('=') as [string, string]));
    const value = (key: string): number => Number(values.get(key) ?? 0);
    for (const [kind, unit] of [
      ['bytes', 'bytes'],
      ['requests', 'ios'],
    ] as const) {
      const [read, write, discard] = [value(`r${unit}`), value(`w${unit}`), value(`d${unit}`)];
      const total = read + write + discard;
      sums[kind] += total;
      table.add([major, minor], kind, { read, write, discard, total });
    }
  }
  table.add([undefined, undefined], 'bytes', { total: sums.bytes });
  table.add([undefined, undefined], 'requests', { total: sums.requests });
  return table.all();
}
