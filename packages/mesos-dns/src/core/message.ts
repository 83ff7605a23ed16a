/**
 * DNS messages on the wire: reading queries, writing answers with compressed names. Own code because it
 * is the hot path and because answers must be compressed to fit into 512 bytes, which the packet library
 * does not do. It is tested against that library.
 *
 * Invariant: nothing that a client sends makes reading leave the message or loop.
 * Source: RFC 1035 §4, RFC 2782.
 */

import { assert, unreachable } from '@dcos/base';
import { ipv4Bytes, ipv6Bytes } from './address.ts';

export const TYPE = { A: 1, NS: 2, SOA: 6, AAAA: 28, SRV: 33, ANY: 255 } as const;
/** The operation of an ordinary query. */
export const OPCODE_QUERY = 0;
export const CLASS_IN = 1;
export const CLASS_ANY = 255;
export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
} as const;
export type Rcode = (typeof RCODE)[keyof typeof RCODE];

/** Bytes of a name in wire format. */
export const NAME_BYTES_MAX = 255;
const HEADER_BYTES = 12;
/**
 * Stands for a dot inside a label, which is legal but in no name of a zone: such a name is not found.
 * Its low byte is the dot's, so that the question is echoed as it came.
 */
const DOT_IN_LABEL = '\u012e';

export interface Query {
  readonly id: number;
  readonly recursionDesired: boolean;
  /** As the client wrote it, without the final dot. */
  readonly name: string;
  readonly type: number;
  readonly class: number;
}

export type ParsedQuery =
  | { readonly kind: 'query'; readonly query: Query }
  /** Answer with this code: there is an id to answer to. */
  | {
      readonly kind: 'refuse';
      readonly id: number;
      readonly opcode: number;
      readonly rcode: Rcode;
      readonly recursionDesired: boolean;
    }
  /** Not a query at all; answering could make two servers talk to each other for ever. */
  | { readonly kind: 'ignore' };

/** Data of one record; names absolute without the final dot. */
export type RecordData =
  | { readonly type: 'A' | 'AAAA'; readonly address: string }
  | {
      readonly type: 'SRV';
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: string;
    }
  | { readonly type: 'NS'; readonly target: string }
  | {
      readonly type: 'SOA';
      readonly mname: string;
      readonly rname: string;
      readonly serial: number;
      readonly refreshSeconds: number;
      readonly retrySeconds: number;
      readonly expireSeconds: number;
      readonly minimumSeconds: number;
    };

export interface ResourceRecord {
  readonly name: string;
  readonly ttlSeconds: number;
  readonly data: RecordData;
}

export interface Answer {
  readonly id: number;
  /** Of the message that is answered, 0 to 15; clients take no answer with another one. */
  readonly opcode: number;
  readonly rcode: Rcode;
  readonly authoritative: boolean;
  readonly recursionDesired: boolean;
  readonly recursionAvailable: boolean;
  readonly question:
    | { readonly name: string; readonly type: number; readonly class: number }
    | undefined;
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  readonly additionals: readonly ResourceRecord[];
}

/** Reads a query. Only the first question counts; what follows it is not looked at. */
export function parseQuery(bytes: Uint8Array): ParsedQuery {
  if (bytes.length < HEADER_BYTES) return { kind: 'ignore' };
  const id = u16(bytes, 0);
  const flags = u16(bytes, 2);
  if ((flags & 0x8000) !== 0) return { kind: 'ignore' };
  const recursionDesired = (flags & 0x0100) !== 0;
  const opcode = (flags >> 11) & 0x0f;
  const refused = { kind: 'refuse', id, opcode, recursionDesired } as const;
  if (opcode !== OPCODE_QUERY) return { ...refused, rcode: RCODE.NOTIMP };
  const name = u16(bytes, 4) === 0 ? undefined : readName(bytes, HEADER_BYTES);
  if (name === undefined || name.next + 4 > bytes.length) {
    return { ...refused, rcode: RCODE.FORMERR };
  }
  const query = {
    id,
    recursionDesired,
    name: name.text,
    type: u16(bytes, name.next),
    class: u16(bytes, name.next + 2),
  };
  return { kind: 'query', query };
}

function u16(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);
}

/** A name in a question, where pointers have no place. */
function readName(bytes: Uint8Array, start: number): { text: string; next: number } | undefined {
  let text = '';
  let position = start;
  for (;;) {
    const length = bytes[position];
    if (length === undefined || length > 63 || position + length - start >= NAME_BYTES_MAX)
      return undefined;
    position += 1;
    if (length === 0) return { text, next: position };
    if (position + length > bytes.length) return undefined;
    if (text !== '') text += '.';
    for (const byte of bytes.subarray(position, position + length)) {
      text += byte === 0x2e ? DOT_IN_LABEL : String.fromCharCode(byte);
    }
    position += length;
  }
}

/**
 * Writes an answer into at most `bytesMax` bytes. Over the limit the additional section goes first, then
 * answers from the end; a message that lost answers has TC set, if `setTruncated`.
 */
export function encodeAnswer(
  answer: Answer,
  limits: { readonly bytesMax: number; readonly setTruncated: boolean },
): Uint8Array {
  const writer = new Writer(limits.bytesMax);
  writer.header(answer);
  let questions = 0;
  if (answer.question !== undefined) {
    writer.name(answer.question.name);
    writer.u16(answer.question.type);
    writer.u16(answer.question.class);
    questions = 1;
  }
  assert(!writer.full, 'a question fits into every message');
  const answers = writer.records(answer.answers);
  const cut = answers < answer.answers.length;
  const authorities = cut ? 0 : writer.allOrNone(answer.authorities);
  const additionals =
    cut || authorities < answer.authorities.length ? 0 : writer.allOrNone(answer.additionals);
  writer.counts([questions, answers, authorities, additionals]);
  if (cut && limits.setTruncated) writer.setTruncated();
  return writer.bytes();
}

class Writer {
  readonly #buffer: Uint8Array;
  readonly #offsets = new Map<string, number>();
  #length = 0;
  #full = false;

  constructor(bytesMax: number) {
    this.#buffer = new Uint8Array(bytesMax);
  }

  get full(): boolean {
    return this.#full;
  }

  header(answer: Answer): void {
    const flags =
      0x8000 |
      (answer.opcode << 11) |
      (answer.authoritative ? 0x0400 : 0) |
      (answer.recursionDesired ? 0x0100 : 0) |
      (answer.recursionAvailable ? 0x0080 : 0) |
      answer.rcode;
    this.u16(answer.id);
    this.u16(flags);
    this.#length = HEADER_BYTES;
  }

  counts(counts: readonly number[]): void {
    for (const [index, count] of counts.entries()) this.#put16(4 + 2 * index, count);
  }

  setTruncated(): void {
    this.#buffer[2] = (this.#buffer[2] ?? 0) | 0x02;
  }

  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Writes records until one does not fit; that one leaves no trace. */
  records(records: readonly ResourceRecord[]): number {
    let written = 0;
    for (const record of records) {
      const before = this.#length;
      this.#record(record);
      if (this.#full) {
        this.#takeBack(before);
        return written;
      }
      written += 1;
    }
    return written;
  }

  allOrNone(records: readonly ResourceRecord[]): number {
    const before = this.#length;
    if (this.records(records) === records.length) return records.length;
    this.#takeBack(before);
    return 0;
  }

  u16(value: number): void {
    this.#u8(value >> 8);
    this.#u8(value & 0xff);
  }

  /** A name, or as much of it as was not written before, and a pointer to the rest. */
  name(name: string, compress = true): void {
    let rest = name;
    while (rest !== '') {
      const known = compress ? this.#offsets.get(rest) : undefined;
      if (known !== undefined) {
        this.u16(0xc000 | known);
        return;
      }
      if (compress && this.#length < 0x4000) this.#offsets.set(rest, this.#length);
      const dot = rest.indexOf('.');
      const label = dot === -1 ? rest : rest.slice(0, dot);
      rest = dot === -1 ? '' : rest.slice(dot + 1);
      this.#u8(label.length);
      for (let index = 0; index < label.length; index++) this.#u8(label.charCodeAt(index));
    }
    this.#u8(0);
  }

  #takeBack(length: number): void {
    this.#length = length;
    this.#full = false;
    for (const [name, offset] of this.#offsets) if (offset >= length) this.#offsets.delete(name);
  }

  #record({ name, ttlSeconds, data }: ResourceRecord): void {
    this.name(name);
    this.u16(TYPE[data.type]);
    this.u16(CLASS_IN);
    this.#u32(ttlSeconds);
    const lengthAt = this.#length;
    this.u16(0);
    this.#data(data);
    if (!this.#full) this.#put16(lengthAt, this.#length - lengthAt - 2);
  }

  #data(data: RecordData): void {
    switch (data.type) {
      case 'A':
        return this.#all(ipv4Bytes(data.address) ?? []);
      case 'AAAA':
        return this.#all(ipv6Bytes(data.address) ?? []);
      case 'SRV':
        this.u16(data.priority);
        this.u16(data.weight);
        this.u16(data.port);
        // RFC 2782 forbids compressing the target.
        return this.name(data.target, false);
      case 'NS':
        return this.name(data.target);
      case 'SOA':
        this.name(data.mname);
        this.name(data.rname);
        this.#u32(data.serial);
        this.#u32(data.refreshSeconds);
        this.#u32(data.retrySeconds);
        this.#u32(data.expireSeconds);
        return this.#u32(data.minimumSeconds);
      default:
        return unreachable(data);
    }
  }

  #all(bytes: readonly number[]): void {
    for (const byte of bytes) this.#u8(byte);
  }

  #u32(value: number): void {
    this.u16((value >>> 16) & 0xffff);
    this.u16(value & 0xffff);
  }

  #u8(value: number): void {
    if (this.#length >= this.#buffer.length) {
      this.#full = true;
      return;
    }
    this.#buffer[this.#length++] = value & 0xff;
  }

  #put16(offset: number, value: number): void {
    this.#buffer[offset] = (value >> 8) & 0xff;
    this.#buffer[offset + 1] = value & 0xff;
  }
}
