/** IPv4 ranges such as `10.0.0.0/16`: reading them, and cutting subnets out of a network. */

import { assert } from '@dcos/base';

export interface Cidr {
  /** The first address as an unsigned integer of 32 bits. */
  readonly first: number;
  readonly prefixBits: number;
}

const ADDRESS_BITS = 32;

/** Reads a range; undefined when it is none, or when bits behind the prefix are set. */
export function parseCidr(text: string): Cidr | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text);
  if (match === null) return undefined;
  const numbers = match.slice(1).map(Number);
  const prefixBits = numbers[4] ?? 0;
  const octets = numbers.slice(0, 4);
  if (prefixBits > ADDRESS_BITS || octets.some((octet) => octet > 255)) return undefined;
  const first = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  return first % sizeOf(prefixBits) === 0 ? { first, prefixBits } : undefined;
}

/** The usual text. */
export function cidrText({ first, prefixBits }: Cidr): string {
  const octets = [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256);
  return `${octets.join('.')}/${prefixBits}`;
}

/** Whether two ranges have an address in common. */
export function overlaps(one: Cidr, other: Cidr): boolean {
  return (
    one.first < other.first + sizeOf(other.prefixBits) &&
    other.first < one.first + sizeOf(one.prefixBits)
  );
}

/**
 * Cuts ranges of a network that are not taken, in ascending order.
 * @param options.count at most this many; fewer are returned when the network has no more room.
 */
export function freeBlocks(
  network: Cidr,
  taken: readonly Cidr[],
  { prefixBits, count }: { readonly prefixBits: number; readonly count: number },
): readonly Cidr[] {
  assert(prefixBits >= network.prefixBits, 'a subnet is not larger than its network');
  const blocks: Cidr[] = [];
  const end = network.first + sizeOf(network.prefixBits);
  for (let first = network.first; first < end && blocks.length < count;) {
    const block = { first, prefixBits };
    if (!taken.some((range) => overlaps(range, block))) blocks.push(block);
    first += sizeOf(prefixBits);
  }
  return blocks;
}

function sizeOf(prefixBits: number): number {
  return 2 ** (ADDRESS_BITS - prefixBits);
}
