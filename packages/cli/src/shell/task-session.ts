/**
 * `dcos task exec` and `dcos task attach`: the streams of a process in a running task, over the agent's API in
 * protobuf, as the original sends it. The command ends with the process's exit code.
 */

import { randomUUID } from 'node:crypto';
import type * as wireModule from '@dcos/wire';
import type { agentApi } from '@dcos/wire';
import { operationErrorCode } from '@dcos/base';
import { selectOneTask } from '../core/mesos-tasks.ts';
import { containerOf } from '../core/task-container.ts';
import type { ContainerIdentity } from '../core/task-container.ts';
import { fetchState } from './documents.ts';
import { cliError, orThrow } from './errors.ts';
import { openSession } from './session.ts';
import type { Session } from './session.ts';
import type { Invocation, Terminal } from './terminal.ts';

export interface ExecRequest {
  readonly filter: string;
  readonly command: readonly [string, ...string[]];
  readonly interactive: boolean;
  readonly tty: boolean;
  readonly user: string | undefined;
}

/** How often the input says that it is still there. */
const heartbeatMs = 30_000;
const waitTimeoutMs = 30_000;
/** One record of output. */
const recordBytesMax = 16 * 1024 * 1024;
/** A process that ended by a signal counts from here, as in a shell. */
const signalBase = 128;

// The tables of all messages are loaded by these commands alone.
type Wire = typeof wireModule;

interface Channel {
  readonly wire: Wire;
  readonly session: Session;
  readonly terminal: Terminal;
  readonly url: string;
  readonly containerId: ContainerIdentity;
}

/** Runs a command in the surroundings of a task. @throws OperationError with a code of errors.ts */
export async function execInTask(invocation: Invocation, request: ExecRequest): Promise<void> {
  const { channel: around, container } = await openChannel(invocation, request.filter);
  const channel = { ...around, containerId: { value: randomUUID(), parent: container } };
  const [program] = request.command;
  const launch: agentApi.Call = {
    type: 'LAUNCH_NESTED_CONTAINER_SESSION',
    launch_nested_container_session: {
      container_id: channel.containerId,
      command: {
        shell: false,
        value: program,
        arguments: request.command,
        ...(request.user !== undefined && { user: request.user }),
      },
      ...(request.tty && { container: { type: 'MESOS', tty_info: {} } }),
    },
  };
  await converse(channel, launch, { input: request.interactive, tty: request.tty });
  invocation.exit.code = await exitCodeOf(channel);
}

/** Follows the streams of the task's own process. @throws OperationError with a code of errors.ts */
export async function attachToTask(
  invocation: Invocation,
  request: { readonly filter: string; readonly input: boolean },
): Promise<void> {
  const { channel, container } = await openChannel(invocation, request.filter);
  const attach: agentApi.Call = {
    type: 'ATTACH_CONTAINER_OUTPUT',
    attach_container_output: { container_id: container },
  };
  await converse(channel, attach, { input: request.input, tty: request.input });
  if (container.parent !== undefined) invocation.exit.code = await exitCodeOf(channel);
}

async function openChannel(
  invocation: Invocation,
  filter: string,
): Promise<{ readonly channel: Channel; readonly container: ContainerIdentity }> {
  const session = await openSession(invocation);
  const [state, wire] = await Promise.all([fetchState(session), import('@dcos/wire')]);
  const task = orThrow(selectOneTask(state, { filter, scope: 'active' }), 'CLI_NOT_FOUND');
  const container = orThrow(containerOf(task), 'CLI_NOT_FOUND');
  const url = `${session.clusterUrl}/slave/${encodeURIComponent(task.agentId)}/api/v1`;
  const { terminal } = invocation;
  return { channel: { wire, session, terminal, url, containerId: container }, container };
}

/** Carries output until its end, and input beside it. */
async function converse(
  channel: Channel,
  call: agentApi.Call,
  { input, tty }: { readonly input: boolean; readonly tty: boolean },
): Promise<void> {
  const { wire, session, terminal, url } = channel;
  const protobuf = wire.MEDIA_TYPES.protobuf;
  const answer = await session.client.stream(url, {
    method: 'POST',
    bytes: wire.encode(wire.agentApi.CallType, call),
    headers: {
      'content-type': protobuf,
      accept: `${protobuf}, ${wire.MEDIA_TYPE_RECORDIO}`,
      'message-accept': protobuf,
    },
  });
  const ended = new AbortController();
  const releaseKeys = input && tty && terminal.inputIsTerminal ? terminal.takeKeys() : undefined;
  const sending = input ? sendInput(channel, tty, ended.signal) : Promise.resolve();
  const refusals: unknown[] = [];
  // Input that is refused, such as when somebody else types, ends it all: the output may never end.
  sending.catch((error: unknown) => {
    refusals.push(error);
    answer.body.destroy();
  });
  try {
    const records = wire.createRecordDecoder(recordBytesMax);
    for await (const bytes of answer.body as AsyncIterable<Uint8Array>) {
      for (const record of records.push(bytes)) {
        const { data } = wire.decode(wire.agentApi.ProcessIOType, record);
        if (data?.data === undefined) continue;
        await terminal.printBytes(data.type === 'STDERR' ? 'stderr' : 'stdout', data.data);
      }
    }
  } catch (error) {
    if (refusals.length > 0) throw refusals[0];
    throw cliError('CLI_UNREACHABLE', 'the connection to the task broke', { cause: error });
  } finally {
    releaseKeys?.();
    ended.abort();
  }
  await sending;
}

async function sendInput(channel: Channel, tty: boolean, ended: AbortSignal): Promise<void> {
  const { wire, session, url } = channel;
  try {
    await session.client.stream(url, {
      method: 'POST',
      bytes: inputRecords(channel, tty, ended),
      headers: {
        'content-type': wire.MEDIA_TYPE_RECORDIO,
        'message-content-type': wire.MEDIA_TYPES.protobuf,
      },
      // The container may be gone before its last input arrives.
      accept: [404, 500],
      signal: ended,
    });
  } catch (error) {
    if (!ended.aborted || operationErrorCode(error) === undefined) throw error;
  }
}

async function* inputRecords(
  channel: Channel,
  tty: boolean,
  ended: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { wire, terminal, containerId } = channel;
  const record = (attach_container_input: agentApi.Call_AttachContainerInput): Uint8Array =>
    wire.encodeRecord(
      wire.encode(wire.agentApi.CallType, {
        type: 'ATTACH_CONTAINER_INPUT',
        attach_container_input,
      }),
    );
  const io = (process_io: agentApi.ProcessIO): Uint8Array =>
    record({ type: 'PROCESS_IO', process_io });
  const typed = (data: Uint8Array): Uint8Array =>
    io({ type: 'DATA', data: { type: 'STDIN', data } });
  yield record({ type: 'CONTAINER_ID', container_id: containerId });
  const waiting: Uint8Array[] = [];
  let wake = Promise.withResolvers<void>();
  const push = (bytes: Uint8Array): void => {
    waiting.push(bytes);
    wake.resolve();
  };
  const tellSize = (): void => {
    const window_size = terminal.windowSize();
    if (window_size !== undefined)
      push(io({ type: 'CONTROL', control: { type: 'TTY_INFO', tty_info: { window_size } } }));
  };
  if (tty) tellSize();
  const stopResizing = tty ? terminal.onResize(tellSize) : undefined;
  const heartbeat = setInterval(
    () =>
      push(
        io({
          type: 'CONTROL',
          control: {
            type: 'HEARTBEAT',
            heartbeat: { interval: { nanoseconds: heartbeatMs * 1e6 } },
          },
        }),
      ),
    heartbeatMs,
  ).unref();
  ended.addEventListener('abort', () => wake.resolve(), { once: true });
  const input = terminal.inputBytes(ended)[Symbol.asyncIterator]();
  let next: Promise<void> | undefined;
  const read = (): void => {
    next ??= input.next().then(({ done, value }) => {
      next = undefined;
      // A record without data says that no more comes.
      push(typed(done === true ? new Uint8Array() : value));
      if (done === true) next = Promise.resolve();
    });
  };
  try {
    while (!ended.aborted) {
      read();
      await wake.promise;
      wake = Promise.withResolvers<void>();
      yield* waiting.splice(0);
    }
  } finally {
    clearInterval(heartbeat);
    stopResizing?.();
  }
}

async function exitCodeOf({ wire, session, url, containerId }: Channel): Promise<number> {
  const reply = await session.client.stream(url, {
    method: 'POST',
    bytes: wire.encode(wire.agentApi.CallType, {
      type: 'WAIT_CONTAINER',
      wait_container: { container_id: containerId },
    }),
    headers: { 'content-type': wire.MEDIA_TYPES.protobuf, accept: wire.MEDIA_TYPES.protobuf },
    signal: AbortSignal.timeout(waitTimeoutMs),
  });
  const pieces: Uint8Array[] = [];
  for await (const piece of reply.body as AsyncIterable<Uint8Array>) pieces.push(piece);
  const response = wire.decode(wire.agentApi.ResponseType, Buffer.concat(pieces));
  const status = response.wait_container?.exit_status;
  if (status === undefined) {
    const why = response.wait_container?.message ?? 'no status';
    throw cliError('CLI_BAD_REPLY', `the agent does not say how the command ended: ${why}`);
  }
  const signal = status & 0x7f;
  return signal === 0 ? status >> 8 : signalBase + signal;
}
