/**
 * What an executor must tell again when its agent comes back: tasks that no acknowledgement was heard about
 * yet, and updates that are not acknowledged.
 *
 * Invariants: updates keep the order in which they were made; an update leaves with its acknowledgement or its
 * refusal, never otherwise; a task leaves with the first acknowledgement of one of its updates.
 * Source: executor API v1 of the original.
 */

import type { executor, TaskInfo, TaskStatus } from '@dcos/wire';

/** Updates that may wait for their acknowledgement; more are refused. */
export const UPDATES_WAITING_MAX = 10_000;

type Update = executor.Call_Update;

export class Unacknowledged {
  readonly #tasks = new Map<string, TaskInfo>();
  readonly #updates = new Map<string, Update>();
  /** Updates that the SUBSCRIBE under way names. */
  #listed: ReadonlySet<string> = new Set();

  get full(): boolean {
    return this.#updates.size >= UPDATES_WAITING_MAX;
  }

  launched(task: TaskInfo): void {
    this.#tasks.set(task.task_id.value, task);
  }

  updated(status: TaskStatus & { readonly uuid: Uint8Array }): void {
    this.#updates.set(keyOf(status.uuid), { status });
  }

  /** @returns whether it was an update that waited. */
  acknowledged(taskId: string, uuid: Uint8Array): boolean {
    this.#tasks.delete(taskId);
    return this.refused(uuid);
  }

  /** @returns whether it was an update that waited. */
  refused(uuid: Uint8Array): boolean {
    return this.#updates.delete(keyOf(uuid));
  }

  /** The fields of a SUBSCRIBE; from now on these updates need not be sent on that stream. */
  list(): executor.Call_Subscribe {
    this.#listed = new Set(this.#updates.keys());
    return {
      ...(this.#tasks.size > 0 && { unacknowledged_tasks: [...this.#tasks.values()] }),
      ...(this.#updates.size > 0 && { unacknowledged_updates: [...this.#updates.values()] }),
    };
  }

  /** Updates that came after the SUBSCRIBE was written, in their order. */
  unlisted(): readonly Update[] {
    return [...this.#updates].filter(([key]) => !this.#listed.has(key)).map(([, update]) => update);
  }
}

/** A text for the bytes of a UUID, to find it again. */
export function keyOf(uuid: Uint8Array): string {
  return uuid.join('.');
}
