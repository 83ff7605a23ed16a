/** A client of Marathon that knows all schedulers and asks the next one when one does not answer, as people do. */

import type { Outcome } from './history.ts';

const ANSWER_TIMEOUT_MS = 15_000;

export interface Task {
  readonly id: string;
  readonly appId: string;
  readonly host: string;
  readonly ports: readonly number[];
  readonly state: string;
}

export interface App {
  readonly id: string;
  readonly instances: number;
  readonly tasksRunning: number;
  readonly deployments: readonly unknown[];
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

export class SchedulerClient {
  readonly #urls: readonly string[];
  #next = 0;

  constructor(urls: readonly string[]) {
    this.#urls = urls;
  }

  /** A change. Asked once: whether it may be repeated is for the caller to say. */
  async changes(
    method: 'PUT' | 'DELETE',
    path: string,
    body?: unknown,
  ): Promise<{ readonly outcome: Outcome; readonly detail: string }> {
    try {
      const answer = await this.#ask(method, path, body);
      const detail = `${answer.status} ${answer.text.slice(0, 200)}`;
      if (answer.status < 300) return { outcome: 'acknowledged', detail };
      // Only what the scheduler itself turned down is sure to have changed nothing.
      return { outcome: answer.status < 500 ? 'refused' : 'unknown', detail };
    } catch (error) {
      this.#next += 1;
      return { outcome: 'unknown', detail: String(error) };
    }
  }

  async tasks(): Promise<readonly Task[]> {
    return ((await this.reads('/v2/tasks')) as { readonly tasks: readonly Task[] }).tasks;
  }

  async apps(): Promise<readonly App[]> {
    return ((await this.reads('/v2/apps')) as { readonly apps: readonly App[] }).apps;
  }

  /** Throws when the scheduler that is asked does not answer; the next call asks another. */
  async reads(path: string): Promise<unknown> {
    try {
      const answer = await this.#ask('GET', path);
      if (answer.status >= 300)
        throw new Error(`${path} was answered ${answer.status} ${answer.text}`);
      return JSON.parse(answer.text) as unknown;
    } catch (error) {
      this.#next += 1;
      throw error;
    }
  }

  async #ask(method: string, path: string, body?: unknown): Promise<Answer> {
    const url = this.#urls[this.#next % this.#urls.length] ?? '';
    const answer = await fetch(url + path, {
      method,
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      ...(body !== undefined && {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    });
    return { status: answer.status, text: await answer.text() };
  }
}
