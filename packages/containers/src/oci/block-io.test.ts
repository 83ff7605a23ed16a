import { expect, test } from 'vitest';
import { blockIoOfV1, blockIoOfV2 } from './block-io.ts';

test('version 1 has a line for each kind of operation, and one for all devices', () => {
  const lines = (factor: number): string =>
    ['8:0 Read 1', '8:0 Write 2', '8:0 Sync 3', '8:0 Async 0', '8:0 Discard 0', '8:0 Total 3']
      .concat(['254:16 Read 4', '254:16 Total 4', 'Total 7'])
      .map((line) => line.replace(/\d+$/, (value) => String(Number(value) * factor)))
      .join('\n');
  expect(blockIoOfV1(`${lines(4096)}\n`, `${lines(1)}\n`)).toEqual([
    {
      device: { major: 8, minor: 0 },
      bytes: { read: 4096, write: 8192, sync: 12_288, async: 0, discard: 0, total: 12_288 },
      requests: { read: 1, write: 2, sync: 3, async: 0, discard: 0, total: 3 },
    },
    {
      device: { major: 254, minor: 16 },
      bytes: { read: 16_384, total: 16_384 },
      requests: { read: 4, total: 4 },
    },
    { bytes: { total: 28_672 }, requests: { total: 7 } },
  ]);
});

test('version 2 has a line for each device; sums are made', () => {
  const text =
    '8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n7:1 rbytes=512 rios=1 cost.usage=3\n';
  expect(blockIoOfV2(text)).toEqual([
    {
      device: { major: 8, minor: 0 },
      bytes: { read: 4096, write: 8192, discard: 0, total: 12_288 },
      requests: { read: 1, write: 2, discard: 0, total: 3 },
    },
    {
      device: { major: 7, minor: 1 },
      bytes: { read: 512, write: 0, discard: 0, total: 512 },
      requests: { read: 1, write: 0, discard: 0, total: 1 },
    },
    { bytes: { total: 12_800 }, requests: { total: 4 } },
  ]);
});

test.each([
  ['nothing', '', [{ bytes: { total: 0 }, requests: { total: 0 } }]],
  ['a device without counts', '8:0 \n', 2],
  ['other words', 'nonsense\n', 1],
])('of %s version 2 tells what there is', (_what, text, expected) => {
  const found = blockIoOfV2(text);
  if (typeof expected === 'number') expect(found).toHaveLength(expected);
  else expect(found).toEqual(expected);
});

test('what cannot be read is left out', () => {
  expect(blockIoOfV1('nonsense\n8:0 Read x\n', '')).toEqual([]);
});
