/** An app of a test, and what is seen of it and of the agents from outside: by Marathon and Mesos behind a router. */

import { waitFor } from '@dcos/testkit';

const PATIENCE_MS = 180_000;

interface Task {
  readonly id: string;
  readonly state: string;
  readonly startedAt: string;
}

export class WebApp {
  readonly #url: string;

  /** @param url of a router. */
  constructor(url: string) {
    this.#url = url.replace(/\/$/, '');
  }

  async start(instances: number): Promise<void> {
    const answer = await fetch(`${this.#url}/service/marathon/v2/apps`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        id: '/web',
        cmd: 'exec python3 -m http.server $PORT0',
        cpus: 0.5,
        mem: 32,
        instances,
        // Routers show it below `/service/web/`.
        labels: {
          DCOS_SERVICE_NAME: 'web',
          DCOS_SERVICE_SCHEME: 'http',
          DCOS_SERVICE_PORT_INDEX: '0',
        },
      }),
    });
    if (answer.status !== 201)
      throw new Error(`the app was answered with ${answer.status}: ${await answer.text()}`);
  }

  async remove(): Promise<void> {
    await fetch(`${this.#url}/service/marathon/v2/apps/web`, { method: 'DELETE' });
  }

  /** Ids of the tasks that run, with the time since when, in a fixed order. */
  async tasks(): Promise<readonly string[]> {
    const { tasks } = await this.#ask<{ readonly tasks: readonly Task[] }>(
      '/service/marathon/v2/apps/web/tasks',
    );
    return tasks
      .filter(({ state }) => state === 'TASK_RUNNING')
      .map(({ id, startedAt }) => `${id} since ${startedAt}`)
      .sort();
  }

  /** Ids of the agents, in a fixed order. */
  async agents(): Promise<readonly string[]> {
    const { slaves } = await this.#ask<{
      readonly slaves: readonly { id: string; active: boolean }[];
    }>('/mesos/slaves');
    return slaves.map(({ id, active }) => `${id} ${active}`).sort();
  }

  async whatRuns(): Promise<readonly string[]> {
    return [...(await this.tasks()), ...(await this.agents())];
  }

  /** Its tasks, as soon as there are so many; while leaders change nobody may answer. */
  async allRun(instances: number): Promise<readonly string[]> {
    return await waitFor(
      `${instances} tasks`,
      async () => {
        const tasks = await this.tasks().catch(() => []);
        return tasks.length === instances && tasks;
      },
      PATIENCE_MS,
    );
  }

  async #ask<T>(path: string): Promise<T> {
    return (await (await fetch(`${this.#url}${path}`)).json()) as T;
  }
}
