/** Incidents behind the fixture server, as the master tells them; the oldest first inside. */
import { agentId, hostname } from './fixture-names.ts';

interface Told {
  readonly id: string;
  readonly [member: string]: unknown;
}

const MINUTE_MS = 60_000;

export class FixtureIncidents {
  readonly #all: Told[] = [];
  readonly #listeners = new Set<(incident: Told) => void>();
  readonly #startedMs = Date.now();

  /** Adds one that began so many minutes ago; without an outcome it lasts still. */
  add(incident: {
    readonly kind: string;
    readonly node: number;
    readonly minutesAgo: number;
    readonly outcome?: string;
    readonly summary: string;
    readonly tasks?: number;
  }): void {
    const { kind, node, minutesAgo, outcome, summary, tasks = 0 } = incident;
    const startedMs = this.#startedMs - minutesAgo * MINUTE_MS;
    const told: Told = {
      id: String(this.#all.length + 1),
      kind,
      subject: { id: agentId(node), name: hostname(node) },
      summary,
      started_at: new Date(startedMs).toISOString(),
      ...(outcome !== undefined && {
        ended_at: new Date(startedMs + MINUTE_MS).toISOString(),
        duration_ms: MINUTE_MS,
        outcome,
      }),
      reason: 'its connection broke',
      repeats: 0,
      leader: 'fixture',
      tasks_affected: tasks,
      tasks: Array.from({ length: Math.min(3, tasks) }, (_, index) => ({
        id: `shop_web.${index}`,
        framework_id: 'fixture-0000',
        agent_id: agentId(node),
        state: 'TASK_UNREACHABLE',
      })),
    };
    this.#all.push(told);
    for (const listener of this.#listeners) listener(told);
  }

  /** A page, the newest first. */
  page(query: URLSearchParams): unknown {
    const size = Number(query.get('limit') ?? 50);
    const before = Number(query.get('cursor') ?? Infinity);
    const since = Date.parse(query.get('since') ?? '1970-01-01');
    const found = this.#all
      .filter(({ id }) => Number(id) < before)
      .filter(({ ended_at }) => typeof ended_at !== 'string' || Date.parse(ended_at) >= since)
      .reverse();
    const incidents = found.slice(0, size);
    return found.length > size ? { incidents, next: incidents.at(-1)?.id } : { incidents };
  }

  /** Tells of each that is added; gives a function that stops. */
  follow(listener: (incident: Told) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
