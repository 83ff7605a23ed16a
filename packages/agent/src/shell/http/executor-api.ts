/**
 * The executor API, `POST /api/v1/executor` in JSON and protobuf. The order of checks and the texts are as
 * recorded; what depends on the agent's state is decided by the core.
 */

import { errorText } from '@dcos/base';
import {
  bodyBytes,
  startStream,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from '@dcos/http';
import {
  MEDIA_TYPES,
  WireError,
  decode,
  encodeAs,
  encodeRecord,
  encodingOfAccept,
  encodingOfContentType,
  executor,
  fromJson,
  type Encoding,
} from '@dcos/wire';
import type { ExecutorStream, ExecutorStreams } from '../executor-streams.ts';
import { claimsProblem, executorOfRequest, type ExecutorAccessOptions } from './executor-access.ts';
import { plain } from './files-routes.ts';

/** How often a stream says that it is still there. */
const HEARTBEAT_MS = 30 * 60_000;

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Adds `POST /api/v1/executor`. */
export function addExecutorApi(
  app: FastifyInstance,
  executors: () => ExecutorStreams | undefined,
  access: ExecutorAccessOptions,
): void {
  app.all('/api/v1/executor', async (request, reply) => {
    const claims = await executorOfRequest(access, request, reply);
    if (claims === undefined) return reply;
    const refused = refusalOfHead(request);
    if (refused !== undefined) {
      if (refused.code === 405) reply.header('allow', 'POST');
      return await plain(reply, refused.code, refused.text);
    }
    const call = callOf(request);
    if (typeof call === 'string') return await plain(reply, 400, call);
    const accept = encodingOfAccept(request.headers.accept);
    if (call.type === 'SUBSCRIBE' && accept === undefined) {
      const text = `Expecting 'Accept' to allow '${MEDIA_TYPES.protobuf}' or '${MEDIA_TYPES.json}'`;
      return await plain(reply, 406, text);
    }
    const problem = claimsProblem(access, claims, call);
    if (problem !== undefined) return await plain(reply, 403, problem);
    const streams = executors();
    if (streams === undefined) return await plain(reply, 503, 'Agent has not finished recovery');
    return await perform(streams, call, accept ?? 'json', reply);
  });
}

interface Refusal {
  readonly code: number;
  readonly text: string;
}

function refusalOfHead({ method, headers }: FastifyRequest): Refusal | undefined {
  if (method !== 'POST') {
    const text = `405 Method Not Allowed. Expecting one of { 'POST' }, but received '${method}'.`;
    return { code: 405, text };
  }
  const contentType = headers['content-type'];
  if (contentType === undefined)
    return { code: 400, text: "Expecting 'Content-Type' to be present" };
  if (encodingOfContentType(contentType) !== undefined) return undefined;
  return {
    code: 415,
    text: `Expecting 'Content-Type' of ${MEDIA_TYPES.json} or ${MEDIA_TYPES.protobuf}`,
  };
}

/** The call, or what is wrong with it. */
function callOf({ headers, body }: FastifyRequest): executor.Call | string {
  const encoding = encodingOfContentType(headers['content-type'] ?? '') ?? 'json';
  const call = encoding === 'json' ? callOfJson(bodyBytes(body)) : callOfProtobuf(bodyBytes(body));
  if (typeof call === 'string') return call;
  const problem = validationProblem(call);
  return problem === undefined ? call : `Failed to validate Executor::Call: ${problem}`;
}

function callOfJson(bytes: Uint8Array): executor.Call | string {
  let json: unknown;
  try {
    json = JSON.parse(decoder.decode(bytes));
  } catch (error) {
    return `Failed to parse body into JSON: ${errorText(error)}`;
  }
  const missing = (['executor_id', 'framework_id'] as const).filter(
    (name) => typeof json === 'object' && json !== null && !(name in json),
  );
  const problem = 'Failed to convert JSON into Call protobuf: ';
  if (missing.length > 0) return `${problem}Missing required fields: ${missing.join(', ')}`;
  try {
    return fromJson(executor.CallType, json);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return problem + error.message;
  }
}

function callOfProtobuf(bytes: Uint8Array): executor.Call | string {
  try {
    return decode(executor.CallType, bytes);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return `Failed to parse body into Call protobuf: ${error.message}`;
  }
}

function validationProblem(call: executor.Call): string | undefined {
  const { type, update } = call;
  if (type === undefined || type === 'UNKNOWN') return "Expecting 'type' to be present";
  if (type === 'SUBSCRIBE' && call.subscribe === undefined)
    return "Expecting 'subscribe' to be present";
  if (type === 'MESSAGE' && call.message === undefined) return "Expecting 'message' to be present";
  if (type !== 'UPDATE') return undefined;
  if (update === undefined) return "Expecting 'update' to be present";
  const { status } = update;
  if (status.uuid === undefined) return "Expecting 'uuid' to be present";
  if (status.uuid.length !== UUID_BYTES) return 'Not a valid UUID';
  const from = `executor ${call.executor_id.value} of framework ${call.framework_id.value}`;
  if (status.executor_id !== undefined && status.executor_id.value !== call.executor_id.value)
    return `ExecutorID in Call: ${call.executor_id.value} does not match ExecutorID in TaskStatus: ${status.executor_id.value}`;
  if (status.source !== 'SOURCE_EXECUTOR')
    return `Received Call from ${from} with invalid source, expecting 'SOURCE_EXECUTOR'`;
  return status.state === 'TASK_STAGING'
    ? `Received TASK_STAGING from ${from} which is not allowed`
    : undefined;
}

const UUID_BYTES = 16;

function perform(
  streams: ExecutorStreams,
  call: executor.Call,
  encoding: Encoding,
  reply: FastifyReply,
): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  streams.call(withoutOthers(call), {
    accepted: () => resolve(reply.code(202).send()),
    refused: (code, message) => resolve(plain(reply, code, message)),
    subscribed(left) {
      const stream = openStream(reply, encoding, left);
      resolve(reply);
      return stream;
    },
  });
  return promise;
}

/** Only the part that the type names counts. */
function withoutOthers({
  type,
  framework_id,
  executor_id,
  subscribe,
  update,
  message,
}: executor.Call): executor.Call {
  return {
    framework_id,
    executor_id,
    ...(type !== undefined && { type }),
    ...(type === 'SUBSCRIBE' && subscribe !== undefined && { subscribe }),
    ...(type === 'UPDATE' && update !== undefined && { update }),
    ...(type === 'MESSAGE' && message !== undefined && { message }),
  };
}

function openStream(reply: FastifyReply, encoding: Encoding, left: () => void): ExecutorStream {
  const stream = startStream(reply, {
    contentType: MEDIA_TYPES[encoding],
    onClose: (reason) => {
      clearInterval(heartbeat);
      if (reason !== 'server') left();
    },
  });
  const write = (event: executor.Event): void =>
    void stream.write(encodeRecord(encodeAs(encoding, executor.EventType, event)));
  const heartbeat = setInterval(() => write({ type: 'HEARTBEAT' }), HEARTBEAT_MS);
  return { write, close: () => stream.close() };
}
