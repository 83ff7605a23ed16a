/** The open streams of executors, and their calls that wait for an answer. Decides nothing. */

import type { ContainerId } from '@dcos/base';
import type { executor } from '@dcos/wire';
import type { AgentEvent, ExecutorAnswer, ExecutorCallId } from '../core/index.ts';

/** One stream of events. */
export interface ExecutorStream {
  readonly write: (event: executor.Event) => void;
  readonly close: () => void;
}

/** Who waits for the answer to a call. */
export interface ExecutorCaller {
  readonly accepted: () => void;
  readonly refused: (code: number, message: string) => void;
  /** Opens the stream at once: events follow. `left` is to be called when the executor closes it. */
  readonly subscribed: (left: () => void) => ExecutorStream;
}

export class ExecutorStreams {
  readonly #emit: (event: AgentEvent) => void;
  readonly #callers = new Map<ExecutorCallId, ExecutorCaller>();
  readonly #streams = new Map<ContainerId, ExecutorStream>();
  #lastCall: ExecutorCallId = 0;

  constructor(emit: (event: AgentEvent) => void) {
    this.#emit = emit;
  }

  call(asked: executor.Call, caller: ExecutorCaller): void {
    const call = ++this.#lastCall;
    this.#callers.set(call, caller);
    this.#emit({ kind: 'executorCalled', call, asked });
  }

  answer(call: ExecutorCallId, answer: ExecutorAnswer): void {
    const caller = this.#callers.get(call);
    this.#callers.delete(call);
    if (caller === undefined) return;
    if (answer.kind === 'accepted') caller.accepted();
    else if (answer.kind === 'refused') caller.refused(answer.code, answer.message);
    else {
      const { id } = answer;
      const stream = caller.subscribed(() => {
        if (this.#streams.get(id) === stream) this.#streams.delete(id);
        this.#emit({ kind: 'executorLeft', id, call });
      });
      this.#streams.set(id, stream);
    }
  }

  tell(id: ContainerId, event: executor.Event): void {
    this.#streams.get(id)?.write(event);
  }

  close(id: ContainerId): void {
    const stream = this.#streams.get(id);
    this.#streams.delete(id);
    stream?.close();
  }

  /** Ends all streams and answers whatever waits: the agent stops. */
  closeAll(): void {
    for (const caller of this.#callers.values()) caller.refused(503, 'Agent is stopping');
    this.#callers.clear();
    for (const id of this.#streams.keys()) this.close(id);
  }
}
