/**
 * From an HTTP request to a message of the v1 APIs: method, content type and body, in the original's
 * order and with its texts.
 */

import { bodyBytes, type FastifyReply, type FastifyRequest } from '@dcos/http';
import {
  decode,
  encodingOfAccept,
  encodingOfContentType,
  fromJson,
  WireError,
  type Encoding,
  type MessageType,
} from '@dcos/wire';
import { refuse, refuseMethod } from './answers.ts';

export interface DecodedCall<T> {
  readonly call: T;
  /** The encoding that the client wants back; undefined when it accepts none of ours. */
  readonly accepts: Encoding | undefined;
}

/** The call of a request. Answers the request and returns undefined when there is none. */
export function decodeCall<T>(
  request: FastifyRequest,
  reply: FastifyReply,
  type: MessageType<T>,
): DecodedCall<T> | undefined {
  if (request.method !== 'POST') {
    refuseMethod(request, reply, ['POST']);
    return undefined;
  }
  const contentType = request.headers['content-type'];
  if (contentType === undefined) {
    refuse(reply, 400, "Expecting 'Content-Type' to be present");
    return undefined;
  }
  const encoding = encodingOfContentType(contentType);
  if (encoding === undefined) {
    refuse(reply, 415, "Expecting 'Content-Type' of application/json or application/x-protobuf");
    return undefined;
  }
  const read =
    encoding === 'json' ? readJson(request.body, type) : readProtobuf(request.body, type);
  if ('problem' in read) {
    refuse(reply, 400, read.problem);
    return undefined;
  }
  return { call: read.call, accepts: encodingOfAccept(request.headers.accept) };
}

type Read<T> = { readonly call: T } | { readonly problem: string };

function readJson<T>(body: unknown, type: MessageType<T>): Read<T> {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bodyBytes(body)));
  } catch (error) {
    return { problem: `Failed to parse body into JSON: ${textOf(error)}` };
  }
  try {
    return { call: fromJson(type, json) };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return { problem: `Failed to convert JSON into Call protobuf: ${error.message}` };
  }
}

function readProtobuf<T>(body: unknown, type: MessageType<T>): Read<T> {
  try {
    return { call: decode(type, bodyBytes(body)) };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return { problem: `Failed to parse body into Call protobuf: ${error.message}` };
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
