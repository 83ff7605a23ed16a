/**
 * Jute, the encoding of ZooKeeper's protocol: big-endian integers, byte strings and lists with a 32-bit
 * length in front (-1 for none). No schema; the order of the fields is the format.
 *
 * Invariant: reading trusts no length: what lies outside of the packet is a {@link JuteError}, never an
 * allocation.
 *
 * @see ZooKeeper's `zookeeper.jute` and its `BinaryOutputArchive`, of which only the formats are used
 */

import { fromUtf8, toUtf8 } from '@dcos/base';

/** A packet that is not what the protocol says; the connection it came from is of no use any more. */
export class JuteError extends Error {
  override readonly name = 'JuteError';
}

const FIRST_CAPACITY_BYTES = 128;

/** Builds one packet. */
export class JuteWriter {
  #bytes = new Uint8Array(FIRST_CAPACITY_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  int(value: number): this {
    const at = this.#grow(4);
    this.#view.setInt32(at, value);
    return this;
  }

  long(value: bigint): this {
    const at = this.#grow(8);
    this.#view.setBigInt64(at, value);
    return this;
  }

  bool(value: boolean): this {
    const at = this.#grow(1);
    this.#view.setUint8(at, value ? 1 : 0);
    return this;
  }

  buffer(value: Uint8Array): this {
    this.int(value.length);
    const at = this.#grow(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  text(value: string): this {
    return this.buffer(toUtf8(value));
  }

  list<T>(items: readonly T[], write: (item: T) => void): this {
    this.int(items.length);
    for (const item of items) write(item);
    return this;
  }

  /** The packet so far, without its length. */
  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /** The packet with its length in front, as it goes over the wire. */
  frame(): Uint8Array {
    const framed = new Uint8Array(4 + this.#length);
    new DataView(framed.buffer).setInt32(0, this.#length);
    framed.set(this.#bytes.subarray(0, this.#length), 4);
    return framed;
  }

  /** Makes room and returns where it begins. Comes first: it may replace what is written to. */
  #grow(bytes: number): number {
    const start = this.#length;
    this.#length += bytes;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, start));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return start;
  }
}

/** Reads one packet. */
export class JuteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  int(): number {
    return this.#view.getInt32(this.#take(4));
  }

  long(): bigint {
    return this.#view.getBigInt64(this.#take(8));
  }

  bool(): boolean {
    return this.#view.getUint8(this.#take(1)) !== 0;
  }

  /** A copy; a buffer that is absent reads as an empty one. */
  buffer(): Uint8Array {
    const length = this.int();
    if (length === -1) return new Uint8Array();
    if (length < 0) throw new JuteError(`a length of ${length}`);
    const start = this.#take(length);
    return this.#bytes.slice(start, start + length);
  }

  text(): string {
    const text = fromUtf8(this.buffer());
    if (text === undefined) throw new JuteError('a text is not UTF-8');
    return text;
  }

  list<T>(read: () => T): T[] {
    const length = this.int();
    if (length === -1) return [];
    // Every item takes a byte at least, so that a length above the rest is a lie.
    if (length < 0 || length > this.remaining) throw new JuteError(`a list of ${length} items`);
    return Array.from({ length }, read);
  }

  #take(bytes: number): number {
    const start = this.#offset;
    if (bytes > this.remaining) {
      throw new JuteError(`${bytes} bytes wanted, ${this.remaining} are left`);
    }
    this.#offset += bytes;
    return start;
  }
}

/**
 * Cuts the stream of a connection into packets.
 *
 * @param packetBytesMax longer packets are refused: whoever sends them is no ZooKeeper, or would fill memory.
 */
export class FrameReader {
  readonly #packetBytesMax: number;
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  constructor(packetBytesMax: number) {
    this.#packetBytesMax = packetBytesMax;
  }

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  /** The next packet when it is complete. Throws {@link JuteError}. */
  next(): Uint8Array | undefined {
    if (this.#bytes < 4) return undefined;
    const head = this.#peek(4);
    const length = new DataView(head.buffer, head.byteOffset, 4).getInt32(0);
    if (length < 0 || length > this.#packetBytesMax) {
      throw new JuteError(`a packet of ${length} bytes, at most ${this.#packetBytesMax} are taken`);
    }
    if (this.#bytes < 4 + length) return undefined;
    const framed = this.#peek(4 + length);
    const rest = (this.#chunks[0] as Uint8Array).subarray(4 + length);
    if (rest.length > 0) this.#chunks[0] = rest;
    else this.#chunks.shift();
    this.#bytes -= 4 + length;
    return framed.subarray(4, 4 + length);
  }

  /** The first chunk, joined with those behind it until it has so many bytes. */
  #peek(bytes: number): Uint8Array {
    let first = this.#chunks[0] as Uint8Array;
    if (first.length >= bytes) return first;
    let count = 0;
    let joined = 0;
    while (joined < bytes) joined += (this.#chunks[count++] as Uint8Array).length;
    first = new Uint8Array(joined);
    let offset = 0;
    for (const chunk of this.#chunks.slice(0, count)) {
      first.set(chunk, offset);
      offset += chunk.length;
    }
    this.#chunks.splice(0, count, first);
    return first;
  }
}
