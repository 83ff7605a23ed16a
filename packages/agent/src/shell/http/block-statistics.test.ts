import { expect, test } from 'vitest';
import { ResourceStatisticsType, toJson } from '@dcos/wire';
import { blockStatistics } from './block-statistics.ts';

test('counts are shown by device and operation, those of all devices without one', () => {
  const blkio_statistics = blockStatistics([
    {
      device: { major: 8, minor: 16 },
      bytes: { read: 4096, write: 0, sync: 4096, async: 0, discard: 0, total: 4096 },
      requests: { read: 1, total: 1 },
    },
    { bytes: { total: 4096 }, requests: { total: 1 } },
  ]);
  expect(toJson(ResourceStatisticsType, { timestamp: 1, blkio_statistics })).toEqual({
    timestamp: 1,
    blkio_statistics: {
      throttling: [
        {
          device: { major_number: 8, minor_number: 16 },
          io_serviced: [
            { op: 'READ', value: 1 },
            { op: 'TOTAL', value: 1 },
          ],
          io_service_bytes: [
            { op: 'READ', value: 4096 },
            { op: 'WRITE', value: 0 },
            { op: 'SYNC', value: 4096 },
            { op: 'ASYNC', value: 0 },
            { op: 'DISCARD', value: 0 },
            { op: 'TOTAL', value: 4096 },
          ],
        },
        {
          io_serviced: [{ op: 'TOTAL', value: 1 }],
          io_service_bytes: [{ op: 'TOTAL', value: 4096 }],
        },
      ],
    },
  });
});
