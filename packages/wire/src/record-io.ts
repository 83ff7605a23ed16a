/**
 * RecordIO: one record is its length in decimal digits, a line feed, then that many bytes. Framing is
 * independent of HTTP chunks, so the decoder takes bytes cut anywhere.
 */

import { toUtf8 } from '@dcos/base';
import { WireError } from './wire-error.ts';

/** Bytes that one record may have at most unless the caller says otherwise. */
export const RECORD_BYTES_MAX = 128 * 1024 * 1024;

const LINE_FEED = 0x0a;
const LENGTH_DIGITS_MAX = 20;

/** The bytes of one record with its frame. */
export function encodeRecord(payload: Uint8Array): Uint8Array {
  const head = toUtf8(`${payload.length}\n`);
  const record = new Uint8Array(head.length + payload.length);
  record.set(head, 0);
  record.set(payload, head.length);
  return record;
}

export interface RecordDecoder {
  /** Takes bytes and returns the records that are complete by now. Throws {@link WireError}. */
  push(bytes: Uint8Array): readonly Uint8Array[];
  /** True when no half record is waiting. */
  readonly idle: boolean;
}

/** A decoder for one stream. Memory is bounded by `recordBytesMax` and the size of one push. */
export function createRecordDecoder(recordBytesMax: number = RECORD_BYTES_MAX): RecordDecoder {
  let digits = '';
  let missing = -1;
  let parts: Uint8Array[] = [];
  return {
    get idle() {
      return missing === -1 && digits === '';
    },
    push(bytes) {
      const records: Uint8Array[] = [];
      let position = 0;
      while (position < bytes.length) {
        if (missing === -1) {
          const byte = bytes[position++] as number;
          if (byte === LINE_FEED) {
            missing = recordLength(digits, recordBytesMax);
            digits = '';
          } else if (byte >= 0x30 && byte <= 0x39 && digits.length < LENGTH_DIGITS_MAX) {
            digits += String.fromCharCode(byte);
          } else throw new WireError('', 'Failed to decode length of a record');
        }
        if (missing > 0) {
          const part = bytes.subarray(position, position + missing);
          position += part.length;
          missing -= part.length;
          // Copied, since the caller may reuse its buffer.
          if (part.length > 0) parts.push(Uint8Array.from(part));
        }
        if (missing === 0) {
          records.push(joined(parts));
          parts = [];
          missing = -1;
        }
      }
      return records;
    },
  };
}

function recordLength(digits: string, recordBytesMax: number): number {
  const length = digits === '' ? Number.NaN : Number(digits);
  if (!Number.isSafeInteger(length)) throw new WireError('', 'Failed to decode length of a record');
  if (length > recordBytesMax)
    throw new WireError('', `A record of ${length} bytes exceeds ${recordBytesMax}`);
  return length;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  if (first !== undefined && parts.length === 1) return first;
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
