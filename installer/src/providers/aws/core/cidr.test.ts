import { expect, test } from 'vitest';
import { cidrText, freeBlocks, overlaps, parseCidr, type Cidr } from './cidr.ts';

const range = (text: string): Cidr => parseCidr(text) as Cidr;

test.for(['10.0.0.0/16', '0.0.0.0/0', '203.0.113.7/32', '255.255.255.255/32', '10.0.240.0/20'])(
  '%s is a range and comes back as it was',
  (text) => expect(cidrText(range(text))).toBe(text),
);

test.for([
  '',
  '10.0.0.0',
  '10.0.0.1/16',
  '10.0.0.256/32',
  '10.0.0.0/33',
  '10.0.0.0/-1',
  'x/8',
  '::/0',
])('%s is none', (text) => expect(parseCidr(text)).toBe(undefined));

test('overlaps', () => {
  expect(overlaps(range('10.0.0.0/16'), range('10.0.255.0/24'))).toBe(true);
  expect(overlaps(range('10.0.0.0/24'), range('10.0.1.0/24'))).toBe(false);
});

test('blocks that are free, in ascending order, as many as there are', () => {
  const network = range('10.0.0.0/24');
  const taken = [range('10.0.0.16/28'), range('10.0.0.64/26')];
  const blocks = freeBlocks(network, taken, { prefixBits: 26, count: 9 });
  expect(blocks.map(cidrText)).toEqual(['10.0.0.128/26', '10.0.0.192/26']);
  expect(freeBlocks(network, [], { prefixBits: 28, count: 2 }).map(cidrText)).toEqual([
    '10.0.0.0/28',
    '10.0.0.16/28',
  ]);
});
