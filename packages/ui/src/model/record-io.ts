/**
 * Decoder of RecordIO: each record is its length in decimal, a line feed, and that many bytes.
 * Invariant: bytes are consumed once and in order; a length that is not a number or above the bound
 * ends the stream with an error. Source: Mesos kernel reference §0.3.
 */

/** Largest record that is accepted, in bytes: a snapshot of a large cluster fits. */
export const RECORD_BYTES_MAX = 256 * 1024 * 1024;

const LINE_FEED = 10;
const LENGTH_DIGITS_MAX = 12;

export class RecordDecoder {
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #wantedBytes: number | undefined;

  /** Takes a chunk and gives the records that are complete now. */
  push(chunk: Uint8Array): readonly Uint8Array[] {
    this.#pending.push(chunk);
    this.#pendingBytes += chunk.length;
    const records: Uint8Array[] = [];
    for (;;) {
      this.#wantedBytes ??= this.#takeLength();
      if (this.#wantedBytes === undefined || this.#pendingBytes < this.#wantedBytes) return records;
      records.push(this.#take(this.#wantedBytes));
      this.#wantedBytes = undefined;
    }
  }

  #takeLength(): number | undefined {
    const bytes = this.#joined();
    const end = bytes.indexOf(LINE_FEED);
    if (end < 0) {
      if (bytes.length > LENGTH_DIGITS_MAX) throw new Error('RecordIO: no length where one is due');
      return undefined;
    }
    const text = new TextDecoder().decode(bytes.subarray(0, end));
    const length = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
    if (!(length <= RECORD_BYTES_MAX)) throw new Error(`RecordIO: bad length "${text}"`);
    this.#pending = [bytes.subarray(end + 1)];
    this.#pendingBytes = bytes.length - end - 1;
    return length;
  }

  #take(count: number): Uint8Array {
    const bytes = this.#joined();
    this.#pending = [bytes.subarray(count)];
    this.#pendingBytes = bytes.length - count;
    return bytes.subarray(0, count);
  }

  #joined(): Uint8Array {
    const [first] = this.#pending;
    if (this.#pending.length === 1 && first !== undefined) return first;
    const all = new Uint8Array(this.#pendingBytes);
    let offset = 0;
    for (const part of this.#pending) {
      all.set(part, offset);
      offset += part.length;
    }
    this.#pending = [all];
    return all;
  }
}
