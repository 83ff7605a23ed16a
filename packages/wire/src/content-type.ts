/**
 * The two encodings of the v1 APIs and how a client asks for them.
 */

import type { MessageType } from './message-type.ts';
import { fromJsonText, toJsonText } from './json.ts';
import { decode, encode } from './protobuf.ts';
import { WireError } from './wire-error.ts';
import { toUtf8 } from '@dcos/base';

export type Encoding = 'json' | 'protobuf';

export const MEDIA_TYPES: { readonly [E in Encoding]: string } = {
  json: 'application/json',
  protobuf: 'application/x-protobuf',
};
export const MEDIA_TYPE_RECORDIO = 'application/recordio';

/** The encoding that a Content-Type names, parameters ignored; undefined for any other type. */
export function encodingOfContentType(contentType: string): Encoding | undefined {
  const bare = (contentType.split(';')[0] ?? '').trim().toLowerCase();
  if (bare === MEDIA_TYPES.json) return 'json';
  return bare === MEDIA_TYPES.protobuf ? 'protobuf' : undefined;
}

/** The encoding that an Accept header asks for: JSON when absent and when several match. */
export function encodingOfAccept(accept: string | undefined): Encoding | undefined {
  if (accept === undefined || accept.trim() === '') return 'json';
  const wanted = accept
    .split(',')
    .map((part) => part.trim().toLowerCase())
    .filter((part) => !/;\s*q=0(\.0*)?$/.test(part))
    .map((part) => (part.split(';')[0] ?? '').trim());
  if (
    wanted.some((type) => type === '*/*' || type === 'application/*' || type === MEDIA_TYPES.json)
  ) {
    return 'json';
  }
  return wanted.includes(MEDIA_TYPES.protobuf) ? 'protobuf' : undefined;
}

/** Encodes a message in either encoding. */
export function encodeAs<T>(encoding: Encoding, type: MessageType<T>, message: T): Uint8Array {
  return encoding === 'json' ? toUtf8(toJsonText(type, message)) : encode(type, message);
}

/** Decodes a message of either encoding; `text` turns UTF-8 bytes into a string. Throws {@link WireError}. */
export function decodeAs<T>(
  encoding: Encoding,
  type: MessageType<T>,
  bytes: Uint8Array,
  text: (bytes: Uint8Array) => string,
): T {
  if (encoding === 'protobuf') return decode(type, bytes);
  let body: string;
  try {
    body = text(bytes);
  } catch {
    throw new WireError('', 'not UTF-8 text');
  }
  return fromJsonText(type, body);
}
