/**
 * The streams of sessions over HTTP: output as RecordIO of ProcessIO records in the answer, input as RecordIO of
 * calls in the request. Each side says now and then that it is still there. Source: mesos-kernel §0.2, §3.3.
 */

import { startStream, type FastifyReply } from '@dcos/http';
import {
  MEDIA_TYPES,
  MEDIA_TYPE_RECORDIO,
  agentApi,
  createRecordDecoder,
  decodeAs,
  encodeAs,
  encodeRecord,
  type Encoding,
} from '@dcos/wire';
import type { InputTarget, OutputSource } from '../launched-containers.ts';

/** How often a stream says that it is still there. */
const HEARTBEAT_MS = 30_000;
const NANOSECONDS_PER_MS = 1e6;
/** One record of input. */
const INPUT_RECORD_BYTES_MAX = 1024 * 1024;

const decoder = new TextDecoder('utf-8', { fatal: true });

/** How a streaming answer is wanted. */
export interface StreamForm {
  /** Of each record. */
  readonly encoding: Encoding;
  /** RecordIO with the type of its records beside it, rather than that type itself. */
  readonly isRecordIo: boolean;
}

/** Writes the output of a session or container until it ends; `onClose` is told when the client left before that. */
export function streamOutput(options: {
  readonly reply: FastifyReply;
  readonly attached: OutputSource;
  readonly form: StreamForm;
  readonly onClose: () => void;
}): void {
  const { reply, attached, form } = options;
  const media = MEDIA_TYPES[form.encoding];
  let stop = (): void => undefined;
  const stream = startStream(reply, {
    contentType: form.isRecordIo ? MEDIA_TYPE_RECORDIO : media,
    ...(form.isRecordIo && { headers: { 'message-content-type': media } }),
    onClose: (reason) => {
      stop();
      if (reason !== 'server') options.onClose();
    },
  });
  const write = (message: agentApi.ProcessIO): void =>
    void stream.write(encodeRecord(encodeAs(form.encoding, agentApi.ProcessIOType, message)));
  const unread = attached.read(async (source, bytes) => {
    const type = source === 'stdout' ? 'STDOUT' : 'STDERR';
    write({ type: 'DATA', data: { type, data: bytes } });
    await stream.drained();
  });
  const heartbeat = setInterval(
    () =>
      write({
        type: 'CONTROL',
        control: {
          type: 'HEARTBEAT',
          heartbeat: { interval: { nanoseconds: HEARTBEAT_MS * NANOSECONDS_PER_MS } },
        },
      }),
    HEARTBEAT_MS,
  );
  stop = () => {
    unread();
    clearInterval(heartbeat);
  };
  void attached.ended.then(() => stream.close());
}

/** A fault of what a client sends; its text is for the client. */
export class InputError extends Error {
  override readonly name = 'InputError';
}

/** The records of a streaming request. Throws {@link InputError} when they are none. */
export async function* inputRecords(
  body: AsyncIterable<Uint8Array>,
  encoding: Encoding,
): AsyncGenerator<agentApi.Call> {
  const records = createRecordDecoder(INPUT_RECORD_BYTES_MAX);
  try {
    for await (const bytes of body) {
      for (const record of records.push(bytes))
        yield decodeAs(encoding, agentApi.CallType, record, (text) => decoder.decode(text));
    }
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new InputError(`Failed to decode a record of the request: ${text}`, { cause: error });
  }
}

/** Carries input into a session or a terminal until the client ends it. Throws {@link InputError}. */
export async function carryInput(
  records: AsyncIterable<agentApi.Call>,
  input: InputTarget['input'],
): Promise<void> {
  for await (const { attach_container_input: body } of records) {
    const io = body?.process_io;
    if (io === undefined) throw new InputError("Expecting 'process_io' to be present");
    if (io.type === 'CONTROL') {
      const size = io.control?.tty_info?.window_size;
      if (size !== undefined) input.resize(size);
    } else if (io.data?.type !== 'STDIN') {
      throw new InputError("Expecting data of type 'STDIN'");
    } else if (io.data.data === undefined || io.data.data.length === 0) input.endInput();
    else await input.write(io.data.data);
  }
}
