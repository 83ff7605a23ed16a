/**
 * What a container read and wrote on block devices, in the original's words. The counts are those of the kernel's
 * throttling layer; those of the scheduler `CFQ`, which kernels no longer have, stay absent.
 */

import type { BlockIo, BlockIoCounts } from '@dcos/containers';
import type {
  CgroupInfo_Blkio_Operation,
  CgroupInfo_Blkio_Statistics,
  CgroupInfo_Blkio_Value,
} from '@dcos/wire';

const OPERATIONS: readonly (readonly [keyof BlockIoCounts, CgroupInfo_Blkio_Operation])[] = [
  ['read', 'READ'],
  ['write', 'WRITE'],
  ['sync', 'SYNC'],
  ['async', 'ASYNC'],
  ['discard', 'DISCARD'],
  ['total', 'TOTAL'],
];

export function blockStatistics(devices: readonly BlockIo[]): CgroupInfo_Blkio_Statistics {
  return {
    throttling: devices.map(({ device, bytes, requests }) => ({
      ...(device !== undefined && {
        device: { major_number: device.major, minor_number: device.minor },
      }),
      io_serviced: valuesOf(requests),
      io_service_bytes: valuesOf(bytes),
    })),
  };
}

/** Without what the kernel does not tell. */
function valuesOf(counts: BlockIoCounts): readonly CgroupInfo_Blkio_Value[] {
  return OPERATIONS.flatMap(([name, op]) => {
    const value = counts[name];
    return value === undefined ? [] : [{ op, value }];
  });
}
