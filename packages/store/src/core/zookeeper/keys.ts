/**
 * Keys of the store as names of nodes and back. All keys are children of one node: a key may be the
 * beginning of another, which nodes with values of their own could not express.
 *
 * Invariant: different keys have different names, and every name is one that ZooKeeper takes.
 */

import { fromUtf8, toUtf8 } from '@dcos/base';

const PLAIN = /[A-Za-z0-9_~-]/;
const HEX = '0123456789ABCDEF';

/** Percent-encodes whatever is not plain; a dot only at the beginning, where it could make `.` or `..`. */
export function nodeNameOf(key: string): string {
  let name = '';
  for (const byte of toUtf8(key)) {
    const character = String.fromCharCode(byte);
    name +=
      PLAIN.test(character) || (character === '.' && name !== '')
        ? character
        : `%${HEX.charAt(byte >> 4)}${HEX.charAt(byte & 15)}`;
  }
  return name;
}

/** The key of a name; undefined for a node that no key has. */
export function keyOf(name: string): string | undefined {
  const bytes: number[] = [];
  for (let index = 0; index < name.length; index++) {
    const character = name.charAt(index);
    if (character !== '%') {
      bytes.push(character.charCodeAt(0));
      continue;
    }
    const code = Number.parseInt(name.slice(index + 1, index + 3), 16);
    if (Number.isNaN(code)) return undefined;
    bytes.push(code);
    index += 2;
  }
  const key = fromUtf8(Uint8Array.from(bytes));
  return key !== undefined && nodeNameOf(key) === name ? key : undefined;
}
