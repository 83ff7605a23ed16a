/**
 * How a framework of the world reaches the masters: a stream of events that it loses and opens again under the
 * same id, and calls as HTTP requests, each of which may be late, lost, sent twice, or overtaken. A second instance
 * may take over; the first then still calls with its old stream id, which must have no effect.
 */

import type { FrameworkInfo, scheduler } from '@dcos/wire';
import { canonicalText } from './canonical-text.ts';
import { connect, type Side } from './connection.ts';
import { createPartition, type Partition } from './partition.ts';
import type { SchedulerLink, MasterView } from './simulated-master.ts';
import type { World } from './world.ts';

const CALL_MIN_MS = 1;
const CALL_MAX_MS = 30;
const CALL_LOSS_PROBABILITY = 0.02;
const STALE_CALL_MAX_MS = 2_000;
const DUPLICATE_PROBABILITY = 0.01;
const RESUBSCRIBE_MIN_MS = 20;
const RESUBSCRIBE_MAX_MS = 2_000;
/** How long it waits for the answer to a subscription. */
const SUBSCRIPTION_PATIENCE_MS = 2_000;

export interface FrameworkConnection {
  readonly partition: Partition;
  readonly frameworkId: string | undefined;
  /** Calls of a superseded instance that the master carried out. */
  readonly staleCallsObeyed: readonly string[];
  start(): void;
  call(body: Omit<scheduler.Call, 'framework_id'>): void;
  /**
   * Ids of tasks and operations in an ACCEPT that was sent twice: the master refuses the second, since the offers
   * are used then.
   */
  readonly repeated: ReadonlySet<string>;
  /** Describes itself anew, now and in all subscriptions to come. */
  update(changed: Partial<FrameworkInfo>): void;
  /** Drops its stream, and comes back. */
  disconnect(): void;
  /** A second instance subscribes under the same id while the first lives on. */
  failOver(): void;
  link(): SchedulerLink | undefined;
  digest(): unknown;
}

/** @param info what it subscribes as; the id is added. */
export function createFrameworkConnection(
  world: World,
  master: Pick<MasterView, 'call'>,
  info: FrameworkInfo,
  onEvent: (event: scheduler.Event) => void,
): FrameworkConnection {
  const { name } = info;
  const partition = createPartition();
  const staleCallsObeyed: string[] = [];
  /** Not judged yet. */
  const obeyed: { readonly type: string; readonly frameworkId: string }[] = [];
  let isIdKnown = false;
  const repeated = new Set<string>();
  let described = info;
  let frameworkId: string | undefined;
  let streamId: string | undefined;
  let link: SchedulerLink | undefined;
  let subscribing = false;
  let calls = 0;
  let links = 0;

  function call(body: Omit<scheduler.Call, 'framework_id'>): void {
    const stream = streamId;
    const message: scheduler.Call =
      frameworkId === undefined ? body : { ...body, framework_id: { value: frameworkId } };
    const send = (): void => {
      if (partition.isCut('left') || world.chance(CALL_LOSS_PROBABILITY)) return;
      // Each call is on a channel of its own: HTTP requests may overtake one another.
      const channel = `${name} calls #${(calls += 1)}`;
      const says = (): string => canonicalText([message, stream]);
      world.arrive(world.between(CALL_MIN_MS, CALL_MAX_MS), { channel, says }, () =>
        master.call(message, body.type === 'SUBSCRIBE' ? undefined : stream, {
          openStream,
          reply: () => undefined,
        }),
      );
    };
    send();
    // A client that saw no answer may have sent it again.
    if (body.type === 'SUBSCRIBE' || !world.chance(DUPLICATE_PROBABILITY)) return;
    for (const id of idsIn(body)) repeated.add(id);
    send();
  }

  function openStream(stream: string, side: Side<never>): SchedulerLink {
    const connection: SchedulerLink = connect<never, scheduler.Event>(
      world,
      `${name}#${(links += 1)}`,
      side,
      {
        receive: (event) => {
          if (link === connection) hear(event);
        },
        closed: () => {
          if (link === connection) lost();
        },
      },
    );
    // A second subscription of the same framework: the newer stream is the one to listen to.
    const superseded = streamId;
    link = connection;
    partition.adopt(connection);
    streamId = stream;
    isIdKnown = false;
    if (superseded !== undefined) speakOnAs(superseded);
    return connection;
  }

  function hear(event: scheduler.Event): void {
    if (event.subscribed !== undefined) {
      frameworkId = event.subscribed.framework_id.value;
      isIdKnown = true;
      judge();
      world.trace(`${name} is subscribed as ${frameworkId}`);
    }
    onEvent(event);
  }

  /** The old instance, not knowing better, wants everything of the framework ended. */
  function speakOnAs(oldStreamId: string): void {
    if (frameworkId === undefined) return;
    const framework_id = { value: frameworkId };
    for (const type of ['SUPPRESS', 'TEARDOWN'] as const) {
      const channel = `${name} calls #${(calls += 1)}`;
      const says = (): string => `stale ${type} ${oldStreamId}`;
      world.arrive(world.between(CALL_MIN_MS, STALE_CALL_MAX_MS), { channel, says }, () =>
        master.call({ type, framework_id }, oldStreamId, {
          openStream,
          reply({ status }) {
            world.trace(`${name} gets ${status} for a stale ${type}`);
            if (status === 202) obeyed.push({ type, frameworkId: framework_id.value });
            judge();
          },
        }),
      );
    }
  }

  /**
   * An instance that subscribed twice without an id, since the answer was late, is two frameworks: neither supersedes
   * the other. Which it is, is known when the newer stream says its id.
   */
  function judge(): void {
    if (!isIdKnown) return;
    for (const call of obeyed.splice(0))
      if (call.frameworkId === frameworkId) staleCallsObeyed.push(call.type);
  }

  function lost(): void {
    link = undefined;
    streamId = undefined;
    resubscribeLater(world.between(RESUBSCRIBE_MIN_MS, RESUBSCRIBE_MAX_MS));
  }

  function resubscribeLater(delayMs: number): void {
    if (subscribing) return;
    subscribing = true;
    world.after(delayMs, `${name}: subscribe`, () => {
      subscribing = false;
      if (link !== undefined) return;
      world.trace(`${name} subscribes`);
      subscribe();
      // Neither an answer nor a stream: try again.
      resubscribeLater(SUBSCRIPTION_PATIENCE_MS);
    });
  }

  function subscribe(): void {
    const id = frameworkId === undefined ? {} : { id: { value: frameworkId } };
    call({ type: 'SUBSCRIBE', subscribe: { framework_info: { ...described, ...id } } });
  }

  return {
    partition,
    get frameworkId() {
      return frameworkId;
    },
    staleCallsObeyed,
    repeated,
    update(changed) {
      described = { ...described, ...changed };
      if (frameworkId === undefined) return;
      const framework_info = { ...described, id: { value: frameworkId } };
      call({ type: 'UPDATE_FRAMEWORK', update_framework: { framework_info } });
    },
    start: () => resubscribeLater(world.between(RESUBSCRIBE_MIN_MS, RESUBSCRIBE_MAX_MS)),
    call,
    disconnect() {
      if (link === undefined) return;
      world.trace(`${name} loses its stream`);
      link.break();
    },
    failOver() {
      if (link === undefined || frameworkId === undefined) return;
      world.trace(`${name} fails over to a second instance`);
      subscribe();
    },
    link: () => link,
    digest: () => ({ frameworkId, streamId, link: link && [link.name, link.open] }),
  };
}

/** Ids of the tasks and operations that an ACCEPT names. */
function idsIn({ accept }: Omit<scheduler.Call, 'framework_id'>): readonly string[] {
  return (accept?.operations ?? []).flatMap(({ id, launch, launch_group: group }) => [
    ...(id === undefined ? [] : [id.value]),
    ...[...(launch?.task_infos ?? []), ...(group?.task_group.tasks ?? [])].map(
      ({ task_id }) => task_id.value,
    ),
  ]);
}
