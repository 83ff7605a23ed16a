/**
 * The part of the agent's API that deals with containers of clients: launches, waits, and the streams of
 * sessions. The core answers; here its answers become those of HTTP.
 */

import type { IncomingMessage } from 'node:http';
import type { ContainerId } from '@dcos/base';
import type { FastifyReply, FastifyRequest } from '@dcos/http';
import {
  MEDIA_TYPES,
  MEDIA_TYPE_RECORDIO,
  agentApi,
  encodeAs,
  encodingOfAccept,
  encodingOfContentType,
} from '@dcos/wire';
import type { ContainerAnswer, ContainerCall } from '../../core/index.ts';
import type { InputTarget, LaunchedContainers, OutputSource } from '../launched-containers.ts';
import { chainOf, containerIdProblem, waitResponse } from './container-calls.ts';
import {
  InputError,
  carryInput,
  inputRecords,
  streamOutput,
  type StreamForm,
} from './container-streams.ts';
import { plain } from './files-routes.ts';

export interface ContainerApiOptions {
  readonly containers: () => LaunchedContainers;
  /** The output of a container that is no session; undefined when it has ended. */
  readonly followed: (id: ContainerId) => Promise<OutputSource | undefined>;
  /** The reader of a session left. */
  readonly onSessionClosed: (
    answer: Extract<ContainerAnswer, { readonly kind: 'attached' }>,
  ) => void;
}

const GONE = 'The container has ended';

/** Performs one call that is no stream of records. */
export async function answerContainerCall(
  options: ContainerApiOptions,
  call: { readonly type: agentApi.Call['type']; readonly asked: ContainerCall },
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const { asked, type } = call;
  const isStream = asked.kind === 'attachOutput' || (asked.kind === 'launch' && asked.isSession);
  const form = isStream ? streamFormOf(request) : encodingOfAccept(request.headers.accept);
  if (form === undefined) return await notAcceptable(reply);
  const left = new AbortController();
  request.raw.socket.once('close', () => left.abort());
  const answer = await options.containers().call(asked, left.signal);
  switch (answer.kind) {
    case 'refused':
      return await plain(reply, answer.code, answer.message);
    case 'done':
      return await reply.code(200).send();
    case 'present':
      return await reply.code(202).send();
    case 'ended': {
      const encoding = typeof form === 'string' ? form : form.encoding;
      const response = encodeAs(encoding, agentApi.ResponseType, waitResponse(type, answer.status));
      return await reply.code(200).type(MEDIA_TYPES[encoding]).send(Buffer.from(response));
    }
    case 'attached': {
      const attached = options.containers().attach(answer.id);
      if (attached === undefined || typeof form === 'string') return await plain(reply, 404, GONE);
      streamOutput({
        reply,
        attached,
        form,
        // Who only looks on may leave without ending anything.
        onClose: () => asked.kind === 'launch' && options.onSessionClosed(answer),
      });
      return reply;
    }
    case 'followed': {
      const attached = await options.followed(answer.id);
      if (attached === undefined || typeof form === 'string') return await plain(reply, 404, GONE);
      streamOutput({ reply, attached, form, onClose: () => undefined });
      return reply;
    }
    case 'terminal':
      // Only for a request that is a stream.
      return await plain(reply, 400, 'Expecting a streaming request');
    default:
      return answer satisfies never;
  }
}

/** Takes a request that is a stream of records: ATTACH_CONTAINER_INPUT is the only one. */
export async function takeInput(
  options: ContainerApiOptions,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const named = request.headers['message-content-type'];
  if (named === undefined)
    return await plain(
      reply,
      400,
      "Expecting 'Message-Content-Type' to be set for streaming requests",
    );
  const encoding = encodingOfContentType(String(named));
  if (encoding === undefined) {
    const text = `Expecting 'Message-Content-Type' of ${MEDIA_TYPES.json} or ${MEDIA_TYPES.protobuf}`;
    return await plain(reply, 415, text);
  }
  const records = inputRecords(request.body as AsyncIterable<Uint8Array>, encoding);
  try {
    const first = await records.next();
    const attached =
      first.done === true
        ? 'Received EOF while reading request body'
        : await attachedTo(options, first.value);
    if (typeof attached === 'string') return await plain(reply, 400, attached);
    if ('refusal' in attached) return await plain(reply, attached.code, attached.refusal);
    const release = attached.takeInput();
    if (release === undefined)
      return await plain(reply, 409, 'Another request has the input of this container');
    try {
      await carryInput(records, attached.input);
    } finally {
      release();
    }
    return await reply.code(200).send();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return await plain(reply, 400, error.message);
  }
}

interface Refusal {
  readonly code: number;
  readonly refusal: string;
}

async function attachedTo(
  options: ContainerApiOptions,
  { type, attach_container_input: input }: agentApi.Call,
): Promise<InputTarget | Refusal | string> {
  const invalid = (what: string): string => `Failed to validate agent::Call: ${what}`;
  if (type !== 'ATTACH_CONTAINER_INPUT')
    return invalid("Expecting 'ATTACH_CONTAINER_INPUT' as the type of a streaming request");
  if (input === undefined) return invalid("Expecting 'attach_container_input' to be present");
  if (input.type !== 'CONTAINER_ID' || input.container_id === undefined)
    return invalid("Expecting 'attach_container_input.container_id' in the first record");
  const path = chainOf(input.container_id);
  const problem = containerIdProblem(path);
  if (problem !== undefined) return invalid(problem);
  const answer = await options
    .containers()
    .call({ kind: 'attachInput', path }, new AbortController().signal);
  if (answer.kind === 'refused') return { code: answer.code, refusal: answer.message };
  return (await inputOf(options.containers(), answer)) ?? { code: 404, refusal: GONE };
}

async function inputOf(
  containers: LaunchedContainers,
  answer: ContainerAnswer,
): Promise<InputTarget | undefined> {
  if (answer.kind === 'attached') return containers.attach(answer.id);
  if (answer.kind === 'terminal') return await containers.attachTerminal(answer.id, answer.runtime);
  return undefined;
}

/** RecordIO when the client names it, with records as `Message-Accept` says; else the plain type. */
function streamFormOf({ headers }: FastifyRequest): StreamForm | undefined {
  const isRecordIo = (headers.accept ?? '').toLowerCase().includes(MEDIA_TYPE_RECORDIO);
  const wanted = isRecordIo ? headers['message-accept'] : headers.accept;
  const encoding = encodingOfAccept(wanted === undefined ? undefined : String(wanted));
  return encoding && { encoding, isRecordIo };
}

export async function notAcceptable(reply: FastifyReply): Promise<unknown> {
  const text = `Expecting 'Accept' to allow ${MEDIA_TYPES.json} or ${MEDIA_TYPES.protobuf} or application/recordio`;
  return await plain(reply, 406, text);
}

/** True for a request whose body is a stream of records. */
export function isRecordStream({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return (headers['content-type'] ?? '').trim().toLowerCase().startsWith(MEDIA_TYPE_RECORDIO);
}
