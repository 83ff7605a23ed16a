/**
 * Plays a recorded scheduler again: the same calls in the same order, each when what it refers to has
 * happened here too. Ids of the recording become ours: framework, agent and stream by position, an offer
 * by whatever of the agent is on offer, the uuid of an update by its task and state.
 */

import { waitFor, type Recording } from '@dcos/testkit';
import { createRecordDecoder } from '@dcos/wire';

/** Milliseconds for one step of the recording to become possible. */
const STEP_TIMEOUT_MS = 30_000;

interface Status {
  readonly task_id: { readonly value: string };
  readonly state: string;
  readonly uuid?: string;
  readonly [key: string]: unknown;
}

interface OperationStatus {
  readonly operation_id?: { readonly value: string };
  readonly state: string;
  readonly uuid?: { readonly value: string };
}

interface Offer {
  readonly id: { readonly value: string };
  readonly resources: readonly { readonly scalar?: { readonly value: number } }[];
}

/** An event as JSON; only what the scenarios look at. */
export interface SchedulerEvent {
  readonly type: string;
  readonly subscribed?: { readonly framework_id: { readonly value: string } };
  readonly offers?: { readonly offers: readonly Offer[] };
  readonly rescind?: { readonly offer_id: { readonly value: string } };
  readonly update?: { readonly status: Status };
  readonly update_operation_status?: { readonly status: OperationStatus };
}

export interface Answer {
  readonly status: number;
  readonly contentType: string | null;
  readonly text: string;
}

/** Sends one request; `connection: close` so that nothing of it stays. */
export async function sendRecorded(
  url: string,
  recording: Recording,
  translate: (text: string) => string,
): Promise<Answer> {
  const headers = Object.fromEntries(
    Object.entries(recording.headers)
      .filter(([name]) => !['host', 'content-length', 'connection'].includes(name))
      .map(([name, value]) => [name, translate(value)]),
  );
  const response = await fetch(url + recording.path, {
    method: recording.method,
    headers: { ...headers, connection: 'close' },
    redirect: 'manual',
    ...(recording.method !== 'GET' && {
      // As bytes: with a text fetch would add a content type of its own.
      body: Buffer.from(translate(recording.body)),
    }),
  });
  return {
    status: response.status,
    contentType: response.headers.get('content-type'),
    text: await response.text(),
  };
}

/** A stream of events as JSON and everything that came on it. */
class EventStream<Event> {
  readonly events: Event[] = [];
  readonly #closing = new AbortController();

  /** Sends the request that opens the stream; resolves with the answer's head. */
  async open(url: string, body: string): Promise<Response> {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body,
      signal: this.#closing.signal,
    });
    void this.#read(response);
    return response;
  }

  async #read(response: Response): Promise<void> {
    const decoder = createRecordDecoder();
    try {
      for await (const chunk of response.body ?? []) {
        for (const record of decoder.push(chunk as Uint8Array))
          this.events.push(JSON.parse(new TextDecoder().decode(record)) as Event);
      }
    } catch (error) {
      if (!this.#closing.signal.aborted) throw error;
    }
  }

  close(): void {
    this.#closing.abort();
  }
}

/** One subscription and everything that came on it. */
export class RecordedScheduler {
  readonly #url: string;
  /** Events of the recording, to know what a recorded id stood for. */
  readonly #recorded: readonly SchedulerEvent[];
  readonly #ids = new Map<string, string>();
  readonly #stream = new EventStream<SchedulerEvent>();
  readonly #spentOffers = new Set<string>();
  #streamId = '';

  constructor(url: string, recorded: readonly SchedulerEvent[]) {
    this.#url = url;
    this.#recorded = recorded;
  }

  get events(): readonly SchedulerEvent[] {
    return this.#stream.events;
  }

  /** Subscribes with the recorded body. `agentId` is ours, known by then. */
  async subscribe(
    body: string,
    ids: { readonly agentId: string; readonly frameworkId?: string },
  ): Promise<void> {
    const recordedId = this.#recorded[0]?.subscribed?.framework_id.value ?? '';
    const master = recordedId.slice(0, recordedId.lastIndexOf('-'));
    this.#ids.set(`${master}-S0`, ids.agentId);
    if (ids.frameworkId !== undefined) this.#ids.set(recordedId, ids.frameworkId);
    const response = await this.#stream.open(`${this.#url}/api/v1/scheduler`, this.translate(body));
    const first = await waitFor('SUBSCRIBED', () => this.events[0]);
    this.#ids.set(recordedId, first.subscribed?.framework_id.value ?? '');
    this.#streamId = response.headers.get('mesos-stream-id') ?? '';
  }

  close(): void {
    this.#stream.close();
  }

  /** Our words for the recorded ones. */
  translate = (text: string): string => {
    let translated = text;
    for (const [theirs, ours] of this.#ids) translated = translated.replaceAll(theirs, ours);
    return translated;
  };

  /** Does one recorded call when its time has come. */
  async perform(recording: Recording): Promise<Answer> {
    let body = recording.body;
    for (const id of offerIdsOf(body)) body = await this.#withOffers(body, id);
    body = await this.#withUuid(body);
    const headers = { ...recording.headers };
    if (headers['mesos-stream-id'] !== undefined) headers['mesos-stream-id'] = this.#streamId;
    return sendRecorded(this.#url, { ...recording, headers, body }, this.translate);
  }

  /** Replaces a recorded offer by all that is on offer here, once that is as much as was recorded. */
  async #withOffers(body: string, id: string): Promise<string> {
    const recorded = this.#recorded
      .flatMap(({ offers }) => offers?.offers ?? [])
      .find((offer) => offer.id.value === id);
    if (recorded === undefined) return body;
    const wanted = amountOf(recorded);
    const offers = await waitFor(
      `offers as large as ${id} (${wanted})`,
      () => {
        const open = this.#openOffers();
        return open.reduce((sum, offer) => sum + amountOf(offer), 0) >= wanted && open;
      },
      STEP_TIMEOUT_MS,
    );
    for (const offer of offers) this.#spentOffers.add(offer.id.value);
    const list = offers.map((offer) => JSON.stringify({ value: offer.id.value })).join(', ');
    return body.replace(JSON.stringify({ value: id }).replace(':', ': '), list);
  }

  #openOffers(): readonly Offer[] {
    const rescinded = new Set(this.events.map(({ rescind }) => rescind?.offer_id.value));
    return this.events
      .flatMap(({ offers }) => offers?.offers ?? [])
      .filter(({ id }) => !rescinded.has(id.value) && !this.#spentOffers.has(id.value));
  }

  async #withUuid(body: string): Promise<string> {
    const recorded = /"uuid": "([^"]+)"/.exec(body)?.[1];
    if (recorded === undefined) return body;
    const key = updateKeys(this.#recorded).get(recorded);
    if (key === undefined) return body;
    const uuid = await waitFor(
      `the update ${key}`,
      () => [...updateKeys(this.events)].find(([, other]) => other === key)?.[0],
      STEP_TIMEOUT_MS,
    );
    return body.replace(recorded, uuid);
  }
}

/** An event of an executor as JSON; only what the scenario looks at. */
export interface ExecutorEvent {
  readonly type: string;
  readonly [part: string]: unknown;
}

/** A recorded executor, played by the test in place of the process that was launched for it. */
export class RecordedExecutor {
  readonly #url: string;
  readonly #translate: (text: string) => string;
  readonly #stream = new EventStream<ExecutorEvent>();

  constructor(url: string, translate: (text: string) => string) {
    this.#url = url;
    this.#translate = translate;
  }

  get events(): readonly ExecutorEvent[] {
    return this.#stream.events;
  }

  async subscribe(recording: Recording): Promise<void> {
    const response = await this.#stream.open(
      this.#url + recording.path,
      this.#translate(recording.body),
    );
    if (response.status !== 200) throw new Error(`SUBSCRIBE was answered by ${response.status}`);
  }

  perform(recording: Recording): Promise<Answer> {
    return sendRecorded(this.#url, recording, this.#translate);
  }

  close(): void {
    this.#stream.close();
  }
}

function offerIdsOf(body: string): readonly string[] {
  const call = JSON.parse(body === '' ? '{}' : body) as {
    readonly [part: string]: { readonly offer_ids?: readonly { readonly value: string }[] };
  };
  const ids = call['accept']?.offer_ids ?? call['decline']?.offer_ids ?? [];
  return ids.map(({ value }) => value);
}

/** The sum of all scalars: enough to tell whether as much is on offer, whatever the pieces. */
function amountOf(offer: Offer): number {
  return offer.resources.reduce((sum, { scalar }) => sum + (scalar?.value ?? 0), 0);
}

/** What each uuid acknowledges: task or operation, state, and which one of its kind. */
function updateKeys(events: readonly SchedulerEvent[]): ReadonlyMap<string, string> {
  const seen = new Map<string, number>();
  const keys = new Map<string, string>();
  for (const { update, update_operation_status: operation } of events) {
    const uuid = update?.status.uuid ?? operation?.status.uuid?.value;
    if (uuid === undefined || keys.has(uuid)) continue;
    const name = update?.status.task_id.value ?? operation?.status.operation_id?.value ?? '';
    const kind = `${name} ${update?.status.state ?? operation?.status.state ?? ''}`;
    const count = (seen.get(kind) ?? 0) + 1;
    seen.set(kind, count);
    keys.set(uuid, `${kind} ${count}`);
  }
  return keys;
}

/** What a framework was told of each task: states with source, reason, text and keys, in order. */
export function storiesOf(
  events: readonly SchedulerEvent[],
): Readonly<Record<string, readonly string[]>> {
  const stories: Record<string, string[]> = {};
  const repeated = new Set<string>();
  for (const { update } of events) {
    if (update === undefined) continue;
    const { status } = update;
    if (status.uuid !== undefined && repeated.has(status.uuid)) continue;
    if (status.uuid !== undefined) repeated.add(status.uuid);
    const { state, source = '', reason = '', message = '' } = status;
    const isHealth = reason === 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED';
    const isCheck = reason === 'REASON_TASK_CHECK_STATUS_UPDATED';
    // Why a health check failed is in ours only; health is there already when its check was the faster one.
    const ignored = isHealth ? 'message' : isCheck ? 'healthy' : undefined;
    const keys = Object.keys(status).filter((key) => key !== ignored);
    const line = [
      state,
      source,
      reason,
      isHealth ? '' : textOf(message),
      keys.sort().join(' '),
    ].join(' | ');
    const story = (stories[status.task_id.value] ??= []);
    const last = story.at(-1);
    // A check and a health check run side by side; either may be the first to say something.
    const isSwapped = isCheck && last?.includes('REASON_TASK_HEALTH_CHECK_STATUS_UPDATED') === true;
    story.splice(isSwapped ? -1 : story.length, 0, line);
  }
  return stories;
}

/**
 * A message without what differs by nature: ids, the words of the program that fetches, and what is left on
 * an agent, since our command tasks cost no executor.
 */
function textOf(message: unknown): string {
  return String(message)
    .replace(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, '<uuid>')
    .replace(/(Failed to fetch) .*/, '$1')
    .replace(/(is more than available) .*/, '$1');
}
