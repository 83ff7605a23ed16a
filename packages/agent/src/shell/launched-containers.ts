/**
 * Performs what the core decides about containers that clients launch through the API, and hands the streams of
 * sessions to those who attach to them. Reports what happened as events; decides nothing.
 */

import { mkdir } from 'node:fs/promises';
import { constants } from 'node:os';
import { errorText, OperationError, type ContainerId, type Logger } from '@dcos/base';
import {
  DEFAULT_WINDOW,
  type ContainerRuntime,
  type ContainerSession,
  type ContainerSpec,
  type ContainerStats,
  type ContainerTerminal,
  type OutputStream,
} from '@dcos/containers';
import type {
  AgentEvent,
  CallId,
  ContainerAnswer,
  ContainerCall,
  LaunchedContainer,
  RuntimeName,
} from '../core/index.ts';
import { readyContainer, refuseContainer, type ReadyOptions } from './ready-container.ts';
import type { ContainerSecrets } from './secrets.ts';
import { environmentProblem, withVariables } from './task-environment.ts';

/** Takes a session's output; resolves when it wants more. */
export type OutputSink = (stream: OutputStream, bytes: Uint8Array) => Promise<void>;

export interface LaunchedContainersOptions {
  readonly runtimes: ReadonlyMap<RuntimeName, ContainerRuntime>;
  readonly specOf: (container: LaunchedContainer) => ContainerSpec;
  readonly secrets: ContainerSecrets;
  /** Directories of the host that containers may have as volumes. */
  readonly hostPathVolumeAllow: readonly string[];
  readonly logger: Logger;
  readonly emit: (event: AgentEvent) => void;
}

/** An open session and who reads it. */
interface OpenSession {
  readonly session: ContainerSession;
  readonly sinks: Set<OutputSink>;
  /** Somebody reads: output need not wait any more. */
  readonly onFirst: () => void;
  isInputTaken: boolean;
}

/** Whose output can be had. */
export interface OutputSource {
  /** Hands over output from now on; the first reader of a session gets all of it. Returns what stops it. */
  read(sink: OutputSink): () => void;
  /** Resolves when all was handed over. */
  readonly ended: Promise<unknown>;
}

/** Whose input can be had. */
export interface InputTarget {
  /** Takes the input for one caller, until the returned function is called; undefined when another has it. */
  takeInput(): (() => void) | undefined;
  readonly input: Pick<ContainerSession, 'write' | 'endInput' | 'resize'>;
}

/** What somebody who attached to a session can do. */
export type AttachedSession = OutputSource & InputTarget;

export class LaunchedContainers {
  readonly #options: LaunchedContainersOptions;
  readonly #answers = new Map<CallId, (answer: ContainerAnswer) => void>();
  readonly #sessions = new Map<ContainerId, OpenSession>();
  readonly #takenTerminals = new Set<ContainerId>();
  #lastCall: CallId = 0;
  #closed = false;

  constructor(options: LaunchedContainersOptions) {
    this.#options = options;
  }

  /**
   * Asks for something and resolves with the answer. A wait that `abandoned` ends stays without one; everything
   * else is answered soon, and is not to be left half done.
   */
  async call(asked: ContainerCall, abandoned: AbortSignal): Promise<ContainerAnswer> {
    const call = ++this.#lastCall;
    const { promise, resolve } = Promise.withResolvers<ContainerAnswer>();
    this.#answers.set(call, resolve);
    if (asked.kind === 'wait')
      abandoned.addEventListener('abort', () => {
        if (this.#answers.delete(call)) this.#options.emit({ kind: 'callAbandoned', call });
      });
    this.#options.emit({ kind: 'containerCalled', call, asked });
    return await promise;
  }

  answer(call: CallId, answer: ContainerAnswer): void {
    const resolve = this.#answers.get(call);
    this.#answers.delete(call);
    resolve?.(answer);
  }

  /** The streams of a session that the core said may be attached to. */
  attach(id: ContainerId): AttachedSession | undefined {
    const open = this.#sessions.get(id);
    if (open === undefined) return undefined;
    return {
      input: open.session,
      ended: open.session.ended,
      read(sink) {
        open.sinks.add(sink);
        open.onFirst();
        return () => open.sinks.delete(sink);
      },
      takeInput() {
        if (open.isInputTaken) return undefined;
        open.isInputTaken = true;
        return () => {
          open.isInputTaken = false;
        };
      },
    };
  }

  /** The input of a terminal that the core said may be attached to; undefined when its container has ended. */
  async attachTerminal(id: ContainerId, name: RuntimeName): Promise<InputTarget | undefined> {
    const taken = this.#takenTerminals;
    let terminal: ContainerTerminal | undefined;
    try {
      terminal = await this.#options.runtimes.get(name)?.openTerminal(id);
    } catch (error) {
      if (!(error instanceof OperationError && error.code === 'CONTAINER_UNKNOWN')) throw error;
    }
    if (terminal === undefined) return undefined;
    const input = terminal;
    return {
      input,
      takeInput() {
        if (taken.has(id)) {
          input.close();
          return undefined;
        }
        taken.add(id);
        return () => {
          taken.delete(id);
          input.close();
        };
      },
    };
  }

  /** Where its files are. */
  sandboxOf(container: LaunchedContainer): string {
    return this.#options.specOf(container).sandboxPath;
  }

  launch(container: LaunchedContainer): void {
    const id = container.containerId;
    this.#launch(container).catch((error: unknown) => {
      this.#options.secrets
        .remove(id)
        .catch((failure: unknown) => this.#failed('remove', id, failure));
      this.#emit({ kind: 'launchFailed', id, message: errorText(error) });
    });
  }

  signal(container: LaunchedContainer, signal: number): void {
    const id = container.containerId;
    const open = this.#sessions.get(id);
    if (open !== undefined) {
      open.session.signal(signal);
      return;
    }
    const name = SIGNAL_NAMES.get(signal);
    const runtime = this.#options.runtimes.get(container.runtime);
    if (name === undefined || runtime === undefined || container.isSession) return;
    runtime.signal(id, name).catch((error: unknown) => this.#failed('signal', id, error));
  }

  release(container: LaunchedContainer): void {
    const id = container.containerId;
    if (container.isSession) return;
    const removed = this.#options.runtimes.get(container.runtime)?.remove(id);
    Promise.resolve(removed)
      .then(async () => await this.#options.secrets.remove(id))
      .catch((error: unknown) => this.#failed('remove', id, error));
  }

  /** Usage now; undefined where nobody can tell, as for sessions, whose usage is their container's. */
  async stats(container: LaunchedContainer): Promise<ContainerStats | undefined> {
    if (container.isSession) return undefined;
    return await this.#options.runtimes.get(container.runtime)?.stats(container.containerId);
  }

  /** Ends sessions; other containers go on. No event is emitted any more. */
  close(): void {
    this.#closed = true;
    for (const { session, onFirst } of this.#sessions.values()) {
      onFirst();
      session.signal(constants.signals.SIGKILL);
    }
  }

  async #launch(container: LaunchedContainer): Promise<void> {
    const runtime = this.#options.runtimes.get(container.runtime);
    if (runtime === undefined)
      throw new Error(`the runtime '${container.runtime}' is not enabled on this agent`);
    if (container.isSession) await this.#openSession(runtime, container);
    else await this.#start(runtime, container);
  }

  async #start(runtime: ContainerRuntime, container: LaunchedContainer): Promise<void> {
    const id = container.containerId;
    const described = this.#options.specOf(container);
    const options = this.#readyOptions(container);
    await refuseContainer(described, options);
    await mkdir(described.sandboxPath, { recursive: true });
    const spec = await readyContainer(described, options);
    await runtime.prepare(spec);
    await runtime.create(spec);
    const { pid } = await runtime.start(id);
    this.#emit({ kind: 'started', id, pid, ipAddresses: [] });
    this.#watch(runtime, id);
  }

  #readyOptions({ runtime, container }: LaunchedContainer): ReadyOptions {
    const { secrets, hostPathVolumeAllow } = this.#options;
    const hasOwnRoot = runtime === 'oci' && container?.mesos?.image !== undefined;
    return { runtime, hasOwnRoot, secrets, hostPathVolumeAllow };
  }

  async #openSession(runtime: ContainerRuntime, container: LaunchedContainer): Promise<void> {
    const id = container.containerId;
    const { task, command } = container;
    if (task === undefined) throw new Error('a session needs a container to be in');
    const problem = environmentProblem(command, { isPlain: false });
    if (problem !== undefined) throw new Error(problem);
    const secrets = await this.#options.secrets.variables(command);
    const sinks = new Set<OutputSink>();
    const { promise: first, resolve: onFirst } = Promise.withResolvers<void>();
    const tty = container.container?.tty_info;
    const session = await runtime.openSession(task, {
      command,
      environment: withVariables(
        { ...(tty !== undefined && { TERM: 'xterm' }), ...secrets },
        command,
      ),
      ...(tty !== undefined && { terminal: tty.window_size ?? DEFAULT_WINDOW }),
      async onOutput(stream, bytes) {
        await first;
        await Promise.all(Array.from(sinks, async (sink) => await sink(stream, bytes)));
      },
    });
    this.#sessions.set(id, { session, sinks, onFirst, isInputTaken: false });
    // Also one that ends at once is there for the client that asked for it.
    void Promise.all([session.ended, first]).then(([status]) => {
      this.#sessions.delete(id);
      this.#emit({ kind: 'exited', id, status });
    });
    this.#emit({ kind: 'started', id, pid: session.pid, ipAddresses: [] });
  }

  #watch(runtime: ContainerRuntime, id: ContainerId): void {
    void runtime.wait(id).then(
      (status) => this.#emit({ kind: 'exited', id, status }),
      (error: unknown) =>
        this.#emit({
          kind: 'exited',
          id,
          status: { kind: 'unknown', message: errorText(error) },
        }),
    );
  }

  #failed(what: string, id: ContainerId, error: unknown): void {
    if (this.#closed) return;
    this.#options.logger.error(
      { event: `container.${what}_failed`, containerId: id, error: errorText(error) },
      `cannot ${what} a container`,
    );
  }

  #emit(event: AgentEvent): void {
    if (!this.#closed) this.#options.emit(event);
  }
}

const SIGNAL_NAMES = new Map(
  Object.entries(constants.signals).map(([name, number]) => [number, name as NodeJS.Signals]),
);
