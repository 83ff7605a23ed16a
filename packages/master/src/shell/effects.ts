/**
 * What the effects of the core do to the world: answers, events, frames, timers. The loop of the core calls this in order,
 * behind the writes of the same event.
 */

import { OperationError } from '@dcos/base';
import type { Effect } from '../core/index.ts';
import type { AccessControl } from './access-control.ts';
import type { AgentSockets } from './agent-sockets.ts';
import type { ResolvedMasterConfig } from './config.ts';
import type { IncidentStreams } from './incident-routes.ts';
import type { Instruments } from './instruments.ts';
import type { MasterLog } from './master-log.ts';
import type { OperatorStreams } from './operator-streams.ts';
import type { PendingRequests } from './pending-requests.ts';
import type { SchedulerStreams } from './streams.ts';
import type { Timers } from './timers.ts';

/** Whoever performs a kind of effect. */
export interface Performers {
  readonly config: Pick<ResolvedMasterConfig, 'streamBufferedBytesMax' | 'heartbeatIntervalMs'>;
  readonly log: MasterLog;
  readonly requests: PendingRequests;
  readonly viewerOf: AccessControl['viewerOf'];
  readonly schedulerStreams: SchedulerStreams;
  readonly operatorStreams: OperatorStreams;
  readonly incidentStreams: IncidentStreams;
  readonly agents: AgentSockets;
  readonly timers: Timers;
  readonly instruments: Instruments;
  /** Ends the master. */
  readonly fail: (error: unknown) => void;
}

export function performEffect(effect: Effect, performers: Performers): void {
  const { requests, schedulerStreams, operatorStreams, incidentStreams } = performers;
  const { agents, timers, instruments } = performers;
  switch (effect.kind) {
    case 'persist':
      return;
    case 'reply':
      return requests.answer(effect.request, effect.status, effect.text);
    case 'openStream':
      return openSchedulerStream(effect, performers);
    case 'sendToFramework':
      return schedulerStreams.send(effect.streamId, effect.event);
    case 'closeStream':
      return schedulerStreams.close(effect.streamId);
    case 'openOperatorStream':
      return openOperatorStream(effect, performers);
    case 'operatorEvent':
      return operatorStreams.send(effect.event, effect.owner);
    case 'incident':
      return incidentStreams.send(effect.incident);
    case 'sendToAgent':
      return agents.send(effect.connection, effect.frame);
    case 'closeAgent':
      return agents.close(effect.connection);
    case 'setTimer':
      instruments.timerSet(effect.timer, effect.afterMs);
      return timers.set(effect.timer, effect.afterMs);
    case 'cancelTimer':
      return timers.cancel(effect.timer);
    case 'fail':
      return performers.fail(new OperationError('MASTER_MAY_NOT_GO_ON', effect.message));
    case 'log':
      return log(effect, performers);
  }
}

type EffectOf<Kind extends Effect['kind']> = Extract<Effect, { readonly kind: Kind }>;

function openSchedulerStream(
  effect: EffectOf<'openStream'>,
  { requests, schedulerStreams, config }: Performers,
): void {
  const opening = requests.take(effect.request);
  if (opening === undefined) return;
  const { streamBufferedBytesMax: bufferedBytesMax } = config;
  schedulerStreams.open(effect.streamId, { ...opening, bufferedBytesMax });
}

function openOperatorStream(
  effect: EffectOf<'openOperatorStream'>,
  { requests, operatorStreams, viewerOf, config }: Performers,
): void {
  const opening = requests.take(effect.request);
  if (opening === undefined) return;
  const { streamBufferedBytesMax: bufferedBytesMax, heartbeatIntervalMs } = config;
  const viewer = viewerOf(opening.reply.request);
  operatorStreams.open(
    { ...opening, bufferedBytesMax },
    { snapshot: effect.snapshot, heartbeatIntervalMs, viewer },
  );
}

function log(
  { level, event, message, frameworkId, agentId, fields }: EffectOf<'log'>,
  performers: Performers,
): void {
  performers.log[level]({ event, frameworkId, agentId, ...fields }, message);
}
