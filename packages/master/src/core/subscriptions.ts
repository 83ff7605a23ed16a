/**
 * Frameworks that speak: they subscribe (first, again, or in place of an older instance of themselves),
 * change what they said about themselves, suppress and revive their roles.
 *
 * Invariants: at most one stream per framework; the registry knows an id before the framework does.
 */

import type { AgentFilter } from '@dcos/allocator';
import { err, frameworkId, ok, randomUuid, type FrameworkId, type Result } from '@dcos/base';
import { FrameworkInfoType, toJsonText, type FrameworkInfo, type scheduler } from '@dcos/wire';
import {
  count,
  countKind,
  note,
  sendToAgent,
  sendToFramework,
  tellOperators,
  type Context,
} from './context.ts';
import type { RequestId, StreamId } from './effects.ts';
import {
  capabilitiesOf,
  frameworkProblem,
  minAllocatableOf,
  rolesOf,
  settingsProblem,
  updateProblem,
} from './framework-validation.ts';
import {
  addFramework,
  agentsOf,
  dropStream,
  FAILOVER_TIMER,
  HEARTBEAT_TIMER,
  persistFramework,
} from './frameworks.ts';
import { compileOfferConstraints } from './offer-constraints.ts';
import { removeOffer } from './offers.ts';
import { sawFrameworkBack } from './incident-sightings.ts';
import type { Framework } from './state.ts';
import { resendUnacknowledged } from './tasks.ts';
import { frameworkMessage } from './view-v1.ts';

/** A subscription, or the update of one, with its offer constraints compiled. */
type CheckedSubscription = scheduler.Call_Subscribe & {
  readonly agentFilters: ReadonlyMap<string, AgentFilter>;
};

/** SUBSCRIBE: the stream opens before the framework is looked at, so problems arrive on it. */
export function onSubscribe(
  context: Context,
  request: RequestId,
  subscribe: scheduler.Call_Subscribe,
): void {
  const streamId = randomUuid(context.random);
  context.emit({ kind: 'openStream', request, streamId });
  const suppressed = subscribe.suppressed_roles ?? [];
  const id = subscribe.framework_info.id?.value ?? '';
  // Whatever comes of it.
  count(context, `master/messages_${id === '' ? '' : 're'}register_framework`);
  const known = context.state.frameworks.get(frameworkId(id));
  const checked = check(
    context,
    subscribe,
    frameworkProblem(subscribe.framework_info, suppressed) ??
      subscriptionProblem(context, subscribe.framework_info, known) ??
      rolesForbidden(context, subscribe.framework_info),
  );
  if (!checked.ok) {
    context.emit({
      kind: 'sendToFramework',
      streamId,
      event: { type: 'ERROR', error: { message: checked.error } },
    });
    context.emit({ kind: 'closeStream', streamId });
    return;
  }
  if (known === undefined) {
    const newId = id === '' ? nextFrameworkId(context) : frameworkId(id);
    const framework = addFramework(context, newId, subscribe.framework_info, { recovered: false });
    applySubscription(context, framework, checked.value);
    persistFramework(context, framework);
    connect(context, framework, streamId, { added: true });
  } else {
    resubscribe(context, known, checked.value, streamId);
  }
}

/** Compiles the constraints of what has no other problem. */
function check(
  { options }: Context,
  subscribe: scheduler.Call_Subscribe,
  found: string | undefined,
): Result<CheckedSubscription, string> {
  const problem = found ?? settingsProblem(options, subscribe.framework_info);
  if (problem !== undefined) return err(problem);
  const filters = compileOfferConstraints(subscribe.offer_constraints, options);
  return filters.ok
    ? ok({ ...subscribe, agentFilters: filters.value })
    : err(`Offer constraints are not valid: ${filters.error}`);
}

/** Names the roles that the framework's principal may not use. */
function rolesForbidden({ authorizer }: Context, info: FrameworkInfo): string | undefined {
  const { principal } = info;
  const forbidden = rolesOf(info).filter(
    (role) => !authorizer.allows({ action: 'REGISTER_FRAMEWORK', principal, object: role }),
  );
  return forbidden.length === 0
    ? undefined
    : `Not authorized to use roles '{ ${forbidden.join(', ')} }'`;
}

function subscriptionProblem(
  context: Context,
  info: FrameworkInfo,
  known: Framework | undefined,
): string | undefined {
  const { state, options } = context;
  const id = frameworkId(info.id?.value ?? '');
  if (state.completedFrameworks.has(id)) return 'Framework has been removed';
  if (known === undefined) {
    return state.frameworks.size >= options.frameworksMax
      ? `There are ${state.frameworks.size} frameworks already, no more are allowed`
      : undefined;
  }
  // A recovered framework is known from what agents or the registry hold; the newest word counts then.
  if (!known.recovered && (known.info.principal ?? '') !== (info.principal ?? '')) {
    return (
      `Updating 'FrameworkInfo.principal' is unsupported; attempted to update from ` +
      `'${known.info.principal ?? ''}' to '${info.principal ?? ''}'`
    );
  }
  return undefined;
}

function nextFrameworkId(context: Context): FrameworkId {
  return frameworkId(
    `${context.masterId}-${String(context.state.nextFramework++).padStart(4, '0')}`,
  );
}

function resubscribe(
  context: Context,
  framework: Framework,
  subscribe: CheckedSubscription,
  streamId: StreamId,
): void {
  sawFrameworkBack(context, framework);
  if (framework.streamId !== undefined) {
    sendToFramework(context, framework, {
      type: 'ERROR',
      error: { message: 'Framework failed over' },
    });
    dropStream(context, framework);
  }
  // The new instance has never seen these offers; the original does not rescind them either.
  for (const offer of framework.offers.values()) removeOffer(context, offer, { rescind: false });
  context.emit({ kind: 'cancelTimer', timer: FAILOVER_TIMER + framework.id });
  const before = toJsonText(FrameworkInfoType, framework.info);
  const kept = framework.recovered
    ? {}
    : { user: framework.info.user, checkpoint: framework.info.checkpoint ?? false };
  const info = { ...subscribe.framework_info, ...kept };
  applySubscription(context, framework, { ...subscribe, framework_info: info });
  if (toJsonText(FrameworkInfoType, framework.info) !== before) {
    persistFramework(context, framework);
    tellAgentsOfFramework(context, framework);
  }
  framework.reregisteredAt = context.now;
  connect(context, framework, streamId, { added: false });
}

/** Takes over roles, suppression and description of a subscription. */
function applySubscription(
  context: Context,
  framework: Framework,
  subscribe: CheckedSubscription,
): void {
  framework.info = { ...subscribe.framework_info, id: { value: framework.id } };
  framework.roles = rolesOf(framework.info);
  framework.capabilities = capabilitiesOf(framework.info);
  framework.suppressedRoles = new Set(subscribe.suppressed_roles ?? []);
  framework.offerConstraints = subscribe.offer_constraints;
  context.state.declines.endAll(framework.id);
  context.allocator.updateFramework(framework.id, {
    roles: framework.roles,
    suppressedRoles: [...framework.suppressedRoles],
    capabilities: framework.capabilities,
    minAllocatable: minAllocatableOf(framework.info),
    agentFilters: subscribe.agentFilters,
  });
}

function connect(
  context: Context,
  framework: Framework,
  streamId: StreamId,
  how: { readonly added: boolean },
): void {
  const { masterInfo, heartbeatIntervalMs } = context.options;
  countKind(framework, 'calls', 'SUBSCRIBE');
  framework.streamId = streamId;
  framework.recovered = false;
  framework.active = true;
  context.state.streams.set(streamId, framework.id);
  context.allocator.activateFramework(framework.id);
  sendToFramework(context, framework, {
    type: 'SUBSCRIBED',
    subscribed: {
      framework_id: { value: framework.id },
      heartbeat_interval_seconds: heartbeatIntervalMs / 1000,
      master_info: masterInfo,
    },
  });
  sendToFramework(context, framework, { type: 'HEARTBEAT' });
  context.emit({
    kind: 'setTimer',
    timer: HEARTBEAT_TIMER + streamId,
    afterMs: heartbeatIntervalMs,
  });
  const message = frameworkMessage(framework);
  tellOperators(
    context,
    how.added
      ? { type: 'FRAMEWORK_ADDED', framework_added: { framework: message } }
      : { type: 'FRAMEWORK_UPDATED', framework_updated: { framework: message } },
  );
  note(context, 'info', 'framework.subscribed', 'framework subscribed', {
    frameworkId: framework.id,
  });
  resendUnacknowledged(context, framework);
}

/** UPDATE_FRAMEWORK: all or nothing; answered when it is durable. */
export function onUpdateFramework(
  context: Context,
  request: RequestId,
  framework: Framework,
  update: scheduler.Call_UpdateFramework,
): void {
  const suppressed = update.suppressed_roles ?? [];
  const checked = check(
    context,
    update,
    frameworkProblem(update.framework_info, suppressed) ??
      updateProblem(framework.info, update.framework_info),
  );
  if (!checked.ok) {
    context.emit({
      kind: 'reply',
      request,
      status: 400,
      text: `FrameworkInfo update is not valid: ${checked.error}`,
    });
    return;
  }
  const forbidden = rolesForbidden(context, update.framework_info);
  if (forbidden !== undefined) {
    context.emit({ kind: 'reply', request, status: 403, text: forbidden });
    return;
  }
  applySubscription(context, framework, checked.value);
  const { roles } = framework;
  for (const offer of framework.offers.values()) {
    if (!roles.includes(offer.role)) removeOffer(context, offer, { rescind: true });
  }
  persistFramework(context, framework);
  tellAgentsOfFramework(context, framework);
  tellOperators(context, {
    type: 'FRAMEWORK_UPDATED',
    framework_updated: { framework: frameworkMessage(framework) },
  });
  context.emit({ kind: 'reply', request, status: 200 });
}

function tellAgentsOfFramework(context: Context, framework: Framework): void {
  for (const agent of agentsOf(context, framework)) {
    sendToAgent(context, agent, {
      type: 'UPDATE_FRAMEWORK',
      update_framework: { framework_info: framework.info },
    });
  }
}

/** REVIVE and SUPPRESS: roles that the framework has not are passed over. */
export function onSuppression(
  context: Context,
  framework: Framework,
  change: { readonly revive: boolean; readonly roles: readonly string[] },
): void {
  const roles = change.roles.filter((role) => framework.roles.includes(role));
  if (roles.length < change.roles.length) {
    note(
      context,
      'warn',
      'role.unknown',
      'the call names roles that the framework is not subscribed to',
      {
        frameworkId: framework.id,
      },
    );
    if (roles.length === 0) return;
  }
  const affected = roles.length === 0 ? framework.roles : roles;
  const suppressed = new Set(framework.suppressedRoles);
  for (const role of affected) {
    if (change.revive) suppressed.delete(role);
    else suppressed.add(role);
  }
  framework.suppressedRoles = suppressed;
  if (change.revive) {
    count(context, 'master/messages_revive_offers');
    context.state.declines.endAll(framework.id);
    context.allocator.revive(framework.id, roles);
  } else {
    count(context, 'master/messages_suppress_offers');
    context.allocator.suppress(framework.id, roles);
  }
}
