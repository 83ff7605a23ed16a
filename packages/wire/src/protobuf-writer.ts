/**
 * Writes protobuf from the end to the beginning: the length of a nested message is known when its turn comes,
 * so nothing is written twice or kept in pieces. One buffer serves many messages; `finish` copies out of it.
 */

import { toUtf8 } from '@dcos/base';

const BYTES_AT_FIRST = 64 * 1024;
/** A buffer that one huge message has made bigger than this is not kept. */
const BYTES_KEPT_MAX = 4 * 1024 * 1024;

export class ReverseWriter {
  #bytes = new Uint8Array(BYTES_AT_FIRST);
  #view = new DataView(this.#bytes.buffer);
  /** Everything from here on is written. */
  #start = BYTES_AT_FIRST;

  /** Bytes that are written. */
  get length(): number {
    return this.#bytes.length - this.#start;
  }

  /** Forgets what is written. */
  reset(): void {
    if (this.#bytes.length > BYTES_KEPT_MAX) {
      this.#bytes = new Uint8Array(BYTES_AT_FIRST);
      this.#view = new DataView(this.#bytes.buffer);
    }
    this.#start = this.#bytes.length;
  }

  /** A copy of what is written. */
  finish(): Uint8Array {
    return this.#bytes.slice(this.#start);
  }

  #reserve(count: number): void {
    if (count <= this.#start) return;
    const { length } = this;
    const bytes = new Uint8Array(Math.max(this.#bytes.length * 2, length + count));
    const start = bytes.length - length;
    bytes.set(this.#bytes.subarray(this.#start), start);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
    this.#start = start;
  }

  /** An integer from 0 to 2^53. */
  varint(value: number): void {
    let size = 1;
    for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size += 1;
    this.#reserve(size);
    this.#start -= size;
    let at = this.#start;
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#bytes[at++] = (rest % 0x80) | 0x80;
    this.#bytes[at] = rest;
  }

  /** A whole number beyond what {@link varint} takes, or a negative one: 64 bits, two's complement. */
  varint64(value: bigint): void {
    const digits: number[] = [];
    let rest = BigInt.asUintN(64, value);
    for (; rest >= 0x80n; rest >>= 7n) digits.push(Number(rest & 0x7fn) | 0x80);
    digits.push(Number(rest));
    this.#reserve(digits.length);
    this.#start -= digits.length;
    this.#bytes.set(digits, this.#start);
  }

  tag(number: number, wireType: number): void {
    this.varint(number * 8 + wireType);
  }

  double(value: number): void {
    this.#reserve(8);
    this.#start -= 8;
    this.#view.setFloat64(this.#start, value, true);
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#start -= value.length;
    this.#bytes.set(value, this.#start);
    this.varint(value.length);
  }

  /** UTF-8 with its length. */
  string(value: string): void {
    const { length } = value;
    this.#reserve(length);
    // Nearly all texts are ASCII, and short: they need no encoder.
    const start = this.#start - length;
    for (let at = 0; at < length; at++) {
      const code = value.charCodeAt(at);
      if (code > 0x7f) {
        this.bytes(toUtf8(value));
        return;
      }
      this.#bytes[start + at] = code;
    }
    this.#start = start;
    this.varint(length);
  }
}
